"""Wakes the workers after a commit. Only a bell: the rows are the truth, and a sweep follows.

A lost message costs seconds, so ringing never fails a request and never waits long. The task is
named, not imported: the sending lives on a higher floor.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import structlog
from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

SEND_DUE = "spine.tasks.send_due"
log = structlog.get_logger(__name__)
# A broker that did not answer is not asked again for so long: each page would wait for it afresh.
SILENCE_SECONDS = 5.0
_silent_until = 0.0
# The rings of a piece of work that rings once at its end, or None outside of one.
_held: ContextVar[list[str] | None] = ContextVar("held_rings", default=None)


@contextmanager
def held() -> Iterator[None]:
    """Work of many transactions rings once, at its end: each ring may wait for a broker that is away."""
    rings: list[str] = []
    token = _held.set(rings)
    try:
        yield
    finally:
        _held.reset(token)
        if rings:
            ring()


def ring_after_commit() -> None:
    """Rings once this transaction, and any around it, has committed."""
    transaction.on_commit(ring)


def ring() -> bool:
    """Asks the workers to look for due jobs. False when the broker does not answer."""
    rings = _held.get()
    if rings is not None:
        rings.append(SEND_DUE)
        return True
    return ring_for(SEND_DUE, expires=60)


def ring_for(task: str, *, expires: int = 3600, **ids: str) -> bool:
    """Sends a task by name with ids only. False when the broker does not answer."""
    if _is_silent():
        return False
    try:
        current_app.send_task(task, kwargs=ids, retry=False, expires=expires)
    except (OperationalError, OSError) as error:
        log.warning("doorbell_unanswered", error=type(error).__name__)
        return _no_answer()
    return True


def answers() -> bool:
    """Whether the broker answers now; asked by pages that promise that something will be sent."""
    if _is_silent():
        return False
    try:
        with current_app.connection_for_write() as connection:
            connection.ensure_connection(max_retries=1, interval_start=0, timeout=1, errback=None)
    except (OperationalError, OSError):
        return _no_answer()
    return True


def _is_silent() -> bool:
    return time.monotonic() < _silent_until


def _no_answer() -> bool:
    global _silent_until
    _silent_until = time.monotonic() + SILENCE_SECONDS
    return False
