"""Taking due jobs: each worker takes others' leftovers, never the same row.

A claim is a few short statements, each committed at once. It costs what it takes, not what waits:
each runs along a partial index over open jobs, in its order. Jobs of a patient for whom something is on
its way are left alone until that is known.
"""

import datetime
import math
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from django.db import connection

from carerecords.many_rows import integers
from spine.gate import Kind
from spine.sending.turns import OPEN, Turns, in_index_order

_CLAIM = """
WITH due AS MATERIALIZED ({due}){served}
UPDATE carerecords_uploadjob AS job
SET state = 'SENDING', attempt = job.attempt + 1, lease_until = clock_timestamp() + %(lease)s, due_at = NULL
FROM due WHERE job.id = due.id
RETURNING job.id, job.attempt, job.patient_id, job.practice_id, job.kind, job.failures, job.reasons,
          job.requested_at, job.public_id::text, due.due_at
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

# How long a process that has jobs to send does not look again for held ones whose facts changed.
ASK_AGAIN_SECONDS = 0.5

# `OFFSET 0` keeps it a look-up for each job. As a join, it was planned by statistics from a time when nobody
# was busy, and each job was compared with all that were: a claim of 400 beside 18,600 took a second.
_FREE = """
NOT EXISTS (SELECT 1 FROM carerecords_uploadjob AS busy
            WHERE busy.patient_id = job.patient_id AND busy.state IN ('SENDING', 'IN_DOUBT') OFFSET 0)
"""

# Of practices in the order given, and in each the longest due first. It reads what it takes.
_DUE = f"""
SELECT job.* FROM unnest(%(practices)s::int[]) AS turn (practice_id) CROSS JOIN LATERAL
    (SELECT job.id, job.due_at, job.practice_id FROM carerecords_uploadjob AS job
     WHERE {OPEN} AND job.practice_id = turn.practice_id AND job.due_at <= %(now)s AND {_FREE}
     ORDER BY job.due_at LIMIT %(share)s FOR UPDATE OF job SKIP LOCKED) AS job
LIMIT %(limit)s
"""
_DUE_OF_KIND = {kind: _DUE.format(kind=kind) for kind in Kind}

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
SELECT job.id, job.kind = 'WITHDRAWAL' OR job.practice_id = patient.practice_id FROM carerecords_uploadjob AS job
JOIN unnest(%(ids)s::bigint[], %(attempts)s::int[]) AS mine (id, attempt)
  ON job.id = mine.id AND job.attempt = mine.attempt
JOIN carerecords_patient AS patient ON patient.id = job.patient_id
WHERE job.state = 'SENDING' ORDER BY job.id FOR NO KEY UPDATE OF job
"""


_HELD = (_HELD_BEFORE_NATIONAL_CHANGE, _HELD_BEFORE_PRACTICE_CHANGE)


class Claimed(NamedTuple):
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


class Queue:
    """What one process knows of who waits: whose turn it is, for each kind of job, and whether to ask about held ones."""

    def __init__(self) -> None:
        self._asks_again_at = -math.inf
        self.withdrawals, self.uploads = Turns(Kind.WITHDRAWAL), Turns(Kind.UPLOAD)
        self.notices = Turns(Kind.NOTICE)

    def asks_again(self) -> bool:
        """Whether it is time to look for held jobs whose facts changed."""
        return time.monotonic() >= self._asks_again_at

    def asked_again(self, found: int) -> None:
        """Notes that this was done just now. Where there were some, there may be more."""
        self._asks_again_at = -math.inf if found else time.monotonic() + ASK_AGAIN_SECONDS


def claim(
    *, limit: int, now: datetime.datetime, lease: datetime.timedelta, queue: Queue | None = None
) -> list[Claimed]:
    """Up to `limit` jobs that are due. Withdrawals first: nothing may make them wait. Notices last."""
    queue = queue or Queue()
    claimed = _in_turn(queue.withdrawals, limit, now, lease, largest=limit)
    if len(claimed) < limit:
        left = limit - len(claimed)
        claimed += _in_turn(queue.uploads, left, now, lease, largest=math.ceil(limit / TURNS_A_BATCH))
    if len(claimed) < limit:
        claimed += _in_turn(queue.notices, limit - len(claimed), now, lease, largest=limit)
    return claimed


def _in_turn(
    turns: Turns, limit: int, now: datetime.datetime, lease: datetime.timedelta, *, largest: int
) -> list[Claimed]:
    """Jobs of the practices whose turn it is, at most `largest` of each, unless few practices have any."""
    claimed: list[Claimed] = []
    wants_more: list[int] = []
    looked = False
    while len(claimed) < limit:
        practices = turns.take(limit - len(claimed) + SPARE_TURNS)
        if not practices:
            if looked:
                break
            turns.look(now)
            looked = True
            continue
        share = max(largest, math.ceil(limit / max(1, turns.seen)))
        taken = _take_of(turns.kind, practices, limit - len(claimed), share, now, lease)
        claimed += taken
        given = Counter(job.practice_id for job in taken)
        if len(claimed) == limit:
            last = max(place for place, practice in enumerate(practices) if practice in given)
            turns.give_back(practices[last + 1 :])
        wants_more += [practice for practice in practices if given[practice] == share]
    if wants_more and (left := limit - len(claimed)):
        claimed += _take_of(turns.kind, wants_more, left, left, now, lease)
    return claimed


def _take_of(
    kind: Kind,
    practices: Sequence[int],
    limit: int,
    share: int,
    now: datetime.datetime,
    lease: datetime.timedelta,
) -> list[Claimed]:
    figures = {"practices": integers(practices), "limit": limit, "share": share, "now": now}
    return _take(_DUE_OF_KIND[kind], figures, lease, served=_SERVED)


def claim_held(*, limit: int, lease: datetime.timedelta) -> list[Claimed]:
    """Up to `limit` jobs that were held before a fact they cite changed."""
    claimed: list[Claimed] = []
    for held in _HELD:
        if len(claimed) < limit:
            claimed += _take(held, {"limit": limit - len(claimed)}, lease)
    return claimed


def still_held(jobs: Sequence[Claimed]) -> tuple[list[Claimed], list[Claimed]]:
    """Those of the jobs that nobody took back since: a worker that was frozen sends no other's job.

    And of these, apart, what a practice asked for whose patient has moved to another meanwhile: the fence and the
    clock of the job are its practice's. A removal is never among them: it goes, whoever asked.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _STILL_HELD,
            {
                "ids": integers(job.job_id for job in jobs),
                "attempts": integers(job.attempt for job in jobs),
            },
        )
        stays = dict(cursor.fetchall())
    held = [job for job in jobs if job.job_id in stays]
    return [job for job in held if stays[job.job_id]], [job for job in held if not stays[job.job_id]]


def _take(due: str, figures: dict[str, Any], lease: datetime.timedelta, *, served: str = "") -> list[Claimed]:
    """Takes what a query finds; `served` notes that it was those practices' turn."""
    rows = in_index_order(_CLAIM.format(due=due, served=served), figures | {"lease": lease})
    return [_claimed(row) for row in rows]


_KINDS = {kind.value: kind for kind in Kind}


def _claimed(row: Sequence) -> Claimed:
    job_id, attempt, patient_id, practice_id, kind, failures, reasons, *more = row
    return Claimed(job_id, attempt, patient_id, practice_id, _KINDS[kind], failures, tuple(reasons), *more)
