"""F2: senders frozen (SIGSTOP) past their fence and their lease, the policy switched meanwhile, then thawed."""

import signal
import time

from bench.switches import Switchers
from faults import hooks, people
from faults.site import wait_until
from faults.trial import Trial

# Where they freeze: with the fence in hand but for the first, and with an intent but for the first.
POINTS = ("after the claim", "after the intent", hooks.BEFORE, "after the answers")
BATCH = 3
# So long an upload is on its way while the second half thaws: their jobs are others' by then, and being sent.
ANSWER_SECONDS = 1.5
# Beyond the time after which a frozen sender's fence falls.
MARGIN = 1.0


def run(trial: Trial) -> None:
    from spine.sending import pipeline

    surgeries = people.surgeries(2, trial.times(60, least=40))
    admins, nursery = Switchers(), trial.site.nursery
    for surgery in surgeries:
        people.decide(surgery, surgery.patients, consent=True)
    frozen = [
        nursery.start(limit=BATCH, freezes_at=point)
        for point in POINTS
        for _ in range(trial.times(4, least=2))
    ]
    wait_until(lambda: all(one.is_frozen for one in frozen), 30, "senders frozen")
    held = {job for one in frozen for job, _ in one.notes()[-1]["jobs"]}
    nursery.start(sends=2, recovers=1)
    change = admins.change(holds=True)
    trial.within("a change beside frozen senders", change.took, pipeline.FENCE_TIMEOUT_MS / 1000 + MARGIN)
    for one in frozen[::2]:
        one.signal(signal.SIGCONT)
    trial.keep()
    _lease_over(held)
    trial.site.order_fault("delay", seconds=ANSWER_SECONDS)
    admins.change(holds=False)
    late = frozen[1::2]
    theirs = {job for one in late for job, _ in one.notes()[-1]["jobs"]}
    wait_until(lambda: _taken_over(theirs), 30, "their jobs in the hands of others", every=0.01)
    time.sleep(0.3)
    for one in late:
        one.signal(signal.SIGCONT)
    wait_until(lambda: people.open_jobs() == 0, 60, "every upload at its end")
    trial.site.clear_faults()
    trial.inject(
        f"{len(frozen)} senders frozen at {len(POINTS)} points with {len(held)} jobs, a change meanwhile, thawed"
    )


def _lease_over(jobs: set[int]) -> None:
    """Their work was taken back from them, and the hold keeps it."""
    from carerecords.models import UploadJob

    wait_until(
        lambda: not UploadJob.objects.filter(pk__in=jobs, state__in=["SENDING", "IN_DOUBT"]).exists(),
        60,
        "frozen senders' jobs taken back",
    )


def _taken_over(jobs: set[int]) -> bool:
    from carerecords.models import UploadJob

    return UploadJob.objects.filter(pk__in=jobs, state="SENDING", attempt__gt=1).exists()
