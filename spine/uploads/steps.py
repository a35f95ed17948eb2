"""What a person does about an upload that went wrong: try again, or cancel. Each is a step that is kept.

Trying again asks the gate again in the moment before anything is sent, as for any upload. A removal is
tried again and never cancelled: what the patient asked for ends when the Spine has done it. What belongs to a
cancelled run is cancelled and never tried again: whoever claimed it would end it with its run, unsent.
"""

import datetime
from collections.abc import Iterable

from django.db import connection, transaction

from carerecords import doorbell, staffing
from carerecords.models import JobKind, JobState, Patient, Practice, UploadJob, User
from carerecords.models.upload_job import OPEN_STATES
from carerecords.permissions import Permission
from spine.facts import load_one
from spine.gate import Outcome, decide
from spine.models import UploadStep
from spine.reasons import Reason
from spine.runs.cancelled import OF_CANCELLED_RUN, keep_runs
from spine.uploads.queries import not_asked_again

# So many at once: a page waits for the answer.
MOST_AT_ONCE = 1000
# Waits for the Spine, and may be asked for at once.
PUT_OFF = frozenset({Reason.TECH_RETRY.code, Reason.TECH_ACCESS.code})

RUN_CANCELLED = (
    "The run of uploads that it belonged to was cancelled, so it cannot be tried again. "
    "Another run asks for a new upload, and so does a decision recorded on the patient's page"
)


class StepRefused(Exception):
    """Nothing was done; the message says why."""


def why_not_again(job: UploadJob) -> str:
    """Why it is not one to try again, without a full stop; nothing where it failed, or waits because the Spine
    could not take it. One query, where the state alone does not say."""
    put_off = job.state == JobState.WAITING and bool(job.reasons) and job.reasons[0] in PUT_OFF
    if job.state == JobState.ACCEPTED:
        return "This upload was already sent"
    if job.state != JobState.FAILED and not put_off:
        return f"This upload is not one to try again. It is now: {job.get_state_display()}"
    return RUN_CANCELLED if UploadJob.objects.filter(OF_CANCELLED_RUN, pk=job.pk).exists() else ""


def may_cancel(job: UploadJob) -> bool:
    """Whether nothing of it is on its way, and it is no removal that a patient asked for."""
    return job.kind != JobKind.WITHDRAWAL and job.state in [*OPEN_STATES, JobState.FAILED]


@transaction.atomic
def try_again(job: UploadJob, *, by: User, at: datetime.datetime) -> UploadStep:
    """Makes the job due now. Raises `NotPermitted`, or `StepRefused` where it cannot go or was replaced."""
    staffing.require(by, Permission.RETRY_UPLOAD, at)
    job = _locked(job)
    _keep_runs([job.pk])
    if why := why_not_again(job):
        raise StepRefused(why)
    if not not_asked_again(UploadJob.objects.filter(pk=job.pk)).exists():
        raise StepRefused("A later request took the place of this one. Look at that instead")
    if job.kind == JobKind.UPLOAD:
        _refuse_if_over(job.patient, at)
    step = _step(job, UploadStep.Kind.TRIED_AGAIN, by, at)
    job.state, job.due_at, job.finished_at = JobState.WAITING, at, None
    job.failures, job.reasons, job.headline = 0, [], ""
    job.save(update_fields=["state", "due_at", "finished_at", "failures", "reasons", "headline"])
    doorbell.ring_after_commit()
    return step


@transaction.atomic
def cancel(job: UploadJob, *, by: User, at: datetime.datetime) -> UploadStep:
    """Ends an upload that has not begun or that failed. The patient's decision stays as it is."""
    staffing.require(by, Permission.RETRY_UPLOAD, at)
    job = _locked(job)
    if job.kind == JobKind.WITHDRAWAL:
        raise StepRefused("A removal cannot be cancelled. Record what the patient decided instead")
    if not may_cancel(job):
        raise StepRefused(f"This upload can no longer be cancelled. It is now: {job.get_state_display()}")
    step = _step(job, UploadStep.Kind.CANCELLED, by, at)
    job.state, job.due_at, job.finished_at = JobState.CANCELLED, None, at
    job.reasons, job.headline = [Reason.JOB_CANCELLED.code], Reason.JOB_CANCELLED.sentence
    job.save(update_fields=["state", "due_at", "finished_at", "reasons", "headline"])
    return step


_TRY_MANY = """
WITH again AS (
    UPDATE carerecords_uploadjob AS job
    SET state = 'WAITING', due_at = %(at)s, finished_at = NULL, failures = 0, reasons = '{}', headline = ''
    FROM (SELECT id, state, reasons FROM carerecords_uploadjob WHERE id = ANY(%(ids)s) FOR UPDATE) AS was
    WHERE job.id = was.id AND was.state = 'FAILED'
    RETURNING job.id, was.state, was.reasons)
INSERT INTO spine_uploadstep (job_id, kind, state, reasons, made_at, made_by_id)
SELECT id, %(kind)s, state, reasons, %(at)s, %(by)s FROM again ORDER BY id
"""


@transaction.atomic
def try_all_again(
    practice: Practice | None, *, kind: str, reason: str, by: User, at: datetime.datetime
) -> int:
    """Tries again what failed for one cause at a practice, or (None) anywhere; returns how many,
    `MOST_AT_ONCE` at most.

    Each is decided by the gate again before it goes. Five statements, however many there are.
    """
    staffing.require(by, Permission.RETRY_UPLOAD, at)
    failed = UploadJob.objects.filter(~OF_CANCELLED_RUN, state=JobState.FAILED, kind=kind, reasons__0=reason)
    if practice is not None:
        failed = failed.filter(practice=practice)
    found = not_asked_again(failed).order_by("pk").values_list("pk", "patient")[:MOST_AT_ONCE]
    ids = dict(found)
    locked = Patient.objects.filter(pk__in=list(ids.values())).order_by("pk").lock()
    list(locked.values_list("pk", flat=True))
    _keep_runs(ids)
    # Once more under the locks: a decision may have asked for a later one meanwhile, or a run been cancelled.
    still = not_asked_again(failed.filter(pk__in=list(ids))).values_list("pk", flat=True)
    with connection.cursor() as cursor:
        cursor.execute(
            _TRY_MANY, {"ids": list(still), "at": at, "by": by.pk, "kind": UploadStep.Kind.TRIED_AGAIN.value}
        )
        tried = cursor.rowcount
    if tried:
        doorbell.ring_after_commit()
    return tried


def _locked(job: UploadJob) -> UploadJob:
    """The patient first, as every other writer; then the job as it is now."""
    Patient.objects.lock().get(pk=job.patient_id)
    return UploadJob.objects.select_for_update(of=("self",)).select_related("patient").get(pk=job.pk)


def _keep_runs(job_ids: Iterable[int]) -> None:
    """From here on none of their runs is cancelled before this transaction is over, and then what it opened is seen."""
    with connection.cursor() as cursor:
        keep_runs(cursor, job_ids)


def _refuse_if_over(patient: Patient, at: datetime.datetime) -> None:
    decision = decide(load_one(patient, at).facts)
    if decision.outcome is Outcome.CANCEL:
        raise StepRefused(f"{decision.reasons[0].sentence} So it will not be sent")


def _step(job: UploadJob, kind: UploadStep.Kind, by: User, at: datetime.datetime) -> UploadStep:
    return UploadStep.objects.create(
        job=job, kind=kind, state=job.state, reasons=job.reasons, made_at=at, made_by=by
    )
