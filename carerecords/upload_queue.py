"""Verbs that ask for an upload or a withdrawal. Each runs in the transaction that causes it.

The caller holds the patient's row lock (`PatientQuerySet.lock`), so at most one such verb runs
for a patient at a time; the constraint of one open job a patient stands behind it.
"""

import datetime
from collections.abc import Sequence

from django.db import connection

from carerecords import doorbell
from carerecords.models import Cause, JobKind, JobState, Patient, UploadJob, User
from carerecords.models.upload_job import BUSY_STATES

# Codes of `spine.reasons.Reason`, which the ground may not import; a test compares them.
WAITING_FOR_UNDO = "consent.waiting"
SUPERSEDED = "job.superseded"
NOTHING_ASKED = "job.undone"
PATIENT_LEFT = "patient.left"

_INSERT = """
INSERT INTO carerecords_uploadjob (public_id, patient_id, practice_id, kind, state, cause, requested_at,
    requested_by_id, due_at, reasons, headline)
SELECT gen_random_uuid(), id, practice_id, %(kind)s, %(state)s, %(cause)s, %(at)s, %(by)s, %(due_at)s,
    %(reasons)s::varchar[], ''
FROM carerecords_patient WHERE id = ANY(%(patients)s) ORDER BY id
"""

# Each patient is looked up by index, whatever the planner takes the table for: jobs come in by the ten
# thousand, and until they are counted a filter on their state looks cheap and reads all of them.
_OPEN = """
SELECT found.id FROM unnest(%(patients)s::bigint[]) AS asked (patient_id) CROSS JOIN LATERAL
    (SELECT id FROM carerecords_uploadjob
     WHERE patient_id = asked.patient_id AND state IN ('WAITING', 'HELD') LIMIT 1) AS found
"""
# `IS TRUE` keeps the planner from reading all that is open, as above. The state is looked at once more, since
# a worker may have claimed the job meanwhile.
_CANCEL = """
UPDATE carerecords_uploadjob
SET state = 'CANCELLED', finished_at = %(at)s, due_at = NULL, reasons = %(reasons)s::varchar[], headline = ''
WHERE id = ANY(%(jobs)s) AND (state IN ('WAITING', 'HELD')) IS TRUE
"""
_CANCEL_UNLESS_WITHDRAWAL = _CANCEL + "AND kind <> 'WITHDRAWAL'"
_ASK_AGAIN = """
UPDATE carerecords_uploadjob SET state = 'WAITING', due_at = %(at)s
WHERE id = ANY(%(jobs)s) AND (state = 'HELD') IS TRUE
"""

# The last job of each patient that left, or may have.
# `OFFSET 0`: by the patient's own jobs, of which there are few, and not by the practice's of these states.
_LEFT_LAST = """
SELECT asked.patient_id, job.kind FROM unnest(%(patients)s::bigint[]) AS asked (patient_id) CROSS JOIN LATERAL
    (SELECT kind FROM (SELECT id, kind, state, may_have_arrived FROM carerecords_uploadjob
                       WHERE patient_id = asked.patient_id ORDER BY id DESC OFFSET 0) AS theirs
     WHERE state = ANY(%(left)s::varchar[]) OR may_have_arrived ORDER BY id DESC LIMIT 1) AS job
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


def request_notices(
    patient_ids: Sequence[int], *, cause: Cause, by: User | None, at: datetime.datetime
) -> None:
    """An open notice for each patient, due at once; an open upload is cancelled by it."""
    _request_many(patient_ids, JobKind.NOTICE, cause=cause, by=by, at=at, due_at=at)


def cancel_open_many(patient_ids: Sequence[int], *, reason: str, at: datetime.datetime) -> int:
    """`cancel_open` for many; returns how many jobs that was."""
    if not patient_ids:
        return 0
    return _change_open(_CANCEL, patient_ids, at=at, reasons=[reason])


def cancel_of_former_practice(patient_ids: Sequence[int], *, at: datetime.datetime) -> int:
    """Ends what a practice asked for and has not begun, now that the patients have moved to another.

    It would be sent under the former practice's fence and say what that one asked for. Not a withdrawal:
    what the patient refused has to go, whoever asked. Returns how many jobs that was.
    """
    if not patient_ids:
        return 0
    return _change_open(_CANCEL_UNLESS_WITHDRAWAL, patient_ids, at=at, reasons=[PATIENT_LEFT])


def may_be_at_store_many(patient_ids: Sequence[int]) -> list[int]:
    """Those of the patients for whom `may_be_at_store` holds."""
    if not patient_ids:
        return []
    left = [state.value for state in [*BUSY_STATES, JobState.ACCEPTED]]
    with connection.cursor() as cursor:
        cursor.execute(_LEFT_LAST, {"patients": list(patient_ids), "left": left})
        return [patient for patient, kind in cursor.fetchall() if kind != JobKind.WITHDRAWAL]


def note_may_have_arrived(job_ids: Sequence[int]) -> None:
    """Keeps of jobs, whatever becomes of them, that the store does not tell whether a message of theirs arrived."""
    UploadJob.objects.filter(pk__in=job_ids).update(may_have_arrived=True)


def ask_again_many(patient_ids: Sequence[int], *, at: datetime.datetime) -> int:
    """Makes held jobs due, because a fact about their patients changed; returns how many that was."""
    if not patient_ids:
        return 0
    changed = _change_open(_ASK_AGAIN, patient_ids, at=at)
    if changed:
        doorbell.ring_after_commit()
    return changed


def ask_again(patient: Patient, *, at: datetime.datetime) -> int:
    """`ask_again_many` for one; returns 0 or 1."""
    return ask_again_many([patient.pk], at=at)


def may_be_at_store(patient: Patient) -> bool:
    """Whether a summary that we sent may be at the store: the last job that left, or may have, was no withdrawal."""
    return bool(may_be_at_store_many([patient.pk]))


def _change_open(statement: str, patient_ids: Sequence[int], **values: datetime.datetime | list[str]) -> int:
    """Runs the statement for the open jobs of these patients; returns how many it changed."""
    with connection.cursor() as cursor:
        cursor.execute(_OPEN, {"patients": list(patient_ids)})
        jobs = [job for (job,) in cursor.fetchall()]
        if not jobs:
            return 0
        cursor.execute(statement, {"jobs": jobs, **values})
        return cursor.rowcount


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
