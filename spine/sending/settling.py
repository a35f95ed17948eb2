"""Writing what became of claimed jobs: one statement for a whole batch.

Every write compares the attempt number, so a worker that was frozen past its lease overwrites
nothing. A job that would wait again while a newer one is open for its patient ends instead: the
newer request took its place. So does one whose run was cancelled while a worker had it in hand: whoever
cancels a run ends what waits and does not wait for workers.
"""

import datetime
from collections.abc import Iterable
from typing import Any, NamedTuple

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from carerecords import fence
from carerecords.many_rows import integers, texts
from carerecords.models import JobState
from carerecords.models.upload_job import OPEN_STATES
from spine.reasons import Reason
from spine.runs.cancelled import keep_runs

FINISHED = {JobState.ACCEPTED, JobState.CANCELLED, JobState.FAILED}

# `OFFSET 0`: a look-up for each job, whatever the planner believes of how many are open.
_SETTLE = """
UPDATE carerecords_uploadjob AS job
SET state = CASE WHEN newer.id IS NULL THEN new.state ELSE 'CANCELLED' END,
    due_at = CASE WHEN newer.id IS NULL THEN new.due_at END,
    reasons = CASE WHEN newer.id IS NULL THEN string_to_array(new.reasons, ',') ELSE ARRAY[%(superseded)s] END,
    headline = CASE WHEN newer.id IS NULL THEN new.headline ELSE %(superseded_headline)s END,
    failures = new.failures,
    clock_seen = greatest(job.clock_seen, new.clock_seen),
    finished_at = CASE WHEN newer.id IS NOT NULL OR new.finished THEN %(at)s END,
    lease_until = NULL
FROM unnest(%(ids)s::bigint[], %(attempts)s::int[], %(patients)s::bigint[], %(states)s::text[],
            %(dues)s::timestamptz[], %(reasons)s::text[], %(headlines)s::text[], %(failures)s::int[],
            %(clocks)s::bigint[], %(finished)s::bool[])
     AS new (id, attempt, patient_id, state, due_at, reasons, headline, failures, clock_seen, finished)
LEFT JOIN LATERAL (
    SELECT other.id FROM carerecords_uploadjob AS other
    WHERE other.patient_id = new.patient_id AND other.state IN ('WAITING', 'HELD') AND other.id <> new.id
      AND new.state IN ('WAITING', 'HELD') OFFSET 0
) AS newer ON true
WHERE job.id = new.id AND job.attempt = new.attempt AND job.state IN ('SENDING', 'IN_DOUBT')
RETURNING job.id
"""


class Settled(NamedTuple):
    """The new state of one claimed job."""

    job_id: int
    attempt: int
    patient_id: int
    state: JobState
    reasons: tuple[Reason, ...] = ()
    due_at: datetime.datetime | None = None
    failures: int = 0
    clock_seen: int = 0


def settle(outcomes: Iterable[Settled], *, at: datetime.datetime) -> set[int]:
    """Writes the states; returns the ids of the jobs that were still this worker's.

    Runs inside the caller's transaction and keeps the patients' decisions still meanwhile, so that
    no newer job can appear between the look and the write.
    """
    rows = list(outcomes)
    if not rows:
        return set()
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        fence.keep_patients(cursor, (row.patient_id for row in rows))
        cursor.execute(_SETTLE, _columns(_ending_with_their_runs(cursor, rows), at))
        return {job_id for (job_id,) in cursor.fetchall()}


def _ending_with_their_runs(cursor: CursorWrapper, rows: list[Settled]) -> list[Settled]:
    """The same outcomes, but nothing opens again of a run that is cancelled."""
    reopened = [row.job_id for row in rows if row.state in OPEN_STATES]
    if not reopened:
        return rows
    over = keep_runs(cursor, reopened)
    return [_cancelled(row) if row.job_id in over else row for row in rows]


def _cancelled(row: Settled) -> Settled:
    return row._replace(state=JobState.CANCELLED, reasons=(Reason.JOB_RUN_CANCELLED,), due_at=None)


def _columns(rows: list[Settled], at: datetime.datetime) -> dict[str, Any]:
    return {
        "at": at,
        "superseded": Reason.JOB_SUPERSEDED.code,
        "superseded_headline": Reason.JOB_SUPERSEDED.sentence,
        "ids": integers(row.job_id for row in rows),
        "attempts": integers(row.attempt for row in rows),
        "patients": integers(row.patient_id for row in rows),
        "states": texts(row.state for row in rows),
        "dues": texts(row.due_at for row in rows),
        "reasons": texts(",".join(reason.code for reason in row.reasons) for row in rows),
        "headlines": texts(row.reasons[0].sentence if row.reasons else "" for row in rows),
        "failures": integers(row.failures for row in rows),
        "clocks": integers(row.clock_seen for row in rows),
        "finished": texts(row.state in FINISHED for row in rows),
    }
