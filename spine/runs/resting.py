"""Uploads of runs that rest: what a worker claimed and must not send, because its run is paused or over,
or because it is outside the run's hours. One query a batch, by the job, and where any rests three more.

A removal never rests: nothing may make it wait.
"""

import datetime
from collections.abc import Sequence

from django.utils import timezone

from carerecords.many_rows import Flat
from carerecords.models import JobKind, JobState
from spine.reasons import Reason
from spine.runs.codes import RunState
from spine.runs.hours import SendingHours, When
from spine.runs.models import SendingRow
from spine.sending.claims import Claimed
from spine.sending.outcomes import after_resting
from spine.sending.settling import Settled, settle

_REASONS = {RunState.PAUSED: Reason.JOB_PAUSED, RunState.CANCELLED: Reason.JOB_RUN_CANCELLED}
_RUNS = Flat(
    lambda: SendingRow.objects.values_list("job_id", "run__state", "run__hours", "run__opens", "run__closes")
)


def lay_aside(taken: Sequence[Claimed], at: datetime.datetime) -> list[Claimed]:
    """Puts back or ends those of the claimed jobs whose run rests; returns the others.

    What is laid aside for a pause of a run that is cancelled meanwhile ends with it (`spine.sending.settling`).
    """
    jobs, resting = apart(taken, at)
    settle(resting, at=at)
    return jobs


def apart(jobs: Sequence[Claimed], at: datetime.datetime) -> tuple[list[Claimed], list[Settled]]:
    """The jobs that may be looked at, and what becomes of those that rest."""
    runs = {
        job_id: (RunState(state), SendingHours(When(when), opens, closes))
        for job_id, state, when, opens, closes in _RUNS.rows(
            job.job_id for job in jobs if job.kind != JobKind.WITHDRAWAL
        )
    }
    local = timezone.localtime(at)
    rests = {job.job_id: _rest(job, *runs[job.job_id], local) for job in jobs if job.job_id in runs}
    resting = [rest for rest in rests.values() if rest is not None]
    return [job for job in jobs if rests.get(job.job_id) is None], resting


def _rest(job: Claimed, state: RunState, hours: SendingHours, local: datetime.datetime) -> Settled | None:
    if reason := _REASONS.get(state):
        over = state is RunState.CANCELLED
        return after_resting(job, JobState.CANCELLED if over else JobState.WAITING, reason, due_at=None)
    # Also once it has finished: what was held goes later, and in its hours.
    if not hours.is_open(local):
        return after_resting(job, JobState.WAITING, Reason.JOB_HOURS, due_at=hours.next_opening(local))
    return None
