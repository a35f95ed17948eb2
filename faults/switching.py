"""The policy switched and all uploads stopped at random moments, while records change so that senders always have work."""

import time
from collections.abc import Callable, Iterator
from functools import partial

from bench.switches import Switch, Switchers
from faults import people
from faults.site import wait_until
from faults.trial import Trial

JOBS_KEPT_DUE = 120
# A change waits for sends in flight: six seconds at most (`spine.sending.pipeline`), and here, where the store answers in
# hundredths, much less even on a busy machine. Who waits longer was passed by.
LONGEST_WAIT = 4.0


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
