"""Whose turn it is: practices in the order in which their jobs are taken, the longest unserved first.

A practice with thousands of jobs does not make one with three wait. To see who has jobs that are due costs a look-up
for each practice that has any to come, some 40 ms for all of England: as long as sending a hundred messages.
So a process looks once, and takes practices off that list for the next second or until it is used up. One
that gets its first job meanwhile waits that second longer.
"""

import datetime
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection

from spine.gate import Kind

# For so long the order of practices is not looked at again.
LOOK_SECONDS = 1.0
# The list is not longer: its end would be out of date before it came to it.
LONGEST_LIST = 1000

OPEN = "kind = '{kind}' AND state IN ('WAITING', 'HELD') AND due_at IS NOT NULL"
# `opened` steps from practice to practice along the index, so it reads one entry for each, however many jobs they
# have. Turns are numbers, since clocks step.
_WAITING = f"""
WITH RECURSIVE opened AS (
    (SELECT practice_id, due_at FROM carerecords_uploadjob
     WHERE {OPEN} ORDER BY practice_id, due_at LIMIT 1)
    UNION ALL
    SELECT next.practice_id, next.due_at FROM opened CROSS JOIN LATERAL
        (SELECT practice_id, due_at FROM carerecords_uploadjob
         WHERE {OPEN} AND practice_id > opened.practice_id ORDER BY practice_id, due_at LIMIT 1) AS next)
SELECT practice_id FROM opened LEFT JOIN spine_practiceturn AS turn USING (practice_id)
WHERE due_at <= %(now)s ORDER BY turn.number NULLS FIRST, due_at LIMIT {LONGEST_LIST}
"""
WAITING = {kind: _WAITING.format(kind=kind) for kind in Kind}


# Before PostgreSQL 18 what is forbidden makes a statement look dear, and it would be compiled first, for 200 ms.
_IN_INDEX_ORDER = "SET LOCAL enable_sort = off; SET LOCAL enable_bitmapscan = off; SET LOCAL jit = off; "


def in_index_order(text: str, params: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """The rows of a statement that walks along indexes in their order, whatever the planner takes the table for.

    When a hold ends, a million jobs become due in seconds. Until the table is counted again, reading "all"
    that are due and sorting them looks cheap, and it would be done for each practice: 18 s for all of England.
    In one message to the server, which makes a transaction of it where there is none.
    """
    with connection.cursor() as cursor:
        cursor.execute(_IN_INDEX_ORDER + text, params)
        # The settings have results too.
        while cursor.nextset():
            pass
        return cursor.fetchall()


class Turns:
    """The practices with jobs of one kind that are due, as one process saw them lately. For several threads."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        # How many there were at the last look.
        self.seen = 0
        self._in_turn: deque[int] = deque()
        self._good_until = 0.0
        self._lock = threading.Lock()

    def look(self, now: datetime.datetime) -> None:
        """Sees afresh who has jobs that are due."""
        found = [practice_id for (practice_id,) in in_index_order(WAITING[self.kind], {"now": now})]
        with self._lock:
            self._in_turn, self.seen = deque(found), len(found)
            self._good_until = time.monotonic() + LOOK_SECONDS

    def take(self, most: int) -> list[int]:
        """The next practices, at most so many, which are theirs who asked; none where it is time to look."""
        with self._lock:
            if time.monotonic() > self._good_until:
                return []
            return [self._in_turn.popleft() for _ in range(min(most, len(self._in_turn)))]

    def give_back(self, practices: Sequence[int]) -> None:
        """Those that did not have their turn after all: they are next."""
        with self._lock:
            self._in_turn.extendleft(reversed(practices))
