"""SNOMED CT ids of the four preferences: not known to us, so an administrator fills them in.

An invented id would be a clinical safety fault, so none stands in the code. An id is taken only where its
check digit is right (SNOMED CT Release File Specifications, SCTID check digit: Verhoeff).
"""

import datetime

from carerecords.models import User
from consent.codes import Preference
from consent.models import PreferenceCode

_D5 = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    [1, 2, 3, 4, 0, 6, 7, 8, 9, 5],
    [2, 3, 4, 0, 1, 7, 8, 9, 5, 6],
    [3, 4, 0, 1, 2, 8, 9, 5, 6, 7],
    [4, 0, 1, 2, 3, 9, 5, 6, 7, 8],
    [5, 9, 8, 7, 6, 0, 4, 3, 2, 1],
    [6, 5, 9, 8, 7, 1, 0, 4, 3, 2],
    [7, 6, 5, 9, 8, 2, 1, 0, 4, 3],
    [8, 7, 6, 5, 9, 3, 2, 1, 0, 4],
    [9, 8, 7, 6, 5, 4, 3, 2, 1, 0],
]
_TURN = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4]
LENGTHS = range(6, 19)
# The partition of a concept, short or long form, stands before the check digit.
CONCEPT = {"00", "10"}


class BadSnomedId(ValueError):
    """Not the id of a SNOMED CT concept; the message says why."""


def parse(text: str) -> str:
    """The id of a concept, checked. Raises `BadSnomedId`."""
    number = text.strip()
    if not (number.isascii() and number.isdigit()) or number.startswith("0"):
        raise BadSnomedId("A SNOMED CT id must only include numbers, and not begin with 0")
    if len(number) not in LENGTHS:
        raise BadSnomedId("A SNOMED CT id has between 6 and 18 numbers")
    if number[-3:-1] not in CONCEPT:
        raise BadSnomedId("This is not the id of a concept: its partition is not 00 or 10")
    if _verhoeff(number):
        raise BadSnomedId("Check the SNOMED CT id – it is not one that can exist")
    return number


def set_code(*, preference: Preference, text: str, by: User, at: datetime.datetime) -> PreferenceCode:
    """Fills in or corrects the id of a preference that has a Read code. Each setting is a row."""
    if preference.read_code is None:
        raise BadSnomedId(f"{preference.label} is not coded")
    return PreferenceCode.objects.create(preference=preference, snomed_id=parse(text), set_at=at, set_by=by)


def codes() -> dict[Preference, PreferenceCode | None]:
    """The newest id of each coded preference, or None where nobody has filled it in."""
    rows = PreferenceCode.objects.order_by("preference", "-pk").distinct("preference")
    known = {Preference(row.preference): row for row in rows.select_related("set_by")}
    return {one: known.get(one) for one in Preference if one.read_code}


def _verhoeff(number: str) -> int:
    """0 for a number whose last digit is its check digit (Verhoeff, 1969)."""
    check = 0
    for place, digit in enumerate(reversed(number)):
        turned = int(digit)
        for _ in range(place % 8):
            turned = _TURN[turned]
        check = _D5[check][turned]
    return check
