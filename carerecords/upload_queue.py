"""Verbs that ask for an upload or a withdrawal. Each runs in the transaction that causes it.

The caller holds the patient's row lock (`PatientQuerySet.lock`), so at most one such verb runs
for a patient at a time; the constraint of one open job a patient stands behind it.
"""

import datetime

from carerecords import doorbell
from carerecords.models import Cause, JobKind, JobState, Patient, UploadJob, User
from carerecords.models.upload_job import BUSY_STATES, OPEN_STATES

# Codes of `spine.reasons.Reason`, which the ground may not import; a test compares them.
WAITING_FOR_UNDO = "consent.waiting"
SUPERSEDED = "job.superseded"
NOTHING_ASKED = "job.undone"


def request_upload(
    patient: Patient,
    *,
    cause: Cause,
    by: User | None,
    at: datetime.datetime,
    not_before: datetime.datetime,
) -> UploadJob:
    """An open upload job for the patient, due at `not_before`; an open one is used again."""
    return _request(patient, JobKind.UPLOAD, cause=cause, by=by, at=at, due_at=not_before)


def request_withdrawal(
    patient: Patient, *, cause: Cause, by: User | None, at: datetime.datetime
) -> UploadJob:
    """An open withdrawal for the patient, due at once; an open upload is cancelled by it."""
    return _request(patient, JobKind.WITHDRAWAL, cause=cause, by=by, at=at, due_at=at)


def cancel_open(patient: Patient, *, reason: str, at: datetime.datetime) -> int:
    """Ends what has not begun; returns how many jobs that was (0 or 1)."""
    return UploadJob.objects.filter(patient=patient, state__in=OPEN_STATES).update(
        state=JobState.CANCELLED,
        finished_at=at,
        due_at=None,
        reasons=[reason],
        headline="",
    )


def ask_again(patient: Patient, *, at: datetime.datetime) -> int:
    """Makes a held job due, because a fact about its patient changed; returns 0 or 1."""
    changed = UploadJob.objects.filter(patient=patient, state=JobState.HELD).update(
        state=JobState.WAITING, due_at=at
    )
    if changed:
        doorbell.ring_after_commit()
    return changed


def may_be_at_store(patient: Patient) -> bool:
    """Whether a summary that we sent may be at the store: the last job that left was an upload."""
    last = (
        UploadJob.objects.filter(patient=patient, state__in=[*BUSY_STATES, JobState.ACCEPTED])
        .order_by("-id")
        .values_list("kind", flat=True)
        .first()
    )
    return last == JobKind.UPLOAD


def _request(
    patient: Patient,
    kind: JobKind,
    *,
    cause: Cause,
    by: User | None,
    at: datetime.datetime,
    due_at: datetime.datetime,
) -> UploadJob:
    cancel_open(patient, reason=SUPERSEDED, at=at)
    job = UploadJob.objects.create(
        patient=patient,
        practice_id=patient.practice_id,
        kind=kind,
        cause=cause,
        requested_at=at,
        requested_by=by,
        due_at=due_at,
        reasons=[WAITING_FOR_UNDO] if due_at > at else [],
    )
    doorbell.ring_after_commit()
    return job
