"""F7: consents withdrawn, 10,000 in all, between asking and sending, between claim and send, and while a try is waited for."""

import time

from faults import people
from faults.site import wait_until
from faults.trial import Trial, spread

WITHDRAWALS, LARGEST_SET = 10_000, 40
SENDERS, BATCH = 8, 8
ANSWER_SECONDS = 0.05
# So long for an upload to be on its way, before others are chosen.
PATIENCE = 0.5
# So many messages the store cannot take: their patients may change their minds before the next try.
NOT_TAKEN, RUNG = 0.1, 2.0
# A withdrawal waits for its patients' batch, which ends by then (`spine.sending.pipeline`); then it has to commit.
MARGIN = 1.0


def run(trial: Trial) -> None:
    from spine.sending.pipeline import QUIET_SECONDS

    site, dice = trial.site, trial.dice
    surgeries = people.surgeries(3, trial.times(300, least=100))
    for surgery in surgeries:
        people.decide(surgery, surgery.patients, consent=True)
    site.order_fault("delay", target="find", seconds=ANSWER_SECONDS)
    site.order_fault("html_503", probability=NOT_TAKEN, seed=dice.randrange(10**6))
    site.order_fault("delay", seconds=ANSWER_SECONDS)
    for _ in range(2):
        site.nursery.start(sends=SENDERS // 2, limit=BATCH, rest=0.01, ladder=RUNG)
    site.nursery.start(sends=0, recovers=1, ladder=RUNG)
    wanted, done, took, caught = (
        trial.times(WITHDRAWALS, least=300),
        0,
        [],
        {"WAITING": 0, "SENDING": 0, "retry": 0},
    )
    while done < wanted:
        surgery = dice.choice(surgeries)
        some = _some(trial, surgery)
        _count(some, caught)
        began = time.monotonic()
        people.decide(surgery, some, consent=False)
        took.append(time.monotonic() - began)
        done += len(some)
        time.sleep(dice.uniform(0, 0.03))
        people.decide(surgery, dice.sample(some, len(some) * 3 // 4), consent=True)
        if not trial.before.tables and done > wanted // 2:
            trial.keep()
    site.clear_faults()
    trial.inject(
        f"{done} withdrawals in {len(took)} sets: {caught['WAITING']} of uploads that waited, {caught['retry']} of them "
        f"for another try, {caught['SENDING']} that were in a sender's hands"
    )
    trial.figure(f"a set of withdrawals takes {spread(took)}")
    trial.within("the longest", max(took), QUIET_SECONDS + MARGIN)
    wait_until(lambda: people.open_jobs() == 0, 60, "every upload and withdrawal at its end")


def _some(trial: Trial, surgery: people.Surgery) -> list[int]:
    """Any patients of the practice; every other time some whose upload is on its way just now."""
    from django.db.models import F

    from spine.models import UploadAttempt

    number = trial.dice.randint(1, LARGEST_SET)
    if trial.dice.random() < 0.5:
        on_their_way = UploadAttempt.objects.filter(
            job__practice=surgery.practice,
            job__kind="UPLOAD",
            job__state="SENDING",
            attempt=F("job__attempt"),
        )
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if ids := list(on_their_way.values_list("job__patient", flat=True)[:number]):
                return ids
            time.sleep(0.005)
    return trial.dice.sample(surgery.patients, number)


def _count(patients: list[int], caught: dict[str, int]) -> None:
    """Where the uploads of those who are about to withdraw are at that moment."""
    from carerecords.models import UploadJob

    jobs = UploadJob.objects.filter(patient__in=patients, kind="UPLOAD", finished_at=None)
    for state, failures in jobs.values_list("state", "failures"):
        caught[state] = caught.get(state, 0) + 1
        caught["retry"] += state == "WAITING" and failures > 0
