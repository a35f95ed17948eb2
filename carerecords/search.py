"""Finding a patient by what people type into one box: a name, a number, a postcode, a birth date.

What was typed is personal, so it travels by POST and rests in the session; see `consent.searches`.
"""

import datetime
import re
from dataclasses import dataclass

from django.db.models import Q

from carerecords.identifiers import NATIONAL_INSURANCE, SEPARATORS, NhsNumberFault, parse_nhs_number

_DAY_MONTH_YEAR = re.compile(r"(?<!\d)(\d{1,2})[\s/.\-]+(\d{1,2}|[A-Za-z]{3,9})[\s/.\-]+(\d{4}|\d{2})(?!\d)")
_YEAR_MONTH_DAY = re.compile(r"(?<!\d)(\d{4})-(\d{1,2})-(\d{1,2})(?!\d)")
# Royal Mail's shape of a postcode; whether it exists is not asked.
_POSTCODE = re.compile(r"\b([A-Z]{1,2}[0-9][A-Z0-9]?)\s*([0-9][A-Z]{2})\b", re.IGNORECASE)
_HALF_POSTCODE = re.compile(r"^[A-Z]{1,2}[0-9][A-Z0-9]?$", re.IGNORECASE)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_TITLES = {"mr", "mrs", "ms", "miss", "mx", "dr", "prof", "rev"}
# Each word more doubles the ways to split a name, and no name of ours is longer.
_WORDS = 6

NOTHING_TYPED = "Enter a name, NHS number, postcode or date of birth"


class BadSearch(ValueError):
    """What was typed cannot be searched for; the message says how to mend it."""


@dataclass(frozen=True)
class Wanted:
    """What is searched for; every part given must match."""

    name: str = ""
    nhs_number: str = ""
    postcode: str = ""
    born_on: datetime.date | None = None

    @property
    def by(self) -> str:
        """Which kinds of fact were given, for the access log, which never holds the facts."""
        given = {
            "name": self.name,
            "NHS number": self.nhs_number,
            "postcode": self.postcode,
            "date of birth": self.born_on,
        }
        return " and ".join(kind for kind, value in given.items() if value)


def parse(text: str, today: datetime.date) -> Wanted:
    """Reads the box. Raises `BadSearch`, or `BadNhsNumber` when a number is not one that can exist."""
    text = " ".join("".join(each if each.isprintable() else " " for each in text).split())
    if NATIONAL_INSURANCE.match(SEPARATORS.sub("", text)):
        raise BadSearch(NhsNumberFault.NATIONAL_INSURANCE.value)
    born_on, text = _take_date(text, today)
    postcode, text = _take_postcode(text)
    if _HALF_POSTCODE.match(text):
        raise BadSearch("Enter a full postcode, for example DT1 2BB")
    nhs_number = name = ""
    if re.search(r"\d", text):
        nhs_number = parse_nhs_number(text)
    else:
        name = _name(text)
    if not (name or nhs_number or postcode or born_on):
        raise BadSearch(NOTHING_TYPED)
    return Wanted(name, nhs_number, postcode, born_on)


def condition(wanted: Wanted, *, by_address: bool) -> Q:
    """The patients wanted. Without `by_address`, a postcode does not find sensitive records:
    it would tell where they live."""
    found = _named(wanted.name) if wanted.name else Q()
    if wanted.nhs_number:
        found &= Q(nhs_number=wanted.nhs_number)
    if wanted.born_on:
        found &= Q(born_on=wanted.born_on)
    if wanted.postcode:
        found &= Q(postcode=wanted.postcode)
        found &= Q() if by_address else Q(is_sensitive=False)
    return found


def _take_date(text: str, today: datetime.date) -> tuple[datetime.date | None, str]:
    if match := _YEAR_MONTH_DAY.search(text):
        year, month, day = match.groups()
    elif match := _DAY_MONTH_YEAR.search(text):
        day, month, year = match.groups()
    else:
        return None, text
    rest = f"{text[: match.start()]} {text[match.end() :]}".strip(" ,;")
    return _date(day, month, year, today), rest


def _date(day: str, month: str, year: str, today: datetime.date) -> datetime.date:
    if len(year) != 4:
        raise BadSearch("Year of birth must include 4 numbers")
    try:
        number = int(month) if month.isdigit() else _MONTHS.index(month[:3].lower()) + 1
        born_on = datetime.date(int(year), number, int(day))
    except ValueError:
        raise BadSearch("Date of birth must be a real date") from None
    if born_on > today:
        raise BadSearch("Date of birth must be today or in the past")
    return born_on


def _take_postcode(text: str) -> tuple[str, str]:
    match = _POSTCODE.search(text)
    if not match:
        return "", text
    rest = f"{text[: match.start()]} {text[match.end() :]}".strip(" ,;")
    return f"{match[1]} {match[2]}".upper(), rest


def _name(text: str) -> str:
    """The name without a title before it or in brackets after it."""
    text = re.sub(r"\([^)]*\)\s*$", "", text).strip(" ,;.")
    first, _, rest = text.partition(" ")
    if rest and first.strip(".").lower() in _TITLES:
        text = rest
    return text if re.search(r"[^\W\d_]", text) else ""


def _named(name: str) -> Q:
    """`Adeyemi`, `Adeyemi, Grace`, `Grace Adeyemi` or `Adeyemi Grace`; beginnings suffice."""
    if "," in name:
        family, _, given = (part.strip() for part in name.partition(","))
        return _begins(family, given)
    words = name.split()[:_WORDS]
    found = _begins(name) | Q(given_name__iexact=name)
    for cut in range(1, len(words)):
        front, back = " ".join(words[:cut]), " ".join(words[cut:])
        found |= _begins(family=back, given=front) | _begins(family=front, given=back)
    return found


def _begins(family: str, given: str = "") -> Q:
    """`istartswith` compares upper case, as the index on family names does."""
    found = Q(family_name__istartswith=family)
    return found & Q(given_name__istartswith=given) if given else found
