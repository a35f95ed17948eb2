"""The columns of each kind of file, with a made-up row as an example. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from consent.codes import ImportKind

# What our own files of errors add, and leave out again when they come back.
ADDED = ("ROW", "PROBLEM")
_GAPS = re.compile(r"[\s_\-.]+")


@dataclass(frozen=True)
class Column:
    """One column of a template: its heading, whether it must be there, what goes in."""

    name: str
    needed: bool
    meaning: str
    example: str = ""


_NUMBER = Column("NHS_NUMBER", True, "10 numbers, as text", "999 123 4567")
_BORN = Column("DATE_OF_BIRTH", True, "The patient is found by both", "12/05/1945")
_DATES = "For example, 15/03/2012, 2012-03-15 or 20120315"

LAYOUTS: dict[ImportKind, tuple[Column, ...]] = {
    ImportKind.DECISIONS: (
        _NUMBER,
        _BORN,
        Column("DECISION", True, "consent, refuse or none, or a Read code such as 9Ndo", "consent"),
        Column("SCOPE", False, "For consent: core (used if empty) or additional", "core"),
        Column("DECISION_DATE", True, _DATES, "15/03/2012"),
        Column("SOURCE", True, "in person, phone, letter, form, online or representative", "form"),
        Column("EVIDENCE_REF", False, "Needed for consent, letters and forms", "F-1024"),
        Column("NOTE", False, "Up to 1,000 characters"),
        Column("REPRESENTATIVE_NAME", False, "Needed if a representative decided"),
        Column("REPRESENTATIVE_AUTHORITY", False, "For example, parental responsibility"),
    ),
    ImportKind.LETTERS: (
        _NUMBER,
        _BORN,
        Column("SENT_ON", True, _DATES, "15/03/2012"),
        Column("REFERENCE", False, "Up to 50 characters", "Notice 1"),
        Column("RETURNED", False, "yes if the letter came back undelivered", "no"),
    ),
    ImportKind.PATIENTS: (
        _NUMBER,
        _BORN,
        Column("TITLE", False, "For example, Ms", "Ms"),
        Column("FAMILY_NAME", True, "Up to 35 characters", "Adeyemi"),
        Column("GIVEN_NAME", True, "Up to 35 characters", "Grace"),
        Column("GENDER", True, "male, female, other specific, not known or not specified", "female"),
        Column("ADDRESS", False, "Up to 200 characters", "1 Mill Lane, Dorchester"),
        Column("POSTCODE", False, "For example, DT1 2BB", "DT1 2BB"),
        Column("REGISTERED_ON", True, _DATES, "01/10/2020"),
        Column("USUAL_GP_GMC", False, "The usual GP's GMC number: 7 numbers"),
    ),
}


class HeadingRefused(ValueError):
    """The heading is not that of the template; the message follows "The selected file"."""


def normal(heading: str) -> str:
    """A heading as it is compared: `NHS number` and `nhs_number` are the same."""
    return _GAPS.sub("_", heading.strip().strip("\ufeff")).strip("_").upper()


def places(kind: ImportKind, heading: Sequence[str]) -> dict[str, int]:
    """Where each known column stands. Raises `HeadingRefused`."""
    found = [normal(cell) for cell in heading]
    wanted = [column.name for column in LAYOUTS[kind]]
    if twice := [name for name in wanted if found.count(name) > 1]:
        raise HeadingRefused(f"must have the column {twice[0]} once")
    missing = [column.name for column in LAYOUTS[kind] if column.needed and column.name not in found]
    if missing:
        names = " and ".join(filter(None, [", ".join(missing[:-1]), missing[-1]]))
        raise HeadingRefused(f"must use the template. Row 1 has no {names}")
    return {name: found.index(name) for name in wanted if name in found}
