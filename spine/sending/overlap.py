"""Batch after batch, and two at a time where that helps: while one is being sent, the next is read, decided and asked about.

A batch uses the database, then the store, then the database again; one after the other, either waits for the
other half of the time. Each thread here runs whole batches with a database connection, a fence and leases of
its own, just as two processes would. They share the store's connections and its rate. At a store that answers at once
it is the processor that is short, and two threads of one interpreter only hinder each other (docs/adr/0193).
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

from django.db import connections

from spine.sending import pipeline
from spine.sending.guards import kept
from spine.sending.pipeline import BatchReport
from spine.sending.store import Store

GoesOn = Callable[[BatchReport], bool]


def drain(store: Store, goes_on: GoesOn) -> None:
    """Sends what is due until nothing is, or `goes_on` says no.

    `goes_on` hears of each batch, from either thread. The second thread begins when there was work for two
    batches: the upload of one patient is no reason for another connection. What goes wrong in either is
    raised here, after both have ended.
    """
    over = threading.Event()

    def one() -> bool:
        return not over.is_set() and _goes_on_after_one(store, goes_on)

    def beside() -> bool:
        """Whether there may be work for it again: it ended because two gain nothing just now."""
        while store.gains_by_two:
            if not one():
                return False
        return True

    with kept(), ThreadPoolExecutor(1, thread_name_prefix="batches") as threads:
        other: Future[bool] | None = None
        try:
            if not (one() and one()):
                return
            while True:
                if store.gains_by_two and _is_wanted(other):
                    other = threads.submit(_with_own_connection, beside)
                if not one():
                    break
        except BaseException:
            over.set()
            raise
        if other is not None:
            other.result()


def _is_wanted(other: "Future[bool] | None") -> bool:
    """Whether a second thread would have work: there was none yet, or it ended while two gained nothing."""
    return other is None or (other.done() and other.exception() is None and other.result())


def _with_own_connection(work: Callable[[], bool]) -> bool:
    try:
        with kept():
            return work()
    finally:
        connections.close_all()


def _goes_on_after_one(store: Store, goes_on: GoesOn) -> bool:
    report = pipeline.send_batch(store)
    return bool(report.claimed) and goes_on(report)
