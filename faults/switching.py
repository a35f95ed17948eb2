"""The policy switched and all uploads stopped at random moments, while records change so that senders always have work."""

import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from bench.switches import Switch, Switchers
from faults import hooks, people
from faults.site import wait_until
from faults.trial import Trial

JOBS_KEPT_DUE = 120
# A change waits for sends in flight: six seconds at most (`spine.sending.pipeline`), and here, where the store answers in
# hundredths, much less even on a busy machine. Who waits longer was passed by.
LONGEST_WAIT = 4.0
# Of jobs: one batch. And the seconds that a batch has to go past a change, before its fence would fall by itself.
FEW, TIME_TO_PASS = 4, 1.5


def switches(
    trial: Trial, admins: Switchers, *, changes: int, stops: int, flaps: int
) -> Iterator[Callable[[], Switch]]:
    """One after the other, most with a random pause after it; the last ones without any."""
    for number in range(changes):
        yield partial(admins.change, holds=number % 2 == 0)
        time.sleep(trial.dice.uniform(0, 0.08))
    for _ in range(stops):
        for step in (admins.stop, admins.resume):
            yield step
            time.sleep(trial.dice.uniform(0, 0.08))
    for number in range(flaps):
        yield partial(admins.change, holds=number % 2 == 0)


def nobody_passes_a_change(trial: Trial, surgeries: list[people.Surgery], admins: Switchers) -> None:
    """Who comes to the fence while a change waits for it comes after that change, and finds the hold.

    A sender that is frozen with the fence in hand keeps the change waiting; another comes then. Nobody has decided before.
    """
    nursery, (first, second) = trial.site.nursery, surgeries[:2]
    admins.change(holds=False)
    people.decide(first, first.patients[:FEW], consent=True)
    frozen = nursery.start(limit=FEW, freezes_at=hooks.BEFORE)
    wait_until(lambda: frozen.is_frozen, 30, "a sender frozen with the fence in hand")
    with ThreadPoolExecutor(1) as beside:
        change = beside.submit(_change_beside, admins)
        wait_until(lambda: _somebody_waits() or change.done(), 30, "a change", every=0.01)
        trial.must(not change.done(), "a change did not wait for a sender with the fence in hand")
        people.decide(second, second.patients[:FEW], consent=True)
        nursery.start(limit=FEW)
        wait_until(lambda: change.done() or _is_taken(second), 30, "a later sender", every=0.01)
        time.sleep(TIME_TO_PASS)
        went = _intended(second)
        frozen.signal(signal.SIGCONT)
        change.result()
    trial.must(not went, f"{went} uploads went past a change that waited")
    nursery.stop_all()


def _change_beside(admins: Switchers) -> Switch:
    """In a thread, which has a connection of its own."""
    from django.db import connection

    try:
        return admins.change(holds=True)
    finally:
        connection.close()


def _somebody_waits() -> bool:
    """Whether a lock is not to be had."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
        return bool(cursor.fetchone()[0])


def _is_taken(surgery: people.Surgery) -> bool:
    """Whether a sender has an upload of theirs in hand."""
    from carerecords.models import UploadJob

    return UploadJob.objects.filter(practice=surgery.practice, state="SENDING").exists()


def _intended(surgery: people.Surgery) -> int:
    """How many of their uploads a sender has decided to send."""
    from spine.models import UploadAttempt

    return UploadAttempt.objects.filter(job__practice=surgery.practice).count()


def feed(surgeries: list[people.Surgery]) -> None:
    """Records change, so that senders do not run out of uploads."""
    for surgery in surgeries:
        if people.open_jobs() < JOBS_KEPT_DUE:
            people.ask_for_updates(surgery, surgery.patients)


def all_goes_on(trial: Trial, admins: Switchers) -> None:
    """The hold ends: every upload that was held goes, and nobody consents again."""
    from carerecords.models import UploadJob
    from consent.models import ConsentEvent

    consents = ConsentEvent.objects.count()
    admins.change(holds=False)
    trial.site.nursery.start(sends=2, recovers=1)
    held = UploadJob.objects.filter(finished_at=None).count()
    took = wait_until(lambda: people.open_jobs() == 0, 60, "held uploads go once nothing holds them")
    trial.figure(f"{held} held uploads went {took:.1f} s after the hold ended")
    trial.must(ConsentEvent.objects.count() == consents, "consents were asked for again")
