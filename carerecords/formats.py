"""How the service writes names, numbers, days and times. Pure: nothing here reads the clock.

Two authorities meet (docs/adr/0031-two-date-styles.md). What identifies a patient follows the NHS
Common User Interface standards ISB 1503 (dates), 1504 (NHS number), 1505 (banner) and 1506 (name).
Everything else follows the NHS service manual, "Numbers, measurements, dates and time".
"""

import datetime
import re
from typing import Protocol
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape

from carerecords.identifiers import format_nhs_number


class Named(Protocol):
    """Anything with a patient's three names."""

    @property
    def title(self) -> str: ...
    @property
    def given_name(self) -> str: ...
    @property
    def family_name(self) -> str: ...


LONDON = ZoneInfo("Europe/London")
_NUMBER, _END = Markup('<span class="care-nowrap">'), Markup("</span>")
NOT_KNOWN = Markup('<span class="nhsuk-u-secondary-text-colour">Not known</span>')


def nhs_number(digits: str | None) -> Markup:
    """`999 123 4567`, never wrapped (ISB 1504, NUM-0001 and NUM-0002)."""
    if not digits:
        return NOT_KNOWN
    return _NUMBER + escape(format_nhs_number(digits)) + _END


def patient_name(person: Named) -> str:
    """`ADEYEMI, Grace (Ms)` (ISB 1506, NID-0001 to 0005): never cut, no labels."""
    name = f"{person.family_name.upper()}, {person.given_name}"
    return f"{name} ({person.title})" if person.title else name


def banner_date(day: datetime.date | None) -> Markup:
    """`12-May-1945`, the identifying form (ISB 1503), with the long date for screen readers."""
    if day is None:
        return NOT_KNOWN
    short = f"{day.day:02}-{_MONTHS[day.month - 1][:3]}-{day.year}"
    return Markup(  # noqa: S704 - numbers and names of months; formatting as markup takes four times as long
        f'<span class="care-nowrap" aria-hidden="true">{short}</span>'
        f'<span class="nhsuk-u-visually-hidden">{nhs_date(day)}</span>'
    )


# English whatever the locale of the machine: D+Ta-0018 forbids translated months.
_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]


def local(moment: datetime.datetime) -> datetime.datetime:
    """The moment on the clocks of England; one without a zone is taken to be there already."""
    return moment.astimezone(LONDON) if moment.tzinfo else moment


def nhs_date(day: datetime.date | datetime.datetime | None) -> str:
    """`6 August 2018`."""
    if day is None:
        return ""
    if isinstance(day, datetime.datetime):
        day = local(day)
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"


def nhs_time(moment: datetime.datetime | datetime.time | None) -> str:
    """`5pm`, `5:30pm`, `midday`, `midnight`."""
    if moment is None:
        return ""
    if isinstance(moment, datetime.datetime):
        moment = local(moment)
    hour, minute = moment.hour, moment.minute
    if minute == 0 and hour in (0, 12):
        return "midnight" if hour == 0 else "midday"
    half = "am" if hour < 12 else "pm"
    minutes = f":{minute:02}" if minute else ""
    return f"{hour % 12 or 12}{minutes}{half}"


def nhs_time_seen_from(moment: datetime.datetime | None, at: datetime.datetime) -> str:
    """`4am`, and `4am on 6 January 2026` where that is not the day of `at`."""
    time, day = nhs_time(moment), nhs_date(moment)
    return f"{time} on {day}" if day != nhs_date(at) and day else time


def nhs_time_with_seconds(moment: datetime.datetime) -> str:
    """`2:32:07pm`, where a second counts: when the last upload began."""
    moment = local(moment)
    half = "am" if moment.hour < 12 else "pm"
    return f"{moment.hour % 12 or 12}:{moment:%M:%S}{half}"


def nhs_datetime(moment: datetime.datetime | None) -> str:
    """`5 January 2023 at 3:45pm`."""
    return f"{nhs_date(moment)} at {nhs_time(moment)}" if moment else ""


def audit_time(moment: datetime.datetime | None) -> Markup:
    """`03-Mar-2008 14:32:07`: 24 hours and seconds, for trails and receipts (CUI D+Tb-0001)."""
    if moment is None:
        return NOT_KNOWN
    moment = local(moment)
    day = f"{moment.day:02}-{_MONTHS[moment.month - 1][:3]}-{moment.year}"
    return Markup('<span class="care-nowrap">{}</span>').format(f"{day} {moment:%H:%M:%S}")


def count(number: int | None) -> str:
    """`11,982`: numerals, with a comma over 999."""
    return "" if number is None else f"{number:,}"


def share(part: int, whole: int) -> str:
    """A whole percentage that never rounds up to all or down to none: `over 99%`, `under 1%`."""
    if whole <= 0:
        return "no data"
    if part > 0 and part * 100 < whole:
        return "under 1%"
    if part < whole and part * 100 > whole * 99:
        return "over 99%"
    return f"{(part * 200 + whole) // (whole * 2)}%"


def plural(number: int, one: str, many: str = "") -> str:
    """`1 patient`, `1,234 patients`."""
    return f"{count(number)} {one if number == 1 else many or one + 's'}"


_PLACE_WORD = re.compile(r"(?P<digit>[0-9])?(?P<word>[A-Z]+(?:['’][A-Z]+)?)")
_LETTERS = {"CIC", "GP", "GPS", "HC", "LLP", "MC", "NHS", "PCC", "PHCC", "PMS", "UHS", "UK"}
_SMALL = re.compile("AND|AT|BY|CUM|DE|FOR|IN|LE|NEAR|OF|ON|SUPER|THE|TO|UNDER|UPON|WITH")


def place_name(text: str) -> str:
    """`Orchid House Surgery`: a name or address that a register keeps in capitals, as people write it.

    Text that is not all in capitals was written by somebody who knew, and stays as it is.
    """
    if text != text.upper():
        return text
    return _PLACE_WORD.sub(_place_word, re.sub(r",(?=\S)", ", ", text))


def _place_word(found: re.Match[str]) -> str:
    digit, word = found["digit"] or "", found["word"]
    if digit:
        return digit + (word.lower() if word in {"ST", "ND", "RD", "TH"} else word)
    if word in _LETTERS:
        return word
    begins_a_part = found.string[: found.start()].rstrip("( ").endswith((",", "/")) or not found.start()
    if _SMALL.fullmatch(word) and not begins_a_part:
        return word.lower()
    first, mark, rest = re.split("(['’]|$)", word, maxsplit=1)
    return first.capitalize() + mark + (rest.capitalize() if len(first) == 1 else rest.lower())


def text_or_not_known(value: object) -> Markup:
    """A cell is never blank: what is missing says so (CUI PAB-0019)."""
    # By its text, since a name that a template could not follow is neither None nor "".
    return NOT_KNOWN if value is None or str(value) == "" else escape(value)
