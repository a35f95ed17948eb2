"""What a forked sender does: batches and recoveries of the product, until it is told to end or dies."""

import ctypes
import datetime
import faulthandler
import json
import os
import random
import signal
import sys
import threading
import time
import traceback
from typing import Any

from faults import hooks
from faults.nursery import Order

PR_SET_PDEATHSIG = 1


class _Notes:
    """Lines of JSON, each written in one go, so that death cuts nothing in two."""

    def __init__(self, path: str) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._lock = threading.Lock()

    def tell(self, **what: Any) -> None:
        with self._lock:
            os.write(self._file, (json.dumps(what) + "\n").encode())


def run(order: Order) -> None:
    """Never returns."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.nice(order.nice)
    faulthandler.register(signal.SIGUSR1, all_threads=True)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    notes, over = _Notes(order.told), threading.Event()

    def end(*_: object) -> None:
        # Once: a second signal while the first sets the event would wait for its lock for ever.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        over.set()

    signal.signal(signal.SIGTERM, end)
    try:
        _prepare(order, notes)
        threads = [
            *(
                threading.Thread(target=_guarded, args=(_send, order, notes, over))
                for _ in range(order.sends)
            ),
            *(
                threading.Thread(target=_guarded, args=(_recover, order, notes, over))
                for _ in range(order.recovers)
            ),
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    except BaseException:  # noqa: BLE001 - told, then the end
        notes.tell(error=traceback.format_exc())
    sys.stderr.flush()
    os._exit(0)


def _prepare(order: Order, notes: _Notes) -> None:
    from spine.sending import outcomes, recovery

    if order.ladder:
        rung = datetime.timedelta(seconds=order.ladder)
        for place, name in ((outcomes, "LADDER"), (recovery, "LADDER")):
            hooks.change(place, name, (rung,) * len(outcomes.LADDER))
        for name in ("UNREACHABLE_WAIT", "ACCESS_WAIT"):
            hooks.change(outcomes, name, rung)
    if order.clock_off:
        _set_clock_off(order.clock_off)
    if order.loses_commits:
        _lose_commits(order.loses_commits, random.Random(order.nth))
    held: list[list[int]] = []
    if order.dies_at or order.freezes_at:
        _remember_claims(held)
    if order.dies_at:

        def die() -> None:
            notes.tell(died=order.dies_at, at=time.time(), jobs=held)
            os.kill(os.getpid(), signal.SIGKILL)

        hooks.at(order.dies_at, die, nth=order.nth)
    if order.freezes_at:

        def freeze() -> None:
            notes.tell(froze=order.freezes_at, at=time.time(), jobs=held)
            os.kill(os.getpid(), signal.SIGSTOP)
            # The kernel may stop this thread a moment after the call.
            time.sleep(0.05)

        hooks.at(order.freezes_at, freeze, nth=order.nth)


def _remember_claims(held: list[list[int]]) -> None:
    """What it holds when it dies is the last batch that it took."""

    def remembering(claim: Any) -> Any:
        def then(*args: Any, **how: Any) -> Any:
            jobs = claim(*args, **how)
            held[:] = [[job.job_id, job.attempt] for job in jobs]
            return jobs

        return then

    hooks.wrap("spine.sending.pipeline", "claim", remembering)


def _set_clock_off(seconds: float) -> None:
    """As if this machine's wall clock were wrong: every module that asks for the time is told another."""
    from django.utils import timezone

    real = timezone.now
    timezone.now = lambda: real() + datetime.timedelta(seconds=seconds)


def _lose_commits(chance: float, dice: random.Random) -> None:
    """The line to the server is cut in the moment of a COMMIT: nobody here knows whether it was made."""
    from django.db import OperationalError

    def losing(commit: Any) -> Any:
        def then(wrapper: Any) -> None:
            rolled = dice.random()
            if rolled > chance / 2:
                commit(wrapper)
            if rolled < chance:
                wrapper.connection.close()
                raise OperationalError("The line was cut at the COMMIT.")

        return then

    hooks.wrap("django.db.backends.base.base:BaseDatabaseWrapper", "_commit", losing)


def _guarded(work: Any, order: Order, notes: _Notes, over: threading.Event) -> None:
    try:
        work(order, notes, over)
    except BaseException:  # noqa: BLE001 - told; the scenario fails
        notes.tell(error=traceback.format_exc())
        over.set()


def _send(order: Order, notes: _Notes, over: threading.Event) -> None:
    """As `spine.tasks.send_due`, over and over: batches of a given size one by one, else two at a time.

    What the database cannot do now is tried again, as the clock would have a worker do.
    """
    from django.db import Error, connection

    from spine.sending import overlap, pipeline
    from spine.sending.store import Store

    store = Store()
    try:
        while not over.is_set():
            try:
                if order.limit:
                    idle = not pipeline.send_batch(store, limit=order.limit).sent
                else:
                    overlap.drain(store, lambda _: not over.is_set())
                    idle = True
            except Error as error:
                notes.tell(database=type(error).__name__)
                connection.close()
                idle = True
            if idle:
                over.wait(order.rest)
    finally:
        store.close()
        connection.close()


def _recover(order: Order, notes: _Notes, over: threading.Event) -> None:
    """As `spine.tasks.recover`, as often as the clock rings for it."""
    from django.db import Error, connection

    from config import schedule
    from spine.sending import recovery
    from spine.sending.store import Store

    store, every = Store(), schedule.EVERY["spine.tasks.recover"]
    try:
        while not over.is_set():
            try:
                recovery.release_expired()
                recovery.resolve_doubt(store)
            except Error as error:
                notes.tell(database=type(error).__name__)
                connection.close()
            over.wait(every)
    finally:
        store.close()
        connection.close()
