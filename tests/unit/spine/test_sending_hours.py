"""When a run may send: nights that pass midnight, weekends, and the nights on which the clocks change."""

import datetime
from zoneinfo import ZoneInfo

import pytest

from spine.runs.hours import SendingHours, When

LONDON = ZoneInfo("Europe/London")
NINETEEN, SEVEN = datetime.time(19), datetime.time(7)
NIGHTS = SendingHours(When.EVERY_DAY, NINETEEN, SEVEN)
WEEKENDS = SendingHours(When.WEEKENDS_TOO, NINETEEN, SEVEN)
LUNCH = SendingHours(When.EVERY_DAY, datetime.time(12, 30), datetime.time(13, 30))


def on(text):
    return datetime.datetime.fromisoformat(text).replace(tzinfo=LONDON)


# 2 March 2026 is a Monday. Hours, moment, and the next opening: the moment itself where they are open.
TABLE = [
    (SendingHours(), "2026-03-02 11:00", "2026-03-02 11:00"),
    (NIGHTS, "2026-03-02 06:59", "2026-03-02 06:59"),
    (NIGHTS, "2026-03-02 07:00", "2026-03-02 19:00"),
    (NIGHTS, "2026-03-02 18:59", "2026-03-02 19:00"),
    (NIGHTS, "2026-03-02 19:00", "2026-03-02 19:00"),
    (NIGHTS, "2026-03-07 12:00", "2026-03-07 19:00"),
    (WEEKENDS, "2026-03-06 07:00", "2026-03-06 19:00"),
    (WEEKENDS, "2026-03-07 12:00", "2026-03-07 12:00"),
    (WEEKENDS, "2026-03-08 23:59", "2026-03-08 23:59"),
    (WEEKENDS, "2026-03-09 03:00", "2026-03-09 03:00"),
    (WEEKENDS, "2026-03-09 07:00", "2026-03-09 19:00"),
    (LUNCH, "2026-03-02 12:30", "2026-03-02 12:30"),
    (LUNCH, "2026-03-02 12:29", "2026-03-02 12:30"),
    (LUNCH, "2026-03-02 13:30", "2026-03-03 12:30"),
    (SendingHours(When.WEEKENDS_TOO, LUNCH.opens, LUNCH.closes), "2026-03-06 14:00", "2026-03-07 00:00"),
]


@pytest.mark.parametrize(("hours", "moment", "opening"), TABLE)
def test_next_opening(hours, moment, opening):
    assert hours.next_opening(on(moment)) == on(opening)
    assert hours.is_open(on(moment)) == (moment == opening)


@pytest.mark.parametrize("hours", [NIGHTS, WEEKENDS, LUNCH])
def test_it_is_open_at_the_opening_and_not_before(hours):
    """Every quarter of an hour over the days on which the clocks go forward and back."""
    for first in ("2026-03-28 00:00", "2026-10-24 00:00"):
        moment = on(first).astimezone(datetime.UTC)
        for _ in range(4 * 24 * 4):
            local = moment.astimezone(LONDON)
            opening = hours.next_opening(local)
            assert hours.is_open(opening) and opening >= local
            if not hours.is_open(local):
                before = (opening.astimezone(datetime.UTC) - datetime.timedelta(minutes=1)).astimezone(LONDON)
                assert not hours.is_open(before)
            moment += datetime.timedelta(minutes=15)
