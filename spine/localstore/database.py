"""The store's database: its tables, its connections, and the lock that keeps a second store out."""

from __future__ import annotations

import asyncio
from pathlib import Path

from psycopg import AsyncConnection
from psycopg.conninfo import make_conninfo
from psycopg_pool import AsyncConnectionPool

SCHEMA = Path(__file__).with_name("schema.sql")

# Any fixed number: it is taken in the store's own database only.
_OWNER_LOCK = 91_201_907


class AlreadyServed(Exception):
    """Another store process serves this database."""


async def connect(database_url: str) -> AsyncConnection:
    """Return a connection with the settings that all of the store's connections share."""
    options = "-c timezone=UTC -c statement_timeout=30s -c idle_in_transaction_session_timeout=60s"
    conninfo = make_conninfo(database_url, application_name="localstore", options=options, connect_timeout=5)
    return await AsyncConnection.connect(conninfo, autocommit=True, prepare_threshold=0)


async def connect_as_owner(database_url: str, patience: float = 5.0) -> AsyncConnection:
    """Return the one connection that may write; raise AlreadyServed when another process keeps it.

    The ledger's gapless order rests on there being one writer. A killed predecessor's lock may
    outlive it for a moment, hence the patience (seconds).
    """
    connection = await connect(database_url)
    deadline = asyncio.get_running_loop().time() + patience
    while True:
        cursor = await connection.execute("SELECT pg_try_advisory_lock(%s)", [_OWNER_LOCK])
        row = await cursor.fetchone()
        if row is not None and row[0]:
            return connection
        if asyncio.get_running_loop().time() > deadline:
            await connection.close()
            raise AlreadyServed("another local store serves this database")
        await asyncio.sleep(0.2)


async def create_tables(connection: AsyncConnection) -> None:
    """Create what is missing; nothing that is there is changed."""
    async with connection.transaction():
        await connection.execute(SCHEMA.read_bytes(), prepare=False)


async def open_readers(database_url: str) -> AsyncConnectionPool:
    """Return the pool that the ledger reading, the pages and GET /Bundle use."""
    pool = AsyncConnectionPool(
        database_url,
        min_size=1,
        max_size=4,
        open=False,
        check=AsyncConnectionPool.check_connection,  # a connection cut meanwhile is replaced, not given out
        kwargs={
            "autocommit": True,
            "application_name": "localstore-reader",
            "options": "-c timezone=UTC -c statement_timeout=30s -c default_transaction_read_only=on",
        },
    )
    await pool.open(wait=True, timeout=15)
    return pool
