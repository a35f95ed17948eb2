"""The store's rate, shared by every process: one row from which each reserves slots for its requests.

The service counts requests of the whole application (5 a second, 300 a minute; spine-interface notes
1.3), so a limit in each worker would be wrong. A process asks here before it takes the fence, for the
requests that it is about to make, and sleeps until its slots come, holding nothing. Slots are given by
the database's clock, one after the other, at most `LOOK_AHEAD_SECONDS` ahead; so a withdrawal never
waits long behind what was reserved before it. Cost: one small write a batch.

The service's "too many requests" pauses everybody for as long as it asks. See docs/adr/0130.
"""

import math
from collections.abc import Iterable

import structlog
from django.db import connection

from spine.sending.answers import Answer, AnswerKind
from spine.sending.slots import Slots, clock

log = structlog.get_logger(__name__)

LOOK_AHEAD_SECONDS = 2.0
# A row that is further ahead was written before the database's clock was set back: it does not count.
SET_BACK_SECONDS = 60.0
# What the service's gateway is asked for where it names no time, and the most that is believed: its
# longest count is of a minute, and a withdrawal must not wait a day because of a mistyped header.
DEFAULT_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 3600.0
# How late a request may leave, as a part of the time between two. The gateway is known to smooth, and
# not how strictly: we keep within half an interval of even spacing.
FORGIVEN_PART = 0.4
FORGIVEN_SECONDS = 0.04

_OPEN = """
(pace.next_at <= clock_timestamp() + %(look_ahead)s * interval '1 second' OR pace.next_at > clock_timestamp() + %(set_back)s * interval '1 second')
AND (pace.paused_until IS NULL OR pace.paused_until <= clock_timestamp()
     OR pace.paused_until > clock_timestamp() + %(longest_pause)s * interval '1 second')
"""
_IS_SHUT = f"SELECT NOT ({_OPEN}) FROM spine_requestpace AS pace WHERE id = 1"
_RESERVE = f"""
INSERT INTO spine_requestpace AS pace (id, next_at)
VALUES (1, clock_timestamp() + %(lead)s * interval '1 second' + %(span)s * interval '1 second')
ON CONFLICT (id) DO UPDATE SET next_at = %(span)s * interval '1 second' + CASE
    WHEN pace.next_at > clock_timestamp() + %(set_back)s * interval '1 second' THEN clock_timestamp() + %(lead)s * interval '1 second'
    ELSE greatest(pace.next_at, clock_timestamp() + %(lead)s * interval '1 second') END
WHERE {_OPEN}
RETURNING next_at, extract(epoch FROM next_at - %(span)s * interval '1 second' - clock_timestamp())
"""
_GIVE_BACK = """
UPDATE spine_requestpace SET next_at = next_at - make_interval(secs => %s) WHERE id = 1 AND next_at = %s
"""
_PAUSE = """
INSERT INTO spine_requestpace AS pace (id, next_at, paused_until)
VALUES (1, clock_timestamp(), clock_timestamp() + make_interval(secs => %(wait)s))
ON CONFLICT (id) DO UPDATE SET paused_until = greatest(
    CASE WHEN pace.paused_until <= clock_timestamp() + make_interval(secs => %(longest)s)
         THEN pace.paused_until END,
    excluded.paused_until)
"""


class Rate:
    """The shared limit, as one process sees it. `per_second` 0: there is none, and nobody is asked."""

    def __init__(self, per_second: float) -> None:
        self.per_second = per_second
        self._interval = 1 / per_second if per_second else 0.0
        self._forgiven = max(FORGIVEN_PART * self._interval, FORGIVEN_SECONDS)

    def within(self, seconds: float) -> float:
        """How many requests may leave in so many seconds: one at least."""
        return max(1, int(self.per_second * seconds)) if self.per_second else math.inf

    def is_open(self) -> bool:
        """Whether slots are to be had soon: nobody asked to wait, and others have not reserved too far ahead."""
        if not self.per_second:
            return True
        with connection.cursor() as cursor:
            cursor.execute(_IS_SHUT, _figures())
            row = cursor.fetchone()
        return row is None or not row[0]

    def reserve(self, count: int, *, lead: float = 0.0) -> Slots | None:
        """Slots for so many requests, the first at least `lead` seconds from now; None: come back later."""
        if not self.per_second:
            return Slots.unlimited()
        if not count:
            return Slots.none()
        with connection.cursor() as cursor:
            cursor.execute(_RESERVE, _figures(span=count * self._interval, lead=lead))
            row = cursor.fetchone()
        if row is None:
            return None
        end, begins_in = row
        return Slots(clock() + float(begins_in), count, self._interval, self._forgiven, end)

    def give_back(self, slots: Slots) -> None:
        """Returns what was not taken, if nobody has reserved behind it."""
        if slots.end is not None and slots.unused:
            with connection.cursor() as cursor:
                cursor.execute(_GIVE_BACK, [slots.unused * slots.interval, slots.end])

    def heed(self, answers: Iterable[Answer]) -> None:
        """Pauses every process where the store said that it were too many requests."""
        waits = [
            DEFAULT_PAUSE_SECONDS if answer.retry_after is None else answer.retry_after
            for answer in answers
            if answer.kind is AnswerKind.RATE_LIMITED
        ]
        if self.per_second and waits:
            wait = min(max(waits), LONGEST_PAUSE_SECONDS)
            log.warning("store_asked_to_wait", seconds=wait)
            with connection.cursor() as cursor:
                cursor.execute(_PAUSE, {"wait": wait, "longest": LONGEST_PAUSE_SECONDS})


def _figures(**seconds: float) -> dict[str, float]:
    return seconds | {
        "look_ahead": LOOK_AHEAD_SECONDS,
        "set_back": SET_BACK_SECONDS,
        "longest_pause": LONGEST_PAUSE_SECONDS,
    }
