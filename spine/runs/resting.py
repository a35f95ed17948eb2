"""Uploads of runs that rest: what a worker claimed and must not send, because its run is paused or over,
or because it is outside the run's hours. One query a batch, by the job.

A removal never rests: nothing may make it wait.
"""

import datetime
from collections.abc import Sequence

from django.utils import timezone

from carerecords.models import JobKind, JobState
from spine.claims import Claimed
from spine.outcomes import after_resting
from spine.reasons import Reason
from spine.runs.codes import RunState
from spine.runs.models import SendingRow, SendingRun
from spine.settling import Settled

_REASONS = {RunState.PAUSED: Reason.JOB_PAUSED, RunState.CANCELLED: Reason.JOB_RUN_CANCELLED}


def apart(jobs: Sequence[Claimed], at: datetime.datetime) -> tuple[list[Claimed], list[Settled]]:
    """The jobs that may be looked at, and what becomes of those that rest."""
    uploads = [job.job_id for job in jobs if job.kind != JobKind.WITHDRAWAL]
    rows = SendingRow.objects.filter(job__in=uploads).select_related("run")
    run_of = {row.job_id: row.run for row in rows}
    awake, resting = [], []
    for job in jobs:
        rest = _rest(job, run_of[job.job_id], at) if job.job_id in run_of else None
        if rest is None:
            awake.append(job)
        else:
            resting.append(rest)
    return awake, resting


def _rest(job: Claimed, run: SendingRun, at: datetime.datetime) -> Settled | None:
    if reason := _REASONS.get(RunState(run.state)):
        state = JobState.CANCELLED if run.state == RunState.CANCELLED else JobState.WAITING
        return after_resting(job, state, reason, due_at=None)
    local = timezone.localtime(at)
    if run.state == RunState.RUNNING and not run.sending_hours.is_open(local):
        opening = run.sending_hours.next_opening(local)
        return after_resting(job, JobState.WAITING, Reason.JOB_HOURS, due_at=opening)
    return None
