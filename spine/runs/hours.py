"""The hours in which a run may send: at any time, at night, or at night and at weekends. Pure.

Moments come in as local time and go out so; a night belongs to the day on which it begins.
"""

import datetime
from dataclasses import dataclass

from carerecords.vocabulary import Term

SATURDAY = 5
MIDNIGHT = datetime.time()


class When(Term):
    """On which days the hours hold."""

    ANY = "ANY", "At any time"
    EVERY_DAY = "EVERY_DAY", "Between these times, every day"
    WEEKENDS_TOO = "WEEKENDS_TOO", "Between these times, and all day on Saturdays and Sundays"


@dataclass(frozen=True)
class SendingHours:
    """From `opens` to before `closes`, past midnight where that is earlier."""

    when: When = When.ANY
    opens: datetime.time = MIDNIGHT
    closes: datetime.time = MIDNIGHT

    def is_open(self, at: datetime.datetime) -> bool:
        """Whether something may be sent at this local moment."""
        if self.when is When.ANY:
            return True
        return self._is_free_day(at.date()) or self._is_between(at.time())

    def next_opening(self, at: datetime.datetime) -> datetime.datetime:
        """The first local moment from `at` on at which something may be sent."""
        if self.is_open(at):
            return at
        # Closed now: so it is a working day, and they open later today or some time tomorrow.
        tomorrow = at.date() + datetime.timedelta(days=1)
        openings = [
            datetime.datetime.combine(at.date(), self.opens, tzinfo=at.tzinfo),
            datetime.datetime.combine(
                tomorrow, MIDNIGHT if self._is_free_day(tomorrow) else self.opens, tzinfo=at.tzinfo
            ),
        ]
        return min(opening for opening in openings if opening > at)

    def end_of(self, work: datetime.timedelta, at: datetime.datetime) -> datetime.datetime | None:
        """When work that begins at a local moment and rests outside the hours ends; None: not within a year."""
        if self.when is When.ANY:
            return (at.astimezone(datetime.UTC) + work).astimezone(at.tzinfo)
        last = at + datetime.timedelta(days=366)
        while at < last:
            opening = self.next_opening(at)
            closing = self._closing(opening)
            room = closing.astimezone(datetime.UTC) - opening.astimezone(datetime.UTC)
            if work <= room:
                return (opening.astimezone(datetime.UTC) + work).astimezone(at.tzinfo)
            work, at = work - room, closing
        return None

    def _closing(self, at: datetime.datetime) -> datetime.datetime:
        """The next moment from an open one at which they may close: at the latest at midnight."""
        tomorrow = at.date() + datetime.timedelta(days=1)
        moments = [datetime.datetime.combine(tomorrow, MIDNIGHT, tzinfo=at.tzinfo)]
        if not self._is_free_day(at.date()) and at.time() < self.closes:
            moments.append(datetime.datetime.combine(at.date(), self.closes, tzinfo=at.tzinfo))
        return min(moments)

    def _is_between(self, time: datetime.time) -> bool:
        if self.opens <= self.closes:
            return self.opens <= time < self.closes
        return time >= self.opens or time < self.closes

    def _is_free_day(self, day: datetime.date) -> bool:
        return self.when is When.WEEKENDS_TOO and day.weekday() >= SATURDAY
