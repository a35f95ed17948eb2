"""F9: one record in a hundred cannot be put into a message, and one is too large; the others are unhurt."""

import time
from statistics import median

from faults import people
from faults.site import wait_until
from faults.trial import Trial

ROUNDS, ONE_IN = 7, 100
# Entries of a record whose message is larger than the store takes.
TOO_MANY = 4000
# The others are sent at nine tenths of their speed, at least.
SLOWER = 1 / 0.9


def run(trial: Trial) -> None:
    from carerecords.models import Patient, UploadJob

    number = trial.times(400, least=200)
    clean, poisoned = people.surgeries(2, number)
    bad = trial.dice.sample(poisoned.patients, number // ONE_IN)
    Patient.objects.filter(pk__in=bad).update(usual_gp=None)
    large = next(one for one in poisoned.patients if one not in bad)
    people.fatten(large, TOO_MANY)
    trial.site.nursery.start(sends=1, recovers=1)
    for surgery in (clean, poisoned):
        people.decide(surgery, surgery.patients, consent=True)
        wait_until(_nothing_due, 120, "all sent once")
    failed = set(UploadJob.objects.filter(state="FAILED").values_list("patient", "reasons__0"))
    wanted = {(one, "tech.unwritten") for one in bad} | {(large, "tech.too_large")}
    trial.must(failed == wanted, f"{len(failed)} uploads failed, {len(wanted)} should")
    # It has shown what becomes of it; its four thousand entries would be read in each round.
    some = [one for one in poisoned.patients if one != large][: number - 1]
    trial.keep()
    beside = [_times_as_long(clean, poisoned, some, first=bool(turn % 2)) for turn in range(ROUNDS)]
    trial.inject(f"{len(bad)} of {number} records without anybody to sign, one with {TOO_MANY:,} entries")
    trial.within("the others, beside a queue without", median(beside), SLOWER, "times the time")


def _times_as_long(clean: people.Surgery, poisoned: people.Surgery, some: list[int], *, first: bool) -> float:
    """One round of each, the poisoned one first or last. Only a round's own: records grow with each, and so does the time."""
    if first:
        beside = _took(poisoned, some)
        return beside / _took(clean, clean.patients[: len(some)])
    best = _took(clean, clean.patients[: len(some)])
    return _took(poisoned, some) / best


def _took(surgery: people.Surgery, patients: list[int]) -> float:
    people.ask_for_updates(surgery, patients)
    began = time.monotonic()
    wait_until(_nothing_due, 120, "all sent", every=0.01)
    return time.monotonic() - began


def _nothing_due() -> bool:
    return people.open_jobs() == 0
