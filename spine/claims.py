"""Taking due jobs: each worker takes others' leftovers, never the same row.

A claim is a few short statements, each committed at once. It costs what it takes, not what waits:
each runs along a partial index over open jobs, in its order. Jobs of a patient for whom something is on
its way are left alone until that is known.
"""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection

from spine.gate import Kind

_CLAIM = """
WITH due AS ({due})
UPDATE carerecords_uploadjob AS job
SET state = 'SENDING', attempt = job.attempt + 1, lease_until = %(lease_until)s, due_at = NULL
FROM due WHERE job.id = due.id
RETURNING job.id, job.attempt, job.patient_id, job.practice_id, job.kind, job.failures, job.reasons,
          job.requested_at, job.public_id
"""

_FREE = """
NOT EXISTS (SELECT 1 FROM carerecords_uploadjob AS busy
            WHERE busy.patient_id = job.patient_id AND busy.state IN ('SENDING', 'IN_DOUBT'))
"""

# The longest due first.
_DUE = f"""
SELECT job.id FROM carerecords_uploadjob AS job
WHERE job.state IN ('WAITING', 'HELD') AND job.kind = '{{kind}}' AND job.due_at <= %(now)s AND {_FREE}
ORDER BY job.due_at LIMIT %(limit)s FOR UPDATE OF job SKIP LOCKED
"""
_DUE_WITHDRAWALS = _DUE.format(kind=Kind.WITHDRAWAL)
_DUE_UPLOADS = _DUE.format(kind=Kind.UPLOAD)

_HELD_BEFORE_NATIONAL_CHANGE = f"""
SELECT job.id FROM carerecords_uploadjob AS job
WHERE job.state = 'HELD'
  AND job.clock_seen < (SELECT number FROM carerecords_factclock WHERE scope = 0) AND {_FREE}
ORDER BY job.clock_seen LIMIT %(limit)s FOR UPDATE OF job SKIP LOCKED
"""

# Only practices that changed since the oldest held job was asked are looked into.
_HELD_BEFORE_PRACTICE_CHANGE = f"""
SELECT job.id FROM carerecords_factclock AS clock
JOIN carerecords_uploadjob AS job ON job.practice_id = clock.scope AND job.clock_seen < clock.number
WHERE job.state = 'HELD' AND clock.scope <> 0
  AND clock.number > (SELECT min(clock_seen) FROM carerecords_uploadjob WHERE state = 'HELD')
  AND {_FREE}
LIMIT %(limit)s FOR UPDATE OF job SKIP LOCKED
"""

# The lock keeps them this worker's until its intents are committed.
_STILL_HELD = """
SELECT job.id FROM carerecords_uploadjob AS job
JOIN unnest(%(ids)s::bigint[], %(attempts)s::int[]) AS mine (id, attempt)
  ON job.id = mine.id AND job.attempt = mine.attempt
WHERE job.state = 'SENDING' ORDER BY job.id FOR NO KEY UPDATE OF job
"""


# Withdrawals first: nothing may make them wait.
_IN_TURN = (_DUE_WITHDRAWALS, _DUE_UPLOADS, _HELD_BEFORE_NATIONAL_CHANGE, _HELD_BEFORE_PRACTICE_CHANGE)


@dataclass(frozen=True)
class Claimed:
    """A job in this worker's hands until its lease ends."""

    job_id: int
    attempt: int
    patient_id: int
    practice_id: int
    kind: Kind
    failures: int
    reasons: tuple[str, ...]
    requested_at: datetime.datetime
    public_id: str


def claim(*, limit: int, now: datetime.datetime, lease: datetime.timedelta) -> list[Claimed]:
    """Up to `limit` jobs that are due, or that were held before a fact they cite changed."""
    claimed: list[Claimed] = []
    for due in _IN_TURN:
        if len(claimed) < limit:
            claimed += _take(due, limit - len(claimed), now, lease)
    return claimed


def still_held(jobs: Sequence[Claimed]) -> list[Claimed]:
    """Those of the jobs that nobody took back since: a worker that was frozen sends no other's job."""
    with connection.cursor() as cursor:
        cursor.execute(
            _STILL_HELD, {"ids": [job.job_id for job in jobs], "attempts": [job.attempt for job in jobs]}
        )
        held = {job_id for (job_id,) in cursor.fetchall()}
    return [job for job in jobs if job.job_id in held]


def _take(due: str, limit: int, now: datetime.datetime, lease: datetime.timedelta) -> list[Claimed]:
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM.format(due=due), {"limit": limit, "now": now, "lease_until": now + lease})
        return [_claimed(row) for row in cursor.fetchall()]


def _claimed(row: Sequence) -> Claimed:
    job_id, attempt, patient_id, practice_id, kind, failures, reasons, requested_at, public_id = row
    return Claimed(
        job_id,
        attempt,
        patient_id,
        practice_id,
        Kind(kind),
        failures,
        tuple(reasons),
        requested_at,
        str(public_id),
    )
