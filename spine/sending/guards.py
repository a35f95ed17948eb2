"""Sessions of the database that hold the fence, and do nothing else.

The sender's own session commits decisions and receipts meanwhile. Inside `kept()` the batches of a thread use one such
session, one after another: to open it takes the server 6 ms, and 2 of this process (docs/adr/0180).
"""

import select
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import structlog
from django.db import Error as DatabaseError
from psycopg.pq import TransactionStatus

from carerecords import fence

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.backends.utils import CursorWrapper

log = structlog.get_logger(__name__)


class _Idle(threading.local):
    """The session that waits for this thread's next batch, where one is kept."""

    keeps = False
    session: "BaseDatabaseWrapper | None" = None


_idle = _Idle()


@contextmanager
def kept() -> Iterator[None]:
    """Inside: a session that let the fence go in peace serves this thread's next batch. Closes it at the end."""
    _idle.keeps = True
    try:
        yield
    finally:
        _idle.keeps = False
        session, _idle.session = _idle.session, None
        if session is not None:
            session.close()


class Guard:
    """A session with one transaction open in it, until `release`. Belongs to the thread that made it."""

    def __init__(self) -> None:
        self._session = _taken() or _opened()
        self._line = _line(self._session)
        self._released = False

    def cursor(self) -> "CursorWrapper":
        return self._session.cursor()

    def stands(self) -> bool:
        """Whether its transaction was not let go and its session has not ended; for any thread.

        Costs a microsecond, and asks the server nothing: nobody waits for an answer there, so whatever there is to read
        is its end. An administrator ended it, or a pooler or the server went down. The server says so before it lets
        the lock go.
        """
        return not self._released and not self._line.poll(0)

    def release(self) -> None:
        """Ends the transaction, once. Losing it early is harmless: the right to begin was timed."""
        if self._released:
            return
        # First: what is asked from here on is told no, even while the next batch has the session.
        self._released = True
        try:
            self._session.rollback()
            if _idle.keeps and _is_idle(self._session):
                _idle.session = self._session
        except DatabaseError as error:
            log.warning("fence_lost", error=type(error).__name__)
        finally:
            if _idle.session is not self._session:
                self._session.close()


def _opened() -> "BaseDatabaseWrapper":
    session = fence.sender_connection()
    session.set_autocommit(False)
    return session


def _taken() -> "BaseDatabaseWrapper | None":
    """The session that was kept, if nothing is left in it and it has not ended meanwhile."""
    session, _idle.session = _idle.session, None
    if session is None or _is_idle(session):
        return session
    session.close()
    return None


def _is_idle(session: "BaseDatabaseWrapper") -> bool:
    return session.connection.info.transaction_status is TransactionStatus.IDLE and not _line(session).poll(0)


def _line(session: "BaseDatabaseWrapper") -> select.poll:
    line = select.poll()
    line.register(session.connection.fileno(), select.POLLIN)
    return line
