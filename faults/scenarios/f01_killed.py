"""F1: senders killed (kill -9) at five points of a batch, 100 times in all."""

import time
from typing import Any

from faults import hooks, people
from faults.trial import Trial, spread

KILLS, ALIVE, BATCH = 100, 3, 5
JOBS_KEPT_DUE = 40


def run(trial: Trial) -> None:
    from spine.sending import pipeline

    kills = trial.times(KILLS, least=2 * len(hooks.POINTS))
    surgeries = people.surgeries(4, trial.times(150, least=40))
    for surgery in surgeries:
        people.decide(surgery, surgery.patients, consent=True)
    points = [hooks.POINTS[number % len(hooks.POINTS)] for number in range(kills)]
    trial.dice.shuffle(points)
    nursery = trial.site.nursery
    # Those who recover are not killed here: in production each rings again after the kill of another.
    nursery.start(sends=0, recovers=1)
    deaths = _Deaths()
    while points or deaths.awaited:
        deaths.look()
        while points and len(deaths.awaited) < ALIVE:
            _keep_busy(trial, surgeries)
            sender = nursery.start(limit=BATCH, dies_at=points.pop(), nth=trial.dice.randint(1, 2))
            deaths.awaited.append(sender)
        time.sleep(0.05)
    trial.keep()
    limit = pipeline.lease().total_seconds() + 5
    end = time.monotonic() + limit + 10
    nursery.start(sends=2)
    while not deaths.are_over and time.monotonic() < end:
        deaths.look()
        time.sleep(0.1)
    deaths.give_up()
    counted = {point: deaths.points.count(point) for point in hooks.POINTS}
    trial.inject(f"{len(deaths.points)} kills: " + ", ".join(f"{n} {point}" for point, n in counted.items()))
    trial.inject(f"{deaths.jobs} jobs in their hands")
    trial.figure(f"recovered in {spread(deaths.recovered)}")
    trial.within("the slowest recovery", max(deaths.recovered), limit)


def _keep_busy(trial: Trial, surgeries: list[people.Surgery]) -> None:
    """So that whoever is to die finds work, and comes to the point."""
    if people.open_jobs() < JOBS_KEPT_DUE:
        surgery = trial.dice.choice(surgeries)
        people.ask_for_updates(surgery, trial.dice.sample(surgery.patients, JOBS_KEPT_DUE))


class _Deaths:
    """Who died with which jobs, and when each of these was free again."""

    def __init__(self) -> None:
        self.awaited: list[Any] = []
        self.points: list[str] = []
        self.recovered: list[float] = []
        self.jobs = 0
        self._left: list[tuple[float, set[tuple[int, int]]]] = []

    @property
    def are_over(self) -> bool:
        return not self._left

    def look(self) -> None:
        from carerecords.models import UploadJob

        for sender in [one for one in self.awaited if not one.is_alive]:
            self.awaited.remove(sender)
            last = sender.notes()[-1]
            if "died" not in last:
                raise AssertionError(f"A sender ended by itself: {last}")
            jobs = {(job, attempt) for job, attempt in last["jobs"]}
            self.points.append(last["died"])
            self.jobs += len(jobs)
            self._left.append((last["at"], jobs))
        busy = set(UploadJob.objects.filter(state__in=["SENDING", "IN_DOUBT"]).values_list("pk", "attempt"))
        now = time.time()
        self.recovered += [now - at for at, jobs in self._left if not jobs & busy]
        self._left = [(at, jobs) for at, jobs in self._left if jobs & busy]

    def give_up(self) -> None:
        """What is still in dead hands counts as long as it took so far."""
        self.recovered += [time.time() - at for at, _ in self._left]
