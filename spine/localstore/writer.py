"""The one writer: gathers what arrives while the last commit runs, and commits it together.

No arrival is answered before the commit that holds its ledger line. Batches need no timer: whatever
came in during one commit is the next batch, so an idle store answers at once and a busy one shares
its commits among many.
"""

from __future__ import annotations

import asyncio
import logging

import psycopg
from psycopg import AsyncConnection

from spine.localstore import outcomes
from spine.localstore.arrivals import REFUSED, Arrival, Verdict
from spine.localstore.batch import process
from spine.localstore.database import AlreadyServed, connect_as_owner
from spine.localstore.outcomes import Refusal
from spine.localstore.tallies import Tallies

log = logging.getLogger("localstore")

_LARGEST_BATCH = 500
# A connection that was used so lately is not asked first whether it still works.
_IDLE_SECONDS = 1.0

_Waiting = tuple[Arrival, "asyncio.Future[Verdict]"]


class Writer:
    """Decides and stores arrivals one batch after the other over its own connection."""

    def __init__(self, database_url: str, tallies: Tallies) -> None:
        self._database_url = database_url
        self._tallies = tallies
        self._waiting: list[_Waiting] = []
        self._arrived = asyncio.Event()
        self._connection: AsyncConnection | None = None
        self._used_at = 0.0
        self.last_sequence = 0

    async def submit(self, arrival: Arrival) -> Verdict:
        """Return the store's verdict on `arrival`, once it is committed."""
        future: asyncio.Future[Verdict] = asyncio.get_running_loop().create_future()
        self._waiting.append((arrival, future))
        self._arrived.set()
        return await future

    async def open(self) -> None:
        """Take the database for this process; raise AlreadyServed when another store has it."""
        await self._owned_connection()

    async def run(self) -> None:
        """Serve batches until cancelled."""
        while True:
            await self._arrived.wait()
            batch, self._waiting = self._waiting[:_LARGEST_BATCH], self._waiting[_LARGEST_BATCH:]
            if not self._waiting:
                self._arrived.clear()
            await self._serve(batch)

    async def _serve(self, batch: list[_Waiting]) -> None:
        try:
            verdicts = await self._commit([arrival for arrival, _ in batch])
        except (psycopg.OperationalError, AlreadyServed, OSError) as error:
            await self._lost_connection(error)
            in_doubt = isinstance(error, CommitInDoubt)
            _answer(batch, outcomes.timed_out() if in_doubt else outcomes.unavailable())
        except Exception as error:  # noqa: BLE001 - one bad arrival must not refuse its neighbours
            log.error("a batch of %d could not be stored: %s", len(batch), type(error).__name__)
            if len(batch) == 1:
                _answer(batch, outcomes.failed())
            else:
                for one in batch:
                    await self._serve([one])
        else:
            for (_, future), verdict in zip(batch, verdicts, strict=True):
                if not future.done():
                    future.set_result(verdict)

    async def _commit(self, arrivals: list[Arrival]) -> list[Verdict]:
        connection = await self._owned_connection()
        try:
            verdicts = await process(connection, arrivals, self.last_sequence)
        except psycopg.Error as error:
            if connection.closed or connection.broken:
                # The commit may have been under way.
                raise CommitInDoubt from error
            raise
        self.last_sequence += len(arrivals)
        self._tallies.count(arrivals, verdicts)
        return verdicts

    async def _owned_connection(self) -> AsyncConnection:
        now = asyncio.get_running_loop().time()
        idle, self._used_at = now - self._used_at, now
        if self._connection is not None and idle > _IDLE_SECONDS:
            await self._drop_if_cut()
        if self._connection is None or self._connection.closed:
            connection = await connect_as_owner(self._database_url)
            cursor = await connection.execute("SELECT coalesce(max(sequence), 0) FROM ledger")
            row = await cursor.fetchone()
            assert row is not None
            self.last_sequence = row[0]
            await self._tallies.load(connection)
            self._connection = connection
        return self._connection

    async def _drop_if_cut(self) -> None:
        """A connection cut while nobody used it is not found out in the middle of a batch: that would
        have to be answered as in doubt, though nothing was under way."""
        assert self._connection is not None
        try:
            await self._connection.execute("SELECT 1")
        except psycopg.OperationalError as error:
            await self._lost_connection(error)

    async def _lost_connection(self, error: Exception) -> None:
        log.error("the database did not answer: %s", type(error).__name__)
        if self._connection is not None:
            await self._connection.close()
            self._connection = None


class CommitInDoubt(psycopg.OperationalError):
    """The connection was lost in the middle: the batch may or may not be stored."""


def _answer(batch: list[_Waiting], refusal: Refusal) -> None:
    """Answer everyone in `batch` with `refusal`; there is no ledger line, for there was no database."""
    for _, future in batch:
        if not future.done():
            future.set_result(Verdict(REFUSED, refusal.status, refusal))
