"""A patient's age in the units of the patient banner standard (ISB 1505, age table).

| age | shown |
|---|---|
| under 2 hours | minutes |
| under 2 days | hours |
| under 4 weeks | days |
| under 1 year | weeks and days |
| under 2 years | months and days |
| under 18 years | years and months |
| 18 years and over | years |

A birth without a time has no minutes or hours: the first two days are then `0d` and `1d`.
"""

import datetime


def age(born: datetime.date, at: datetime.date) -> str:
    """`4y 1m`. Give two datetimes where the time of birth is known, else two dates."""
    if isinstance(born, datetime.datetime) and isinstance(at, datetime.datetime):
        hours = (at - born) / datetime.timedelta(hours=1)
        if hours < 2:
            return f"{int(hours * 60)}min"
        if hours < 48:
            return f"{int(hours)}hr"
    return _by_calendar(_day(born), _day(at))


def age_in_years(born: datetime.date, at: datetime.date) -> int:
    """Whole years, for rules that begin at an age."""
    return _whole_months(_day(born), _day(at)) // 12


def _by_calendar(born: datetime.date, at: datetime.date) -> str:
    days = (at - born).days
    months = _whole_months(born, at)
    if days < 28:
        return f"{max(days, 0)}d"
    if months < 12:
        return _pair(days // 7, "w", days % 7, "d")
    if months < 24:
        return _pair(months, "m", (at - _months_after(born, months)).days, "d")
    if months < 216:
        return _pair(months // 12, "y", months % 12, "m")
    return f"{months // 12}y"


def _pair(large: int, unit: str, small: int, small_unit: str) -> str:
    return f"{large}{unit} {small}{small_unit}" if small else f"{large}{unit}"


def _whole_months(born: datetime.date, at: datetime.date) -> int:
    months = (at.year - born.year) * 12 + at.month - born.month
    return months - 1 if _months_after(born, months) > at else months


def _months_after(born: datetime.date, months: int) -> datetime.date:
    """The same day `months` later; a day that month lacks becomes the first of the next.

    So a person born on 29 February comes of age on 1 March, as the law of England has it.
    """
    year, month = (
        born.year + (born.month - 1 + months) // 12,
        (born.month - 1 + months) % 12 + 1,
    )
    try:
        return datetime.date(year, month, born.day)
    except ValueError:
        return datetime.date(year + month // 12, month % 12 + 1, 1)


def _day(moment: datetime.date) -> datetime.date:
    return moment.date() if isinstance(moment, datetime.datetime) else moment
