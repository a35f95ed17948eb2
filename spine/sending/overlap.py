"""Batch after batch, two at a time: while one is being sent, the next is read, decided and asked about.

A batch uses the database, then the store, then the database again; one after the other, either waits for the
other half of the time. Each thread here runs whole batches with a database connection, a fence and leases of
its own, just as two processes would. They share the store's connections and its rate.
"""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

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

    def work() -> None:
        while not over.is_set() and _goes_on_after_one(store, goes_on):
            pass

    with kept():
        if not (_goes_on_after_one(store, goes_on) and _goes_on_after_one(store, goes_on)):
            return
        with ThreadPoolExecutor(1, thread_name_prefix="batches") as beside:
            other = beside.submit(_with_own_connection, work)
            try:
                work()
            except BaseException:
                over.set()
                raise
            other.result()


def _with_own_connection(work: Callable[[], None]) -> None:
    try:
        with kept():
            work()
    finally:
        connections.close_all()


def _goes_on_after_one(store: Store, goes_on: GoesOn) -> bool:
    report = pipeline.send_batch(store)
    return bool(report.claimed) and goes_on(report)
