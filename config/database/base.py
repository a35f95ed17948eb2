"""The backend itself, where Django looks for it."""

import datetime
from typing import Any, TypeVar

import psycopg
from django.db.backends.postgresql import base
from psycopg.abc import PQGen
from psycopg.pq import TransactionStatus

from config.database.answers import limit
from config.database.moments import UtcLoader

Answer = TypeVar("Answer")
# How often a wait looks up, in seconds: psycopg's own.
INTERVAL = 0.1


class Connection(psycopg.Connection[Any]):
    """Gives up on an answer that does not come in time, and on itself: whatever the server may still
    say belongs to a statement that nobody waits for."""

    def wait(self, gen: PQGen[Answer], interval: float = INTERVAL, timeout: float | None = None) -> Answer:
        seconds = limit.get() if timeout is None else timeout
        try:
            return super().wait(gen, interval, seconds)
        except psycopg.OperationalError:
            if timeout is None and self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self.close()
                raise psycopg.OperationalError(f"no answer within {seconds} seconds") from None
            raise


class _Driver:
    """psycopg, but for whom it connects."""

    connect = Connection.connect

    def __getattr__(self, name: str) -> Any:
        return getattr(psycopg, name)


class DatabaseWrapper(base.DatabaseWrapper):
    Database = _Driver()  # type: ignore[assignment]  # asked for `connect` and for the names of errors

    def get_connection_params(self) -> dict[str, Any]:
        params: dict[str, Any] = super().get_connection_params()
        if self.timezone is datetime.UTC:
            params["context"].register_loader("timestamptz", UtcLoader)
        return params
