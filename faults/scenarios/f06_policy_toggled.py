"""F6: the policy switched 1,000 times at random moments, all uploads stopped, flapped; 2 to 32 senders."""

import threading
import time
from collections.abc import Callable, Iterator
from functools import partial

from bench.switches import Switch, Switchers
from faults import people
from faults.trial import Trial, spread

TOGGLES, STOPS, FLAPS = 1000, 40, 100
SENDERS = (2, 4, 8, 16, 32)
ANSWER_SECONDS = 0.03
BATCH = 4
# A change waits for sends in flight, and those end by then (`spine.pipeline`).
MARGIN = 1.0
JOBS_KEPT_DUE = 120


def run(trial: Trial) -> None:
    from spine.pipeline import QUIET_SECONDS

    surgeries = people.surgeries(4, 60)
    admins = Switchers()
    _answer(surgeries[3], "DO_NOT_FOLLOW")
    for surgery in surgeries:
        people.decide(surgery, surgery.patients, consent=True)
    trial.site.order_fault("delay", target="any", seconds=ANSWER_SECONDS)
    limit = QUIET_SECONDS + MARGIN
    made: list[Switch] = []
    counts = SENDERS if trial.size >= 0.5 else SENDERS[-2:-1]
    with _Feeder(surgeries):
        for count in counts:
            _at_work(trial, count)
            for switch in _switches(trial, admins, len(counts)):
                made.append(switch())
                if made[-1].waited > limit:
                    break
            if not trial.before.tables:
                trial.keep()
            trial.site.nursery.stop_all()
    trial.site.clear_faults()
    holding = [one for one in made if one.holds]
    trial.inject(
        f"{len(made)} changes that commit ({len(holding)} hold uploads), {', '.join(map(str, counts))} senders in turn"
    )
    trial.figure(f"a change waits {spread([one.waited for one in holding])}")
    trial.within("the longest wait of a change", max(one.waited for one in made), limit)
    trial.figure(f"from click to commit {spread([one.took for one in made])}")
    _all_goes_on(trial, admins)


def _at_work(trial: Trial, senders: int) -> None:
    processes = min(senders, 4)
    for _ in range(processes):
        trial.site.nursery.start(sends=senders // processes, limit=BATCH, rest=0.02)
    trial.site.nursery.start(sends=0, recovers=1)


def _switches(trial: Trial, admins: Switchers, parts: int) -> Iterator[Callable[[], Switch]]:
    """One after the other, most with a random pause after it; the last ones without any."""
    for number in range(trial.times(TOGGLES // parts, least=8)):
        yield partial(admins.change, holds=number % 2 == 0)
        time.sleep(trial.dice.uniform(0, 0.08))
    for _ in range(trial.times(STOPS // parts)):
        for step in (admins.stop, admins.resume):
            yield step
            time.sleep(trial.dice.uniform(0, 0.08))
    for number in range(trial.times(FLAPS // parts, least=4)):
        yield partial(admins.change, holds=number % 2 == 0)


def _all_goes_on(trial: Trial, admins: Switchers) -> None:
    """The hold ends: every upload that was held goes, and nobody consents again."""
    from carerecords.models import UploadJob
    from consent.models import ConsentEvent
    from faults.site import wait_until

    consents = ConsentEvent.objects.count()
    admins.change(holds=False)
    trial.site.nursery.start(sends=2, recovers=1)
    held = UploadJob.objects.filter(finished_at=None).count()
    took = wait_until(lambda: people.open_jobs() == 0, 60, "held uploads go once nothing holds them")
    trial.figure(f"{held} held uploads went {took:.1f} s after the hold ended")
    trial.must(ConsentEvent.objects.count() == consents, "consents were asked for again")


def _answer(surgery: people.Surgery, stance: str) -> None:
    from django.utils import timezone

    from boycott.actions import set_stance
    from boycott.positions import Stance

    now = timezone.now()
    set_stance(
        practice=surgery.practice,
        stance=Stance[stance],
        agreed_by="The partners",
        agreed_on=timezone.localdate(now),
        by=surgery.manager,
        at=now,
    )


class _Feeder(threading.Thread):
    """Records change all the while, so that senders never run out of uploads."""

    def __init__(self, surgeries: list[people.Surgery]) -> None:
        super().__init__()
        self._surgeries = surgeries
        self._over = threading.Event()
        self.error: BaseException | None = None

    def __enter__(self) -> None:
        self.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()
        if self.error:
            raise self.error

    def run(self) -> None:
        from django.db import connection

        try:
            while not self._over.is_set():
                for surgery in self._surgeries:
                    if people.open_jobs() < JOBS_KEPT_DUE:
                        people.ask_for_updates(surgery, surgery.patients)
                self._over.wait(0.05)
        except BaseException as error:  # noqa: BLE001 - raised where it was started
            self.error = error
        finally:
            connection.close()
