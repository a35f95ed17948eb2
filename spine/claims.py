"""Taking due jobs: each worker takes others' leftovers, never the same row.

A claim is a few short statements, each committed at once. It costs what it takes, not what waits:
each runs along a partial index over open jobs, in its order. Jobs of a patient for whom something is on
its way are left alone until that is known.
"""

import datetime
import math
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection

from carerecords.many_rows import integers
from spine.gate import Kind

_CLAIM = """
WITH due AS MATERIALIZED ({due}){served}
UPDATE carerecords_uploadjob AS job
SET state = 'SENDING', attempt = job.attempt + 1, lease_until = %(lease_until)s, due_at = NULL
FROM due WHERE job.id = due.id
RETURNING job.id, job.attempt, job.patient_id, job.practice_id, job.kind, job.failures, job.reasons,
          job.requested_at, job.public_id, due.due_at
"""
# In the order of practices, so that two claims cannot deadlock.
_SERVED = """,
served AS (
    INSERT INTO spine_practiceturn (practice_id, number)
    SELECT practice_id, nextval('spine_turn') FROM (SELECT DISTINCT practice_id FROM due ORDER BY 1) AS taken
    ON CONFLICT (practice_id) DO UPDATE SET number = excluded.number)
"""
# A practice whose due jobs are all of busy patients gives none, and the next has its turn.
SPARE_TURNS = 16
# A turn is a sixteenth of a large batch: each practice in it costs a lock.
TURNS_A_BATCH = 16

_FREE = """
NOT EXISTS (SELECT 1 FROM carerecords_uploadjob AS busy
            WHERE busy.patient_id = job.patient_id AND busy.state IN ('SENDING', 'IN_DOUBT'))
"""

# Practices in turn, the one first whose turn was longest ago, and in each the longest due first: a
# practice with thousands of jobs does not make one with three wait. `opened` steps from practice to
# practice along the index, so it costs a look-up a practice with jobs to come, however many each has.
# Turns are numbers, since clocks step.
_DUE = f"""
WITH RECURSIVE opened AS (
    (SELECT practice_id, due_at FROM carerecords_uploadjob
     WHERE {{due}} ORDER BY practice_id, due_at LIMIT 1)
    UNION ALL
    SELECT next.practice_id, next.due_at FROM opened CROSS JOIN LATERAL
        (SELECT practice_id, due_at FROM carerecords_uploadjob
         WHERE {{due}} AND practice_id > opened.practice_id ORDER BY practice_id, due_at LIMIT 1) AS next),
turn AS (
    SELECT practice_id FROM opened LEFT JOIN spine_practiceturn AS turn USING (practice_id)
    WHERE due_at <= %(now)s ORDER BY turn.number NULLS FIRST, due_at LIMIT %(limit)s + {SPARE_TURNS})
SELECT job.* FROM turn CROSS JOIN LATERAL
    (SELECT job.id, job.due_at, job.practice_id FROM carerecords_uploadjob AS job
     WHERE {{due}} AND job.practice_id = turn.practice_id AND job.due_at <= %(now)s AND {_FREE}
     ORDER BY job.due_at LIMIT %(share)s FOR UPDATE OF job SKIP LOCKED) AS job
LIMIT %(limit)s
"""
_OF_KIND = "kind = '{kind}' AND state IN ('WAITING', 'HELD') AND due_at IS NOT NULL"
_DUE_WITHDRAWALS = _DUE.format(due=_OF_KIND.format(kind=Kind.WITHDRAWAL))
_DUE_UPLOADS = _DUE.format(due=_OF_KIND.format(kind=Kind.UPLOAD))

_HELD_BEFORE_NATIONAL_CHANGE = f"""
SELECT job.id, job.due_at FROM carerecords_uploadjob AS job
WHERE job.state = 'HELD'
  AND job.clock_seen < (SELECT number FROM carerecords_factclock WHERE scope = 0) AND {_FREE}
ORDER BY job.clock_seen LIMIT %(limit)s FOR UPDATE OF job SKIP LOCKED
"""

# Only practices that changed since the oldest held job was asked are looked into.
_HELD_BEFORE_PRACTICE_CHANGE = f"""
SELECT job.id, job.due_at FROM carerecords_factclock AS clock
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


_HELD = (_HELD_BEFORE_NATIONAL_CHANGE, _HELD_BEFORE_PRACTICE_CHANGE)


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
    # When it was due, so that it keeps its place where it has to wait for its turn.
    due_at: datetime.datetime | None = None


def claim(*, limit: int, now: datetime.datetime, lease: datetime.timedelta) -> list[Claimed]:
    """Up to `limit` jobs that are due. Withdrawals first: nothing may make them wait."""
    claimed = _take(_DUE_WITHDRAWALS, limit, now, lease, share=limit)
    if len(claimed) < limit:
        share = math.ceil(limit / TURNS_A_BATCH)
        claimed += (uploads := _take(_DUE_UPLOADS, limit - len(claimed), now, lease, share=share))
        if uploads and len(claimed) < limit:
            # Few practices have any: they share the rest.
            claimed += _take(_DUE_UPLOADS, limit - len(claimed), now, lease, share=limit)
    return claimed


def claim_held(*, limit: int, now: datetime.datetime, lease: datetime.timedelta) -> list[Claimed]:
    """Up to `limit` jobs that were held before a fact they cite changed."""
    claimed: list[Claimed] = []
    for held in _HELD:
        if len(claimed) < limit:
            claimed += _take(held, limit - len(claimed), now, lease)
    return claimed


def still_held(jobs: Sequence[Claimed]) -> list[Claimed]:
    """Those of the jobs that nobody took back since: a worker that was frozen sends no other's job."""
    with connection.cursor() as cursor:
        cursor.execute(
            _STILL_HELD,
            {
                "ids": integers(job.job_id for job in jobs),
                "attempts": integers(job.attempt for job in jobs),
            },
        )
        held = {job_id for (job_id,) in cursor.fetchall()}
    return [job for job in jobs if job.job_id in held]


def _take(
    due: str, limit: int, now: datetime.datetime, lease: datetime.timedelta, *, share: int | None = None
) -> list[Claimed]:
    """Takes what a query finds. `share`: at most so many of a practice, and that was the practice's turn."""
    query = _CLAIM.format(due=due, served=_SERVED if share else "")
    with connection.cursor() as cursor:
        cursor.execute(query, {"limit": limit, "share": share, "now": now, "lease_until": now + lease})
        return [_claimed(row) for row in cursor.fetchall()]


_KINDS = {kind.value: kind for kind in Kind}


def _claimed(row: Sequence) -> Claimed:
    job_id, attempt, patient_id, practice_id, kind, failures, reasons, *more = row
    return Claimed(job_id, attempt, patient_id, practice_id, _KINDS[kind], failures, tuple(reasons), *more)
