"""Verbs that ask for an upload or a withdrawal. Each runs in the transaction that causes it.

The caller holds the patient's row lock (`PatientQuerySet.lock`), so at most one such verb runs
for a patient at a time; the constraint of one open job a patient stands behind it.
"""

import datetime
from collections.abc import Sequence

from django.db import connection

from carerecords import doorbell
from carerecords.models import Cause, JobKind, JobState, Patient, UploadJob, User
from carerecords.models.upload_job import BUSY_STATES, OPEN_STATES

# Codes of `spine.reasons.Reason`, which the ground may not import; a test compares them.
WAITING_FOR_UNDO = "consent.waiting"
SUPERSEDED = "job.superseded"
NOTHING_ASKED = "job.undone"

_INSERT = """
INSERT INTO carerecords_uploadjob (public_id, patient_id, practice_id, kind, state, cause, requested_at,
    requested_by_id, due_at, reasons, headline)
SELECT gen_random_uuid(), id, practice_id, %(kind)s, %(state)s, %(cause)s, %(at)s, %(by)s, %(due_at)s,
    %(reasons)s::varchar[], ''
FROM carerecords_patient WHERE id = ANY(%(patients)s) ORDER BY id
"""

# Arrays, since thousands of ids as parameters of an IN take longer to read than to look up.
_CANCEL = """
UPDATE carerecords_uploadjob
SET state = %(cancelled)s, finished_at = %(at)s, due_at = NULL, reasons = %(reasons)s::varchar[], headline = ''
WHERE patient_id = ANY(%(patients)s) AND state = ANY(%(open)s::varchar[])
"""

# The last job of each patient that left, or may have.
_LEFT_LAST = """
SELECT DISTINCT ON (patient_id) patient_id, kind FROM carerecords_uploadjob
WHERE patient_id = ANY(%(patients)s) AND state = ANY(%(left)s::varchar[]) ORDER BY patient_id, id DESC
"""


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
    return cancel_open_many([patient.pk], reason=reason, at=at)


def request_uploads(
    patient_ids: Sequence[int],
    *,
    cause: Cause,
    by: User | None,
    at: datetime.datetime,
    not_before: datetime.datetime,
) -> None:
    """`request_upload` for many, in two statements."""
    _request_many(patient_ids, JobKind.UPLOAD, cause=cause, by=by, at=at, due_at=not_before)


def request_withdrawals(
    patient_ids: Sequence[int], *, cause: Cause, by: User | None, at: datetime.datetime
) -> None:
    """`request_withdrawal` for many, in two statements."""
    _request_many(patient_ids, JobKind.WITHDRAWAL, cause=cause, by=by, at=at, due_at=at)


def cancel_open_many(patient_ids: Sequence[int], *, reason: str, at: datetime.datetime) -> int:
    """`cancel_open` for many; returns how many jobs that was."""
    if not patient_ids:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            _CANCEL,
            {
                "cancelled": JobState.CANCELLED.value,
                "at": at,
                "reasons": [reason],
                "patients": list(patient_ids),
                "open": [state.value for state in OPEN_STATES],
            },
        )
        return cursor.rowcount


def may_be_at_store_many(patient_ids: Sequence[int]) -> list[int]:
    """Those of the patients for whom `may_be_at_store` holds."""
    if not patient_ids:
        return []
    left = [state.value for state in [*BUSY_STATES, JobState.ACCEPTED]]
    with connection.cursor() as cursor:
        cursor.execute(_LEFT_LAST, {"patients": list(patient_ids), "left": left})
        return [patient for patient, kind in cursor.fetchall() if kind == JobKind.UPLOAD]


def ask_again_many(patient_ids: Sequence[int], *, at: datetime.datetime) -> int:
    """`ask_again` for many."""
    changed = UploadJob.objects.filter(patient__in=patient_ids, state=JobState.HELD).update(
        state=JobState.WAITING, due_at=at
    )
    if changed:
        doorbell.ring_after_commit()
    return changed


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
    return bool(may_be_at_store_many([patient.pk]))


def _request_many(
    patient_ids: Sequence[int],
    kind: JobKind,
    *,
    cause: Cause,
    by: User | None,
    at: datetime.datetime,
    due_at: datetime.datetime,
) -> None:
    if not patient_ids:
        return
    cancel_open_many(patient_ids, reason=SUPERSEDED, at=at)
    with connection.cursor() as cursor:
        cursor.execute(
            _INSERT,
            {
                "patients": list(patient_ids),
                "kind": kind.value,
                "state": JobState.WAITING.value,
                "cause": cause.value,
                "at": at,
                "by": by.pk if by else None,
                "due_at": due_at,
                "reasons": [WAITING_FOR_UNDO] if due_at > at else [],
            },
        )
    doorbell.ring_after_commit()


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
