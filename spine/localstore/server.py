"""The store's HTTP server: the published interface, the ledger's reading, health, and the pages."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator

from aiohttp import web
from psycopg_pool import AsyncConnectionPool

from spine.localstore import arrivals, control
from spine.localstore.configuration import BASE_PATH, Configuration
from spine.localstore.database import connect, create_tables, open_readers
from spine.localstore.faults import Faults
from spine.localstore.headers import may_look
from spine.localstore.interface import Interface
from spine.localstore.issuer import PATH as TOKEN_PATH
from spine.localstore.issuer import Issuer
from spine.localstore.ledger_reading import read_ledger
from spine.localstore.misbehaving import misbehave
from spine.localstore.pages.site import Pages
from spine.localstore.tallies import Tallies
from spine.localstore.writer import Writer

log = logging.getLogger("localstore")


class Store:
    """One running store: routes a request to the part that answers it."""

    def __init__(
        self, configuration: Configuration, writer: Writer, readers: AsyncConnectionPool, tallies: Tallies
    ) -> None:
        self._configuration = configuration
        self._faults = Faults()
        self._issuer = Issuer(configuration)
        self._interface = Interface(configuration, self._issuer, writer, readers, self._faults)
        self._pages = Pages(readers, tallies, self._faults if configuration.control else None)
        self._writer = writer
        self._readers = readers

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Return the answer to any request; nothing about a request is logged but the kind of a fault."""
        path = request.path
        if path.startswith(BASE_PATH):
            return await self._interface.answer(request)
        if path == TOKEN_PATH and self._issuer.is_on:
            return await self._sell_token(request)
        try:
            if path == "/health" and request.method == "GET":
                return await self._health()
            if not may_look(request.headers, self._configuration):
                challenge = {"WWW-Authenticate": 'Basic realm="Local store"'}
                return web.Response(status=401, text="A token is needed.\n", headers=challenge)
            if path == control.PATH and not control.may_control(request, enabled=self._configuration.control):
                return await self._pages.missing()
            if path == control.PATH and control.is_program(request):
                return await control.answer_program(request, self._faults)
            if path == "/ledger" and request.method == "GET":
                return await read_ledger(request, self._readers)
            return await self._pages.answer(request)
        except Exception as error:  # noqa: BLE001 - its text may name a patient, so it goes no further
            log.error("a page could not be made: %s", type(error).__name__)
            return web.Response(status=503, text="The store's database does not answer.\n")

    async def _sell_token(self, request: web.BaseRequest) -> web.StreamResponse:
        fault = self._faults.meet(arrivals.TOKEN)
        if fault is None:
            return await self._issuer.answer(request)
        return await misbehave(fault, request, lambda: self._issuer.answer(request))

    async def _health(self) -> web.Response:
        async with self._readers.connection(timeout=2) as connection:
            await connection.execute("SELECT 1")
        return web.json_response(
            {
                "status": "pass",
                "last_sequence": self._writer.last_sequence,
                "limited": self._interface.limits.refused,
            }
        )


@contextlib.asynccontextmanager
async def running(configuration: Configuration) -> AsyncIterator[str]:
    """Serve until the block is left; gives the address in use. Raises when the database is not to be had."""
    connection = await connect(configuration.database_url)
    try:
        await create_tables(connection)
    finally:
        await connection.close()
    readers = await open_readers(configuration.database_url)
    tallies = Tallies()
    writer = Writer(configuration.database_url, tallies)
    await writer.open()
    writing = asyncio.create_task(writer.run())
    store = Store(configuration, writer, readers, tallies)
    # No access log, and a silent server log: addresses of searches carry NHS numbers.
    silent = logging.getLogger("localstore.aiohttp")
    silent.disabled = True
    server = web.Server(store.handle, access_log=None, logger=silent)
    runner = web.ServerRunner(server, shutdown_timeout=5)
    await runner.setup()
    site = web.TCPSite(runner, configuration.host, configuration.port, backlog=1024)
    try:
        await site.start()
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()
        writing.cancel()
        await readers.close()
