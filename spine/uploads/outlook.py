"""When a queue will be done, from how long it is and how fast it was seen to move. Pure.

Never a made-up number: where nothing was measured the answer says so, with the bound that the store's
limit sets, if there is one. Paces are messages a minute, moments are aware. Who reads and measures is
`spine.uploads.backlog`.
"""

import datetime
import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from carerecords.formats import nhs_datetime, plural

# What the last hour is cut into: a range is the slowest and the fastest of these.
PARTS = 6
# So short a look, or so few messages, tells nothing of a pace.
SHORTEST = datetime.timedelta(minutes=1)
FEWEST = 30
# Each upload costs the store one question and one message (`spine.sending.pipeline`).
REQUESTS_A_MESSAGE = 2
# So far ahead nobody believes a moment.
FURTHEST = datetime.timedelta(days=365)


@dataclass(frozen=True)
class Pace:
    """Messages done in equal parts of a time in which there was always one to send.

    `parts`: how many in each, the oldest first. Done is what left the queue for good: accepted, found
    unchanged, or refused.
    """

    since: datetime.datetime
    until: datetime.datetime
    parts: Sequence[int]

    @property
    def done(self) -> int:
        return sum(self.parts)

    @property
    def is_telling(self) -> bool:
        """Whether it was looked at for long enough, or so much was done that it needs no longer."""
        return self.until - self.since >= SHORTEST or self.done >= FEWEST

    @property
    def minutes(self) -> float:
        return (self.until - self.since).total_seconds() / 60

    @property
    def a_minute(self) -> float:
        return self.done / self.minutes if self.minutes > 0 else 0.0

    @property
    def slowest(self) -> float:
        """Messages a minute in the part that had the fewest."""
        return self._in_part(min(self.parts))

    @property
    def fastest(self) -> float:
        return self._in_part(max(self.parts))

    def _in_part(self, done: int) -> float:
        return done * len(self.parts) / self.minutes if self.minutes > 0 else 0.0

    @property
    def span(self) -> str:
        """`in the last hour`, `in the last 12 minutes`, `within the last minute`."""
        if self.until - self.since < SHORTEST:
            return "within the last minute"
        words = duration(self.until - self.since)
        return f"in the last {words.removeprefix('1 ') if words in ('1 hour', '1 minute') else words}"


@dataclass(frozen=True)
class Queue:
    """What is to be sent, as it stands at a moment.

    `due` may go now; `before` is how many messages leave until the last of them has, others' turns
    included. `later` waits for its moment, the next of which is `next_at`; `held` for whoever holds it;
    `paused` for its run, which somebody paused.
    """

    due: int = 0
    before: int = 0
    later: int = 0
    next_at: datetime.datetime | None = None
    held: int = 0
    paused: int = 0

    @property
    def later_words(self) -> str:
        """What is due later, beside what is due now: how many, when the next is, and what for; else nothing."""
        if not self.later or self.next_at is None:
            return ""
        one = self.later == 1
        return (
            f"{plural(self.later, 'more message is', 'more messages are')} due later, "
            f"{'' if one else 'the next '}on {nhs_datetime(self.next_at)}: {'it waits' if one else 'they wait'} for "
            "the end of the time to undo a decision, for a run's hours, or to be tried again."
        )


class Known(Enum):
    """What can be said of the end of a queue."""

    NOTHING = auto()
    HELD = auto()
    PAUSED = auto()
    LATER = auto()
    RANGE = auto()
    EARLIEST = auto()
    AT_MOST = auto()
    IDLE = auto()
    NOT_MEASURED = auto()


@dataclass(frozen=True)
class Outlook:
    """When the queue will be done: the earliest and the latest, as far as they are known."""

    known: Known
    sentence: str
    soonest: datetime.datetime | None = None
    latest: datetime.datetime | None = None


def most_a_minute(requests_a_second: float) -> float | None:
    """How many messages a minute the store's limit allows; None: there is no limit."""
    return requests_a_second * 60 / REQUESTS_A_MESSAGE if requests_a_second else None


def outlook(queue: Queue, pace: Pace | None, most: float | None, at: datetime.datetime) -> Outlook:
    """When the queue will be done. `pace` None: nothing could be looked at; `most`: messages a minute."""
    if not queue.due:
        return _nothing_due(queue)
    if pace is None or not pace.is_telling:
        return _bounded(queue, most, at)
    if not pace.done:
        bound = _bounded(queue, most, at)
        floor = f" {bound.sentence.removeprefix(_UNMEASURED)}" if bound.soonest else ""
        return Outlook(Known.IDLE, f"Not known: nothing was sent {pace.span}.{floor}", bound.soonest)
    return _measured(queue, pace, at)


def _nothing_due(queue: Queue) -> Outlook:
    if queue.later and queue.next_at:
        return Outlook(Known.LATER, f"Nothing is due now. The next is due on {nhs_datetime(queue.next_at)}.")
    if queue.paused:
        return Outlook(Known.PAUSED, "Nothing is due: what waits goes only once its run is resumed.")
    if queue.held:
        return Outlook(Known.HELD, "Nothing is due: what is blocked goes only once nobody holds it.")
    return Outlook(Known.NOTHING, "Nothing waits to be sent.")


_UNMEASURED = "Not measured yet. "


def _bounded(queue: Queue, most: float | None, at: datetime.datetime) -> Outlook:
    if most is None:
        return Outlook(Known.NOT_MEASURED, "Not known: the pace has not been measured yet.")
    bound = time_for(queue.before, most)
    needs = f"needs at least {duration(bound)}" if bound >= SHORTEST else "may be done within a minute"
    sentence = f"{_UNMEASURED}The Spine takes at most {messages(most)} a minute, so it {needs}."
    return Outlook(Known.AT_MOST, sentence, at + bound)


def _measured(queue: Queue, pace: Pace, at: datetime.datetime) -> Outlook:
    shortest = time_for(queue.before, pace.fastest)
    if not pace.slowest or time_for(queue.before, pace.slowest) > FURTHEST:
        return Outlook(
            Known.EARLIEST,
            f"Done in {duration(shortest)} at the earliest, at the fastest pace {pace.span}. "
            "For some of that time nothing was sent, so the latest is not known.",
            at + shortest,
        )
    longest = time_for(queue.before, pace.slowest)
    soon, late = duration(shortest), duration(longest)
    about = "" if shortest < SHORTEST else "about "
    when = f"Done in {about}{soon}" if soon == late else f"Done in {_to(soon, late)}"
    return Outlook(Known.RANGE, f"{when}, at the pace {pace.span}.", at + shortest, at + longest)


def time_for(number: int, a_minute: float) -> datetime.timedelta:
    """How long so many messages take, a year at the most."""
    return min(datetime.timedelta(minutes=number / a_minute) if a_minute else FURTHEST, FURTHEST)


def messages(a_minute: float) -> str:
    """`148 messages`; a pace below one has a decimal."""
    if 0 < a_minute < 1:
        return f"{a_minute:.1f} messages"
    return plural(round(a_minute), "message")


def duration(span: datetime.timedelta) -> str:
    """`under a minute`, `12 minutes`, `2 hours 10 minutes`, `3 days 4 hours`: rounded up."""
    minutes = math.ceil(span.total_seconds() / 60)
    if span.total_seconds() < 60:
        return "1 minute" if span.total_seconds() == 60 else "under a minute"
    if minutes < 60:
        return plural(minutes, "minute")
    fives = 5 * math.ceil(minutes / 5)
    if fives < 24 * 60:
        return _two(plural(fives // 60, "hour"), fives % 60, "minute")
    days, rest = divmod(math.ceil(minutes / 60), 24)
    return _two(plural(days, "day"), rest, "hour")


def _to(soon: str, late: str) -> str:
    """`7 to 11 minutes`, `50 minutes to 2 hours`."""
    number, _, unit = soon.partition(" ")
    return f"{number} to {late}" if late.partition(" ")[2] == unit else f"{soon} to {late}"


def _two(first: str, rest: int, unit: str) -> str:
    return f"{first} {plural(rest, unit)}" if rest else first
