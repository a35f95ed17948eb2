"""Batch after batch, and two at a time where that helps: while one is being sent, the next is read, decided and asked about.

A batch uses the database, then the store, then the database again; one after the other, either waits for the
other half of the time. Each thread here runs whole batches with a database connection, a fence and leases of
its own, just as two processes would. They share the store's connections and its rate. At a store that answers at once
it is the processor that is short, and two threads of one interpreter only hinder each other (docs/adr/0193): then
the second waits, in case that the first does not come on.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from django.db import connections

from spine.sending import pipeline
from spine.sending.guards import kept
from spine.sending.pipeline import BatchReport
from spine.sending.store import Store

GoesOn = Callable[[BatchReport], bool]
# A batch at a quick store takes half a second. One that takes longer waits for an answer, as long as for the read time-out.
LATE_SECONDS = 2.0
# How often a second thread that waits looks whether it is wanted.
LOOK_SECONDS = 0.25


def drain(store: Store, goes_on: GoesOn) -> None:
    """Sends what is due until nothing is, or `goes_on` says no.

    `goes_on` hears of each batch, from either thread. The second thread begins when there was work for two
    batches: the upload of one patient is no reason for another connection. What goes wrong in either is
    raised here, after both have ended.
    """
    over, first = threading.Event(), _First(store, goes_on)

    def beside() -> None:
        while not over.is_set():
            if store.gains_by_two or first.is_late():
                if not _goes_on_after_one(store, goes_on):
                    return
            elif first.ended.wait(LOOK_SECONDS):
                return

    with kept(), ThreadPoolExecutor(1, thread_name_prefix="batches") as threads:
        other: Future[None] | None = None
        try:
            if first.goes_on() and first.goes_on():
                other = threads.submit(_with_own_connection, beside)
                while not over.is_set() and first.goes_on():
                    pass
        except BaseException:
            over.set()
            raise
        finally:
            first.ended.set()
        if other is not None:
            other.result()


class _First:
    """The thread that is always there: its batches, one after the other."""

    def __init__(self, store: Store, goes_on: GoesOn) -> None:
        self._store, self._goes_on = store, goes_on
        self._began = time.monotonic()
        # When it will not begin another.
        self.ended = threading.Event()

    def goes_on(self) -> bool:
        """Runs a batch; whether there may be more to do."""
        self._began = time.monotonic()
        return _goes_on_after_one(self._store, self._goes_on)

    def is_late(self) -> bool:
        """Whether its present batch takes so long that others should go on meanwhile. For any thread."""
        return not self.ended.is_set() and time.monotonic() - self._began > LATE_SECONDS


def _with_own_connection(work: Callable[[], None]) -> None:
    try:
        with kept():
            work()
    finally:
        connections.close_all()


def _goes_on_after_one(store: Store, goes_on: GoesOn) -> bool:
    report = pipeline.send_batch(store)
    return bool(report.claimed) and goes_on(report)
