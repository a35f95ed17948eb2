"""How old a copy is, in words and bands."""

import datetime

import pytest

from spine.uploads.copy_age import age_words, months_before

TODAY = datetime.date(2026, 3, 31)


@pytest.mark.parametrize(
    ("day", "words"),
    [
        (datetime.date(2026, 3, 31), "today"),
        (datetime.date(2026, 3, 30), "1 day ago"),
        (datetime.date(2026, 3, 1), "30 days ago"),
        (datetime.date(2026, 2, 28), "1 month ago"),
        (datetime.date(2025, 12, 31), "3 months ago"),
        (datetime.date(2025, 4, 1), "11 months ago"),
        (datetime.date(2025, 3, 31), "12 months ago"),
        (datetime.date(2024, 4, 1), "23 months ago"),
        (datetime.date(2024, 3, 31), "2 years ago"),
        (datetime.date(2007, 6, 27), "18 years ago"),
    ],
)
def test_words(day, words):
    assert age_words(day, TODAY) == words


@pytest.mark.parametrize(
    ("months", "day"),
    [
        (0, datetime.date(2026, 3, 31)),
        (1, datetime.date(2026, 2, 28)),
        (3, datetime.date(2025, 12, 31)),
        (4, datetime.date(2025, 11, 30)),
        (12, datetime.date(2025, 3, 31)),
        (25, datetime.date(2024, 2, 29)),
    ],
)
def test_months_before(months, day):
    assert months_before(TODAY, months) == day
