"""The age table of the patient banner standard, at and around every boundary."""

import datetime

import pytest

from carerecords.ages import age

BORN = datetime.datetime(2008, 3, 1, 6, 0)


def on(text):
    return datetime.date.fromisoformat(text)


@pytest.mark.parametrize(
    ("after", "shown"),
    [
        (datetime.timedelta(minutes=0), "0min"),
        (datetime.timedelta(minutes=119), "119min"),
        (datetime.timedelta(hours=2), "2hr"),
        (datetime.timedelta(hours=47, minutes=59), "47hr"),
        (datetime.timedelta(hours=48), "2d"),
    ],
)
def test_by_the_clock_where_the_time_of_birth_is_known(after, shown):
    assert age(BORN, BORN + after) == shown


@pytest.mark.parametrize(
    ("born", "at", "shown"),
    [
        ("2008-03-01", "2008-03-01", "0d"),
        ("2008-03-01", "2008-03-02", "1d"),
        ("2008-03-01", "2008-03-28", "27d"),
        ("2008-03-01", "2008-03-29", "4w"),
        ("2008-03-01", "2008-03-30", "4w 1d"),
        ("2008-03-01", "2009-02-28", "52w"),
        ("2008-03-01", "2009-03-01", "12m"),
        ("2008-03-01", "2009-03-04", "12m 3d"),
        ("2008-03-01", "2010-02-28", "23m 27d"),
        ("2008-03-01", "2010-03-01", "2y"),
        ("2008-03-01", "2012-04-02", "4y 1m"),
        ("2008-03-01", "2026-02-28", "17y 11m"),
        ("2008-03-01", "2026-03-01", "18y"),
        ("1945-05-12", "2008-03-03", "62y"),
        ("1945-05-12", "2007-05-11", "61y"),
    ],
)
def test_by_the_calendar(born, at, shown):
    assert age(on(born), on(at)) == shown


@pytest.mark.parametrize(
    ("born", "at", "shown"),
    [
        # Born on 29 February: a birthday on 1 March in other years.
        ("2004-02-29", "2022-02-28", "17y 11m"),
        ("2004-02-29", "2022-03-01", "18y"),
        ("2004-02-29", "2024-02-29", "20y"),
        # Born on the 31st: the month is whole on the 1st after a short one.
        ("2007-01-31", "2010-04-30", "3y 2m"),
        ("2007-01-31", "2010-05-01", "3y 3m"),
        ("2007-12-31", "2010-03-01", "2y 2m"),
    ],
)
def test_days_that_a_month_lacks(born, at, shown):
    assert age(on(born), on(at)) == shown
