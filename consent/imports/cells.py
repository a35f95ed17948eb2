"""What the cells of a row mean, or what is wrong with them. Pure.

A problem is a sentence that names the column: it stands in the list of problems, and in the file
of bad rows, where nothing else says which cell is meant.
"""

import datetime
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from carerecords.ages import age_in_years
from carerecords.formats import nhs_date
from carerecords.identifiers import BadNhsNumber, NhsNumberFault, parse_nhs_number
from consent.codes import ADULT, NEEDS_REFERENCE, PERMITTING, ImportKind, Preference, Source

# A number as a spreadsheet shows it that took it for a quantity. Read codes look alike: 9E10.
_SCIENTIFIC = re.compile(r"[0-9](?:[.,][0-9]+)?[eE]\+?[0-9]{1,2}")
_DATES = (
    re.compile(r"(?P<y>[0-9]{4})(?P<m>[0-9]{2})(?P<d>[0-9]{2})"),
    re.compile(r"(?P<y>[0-9]{4})-(?P<m>[0-9]{1,2})-(?P<d>[0-9]{1,2})(?:[T ]00:00(?::00(?:\.0+)?)?)?"),
    re.compile(r"(?P<d>[0-9]{1,2})/(?P<m>[0-9]{1,2})/(?P<y>[0-9]{4})"),
)
_POSTCODE = re.compile(r"(?P<out>[A-Z]{1,2}[0-9][0-9A-Z]?) ?(?P<in>[0-9][A-Z]{2})")
_GMC = re.compile(r"[0-9]{7}")
EARLIEST_BIRTH = datetime.date(1890, 1, 1)

DECISIONS = {
    "consent": Preference.EXPRESS_CORE,
    "refuse": Preference.EXPRESS_DISSENT,
    "none": Preference.NONE,
    "9ndm": Preference.EXPRESS_CORE,
    "9ndn": Preference.EXPRESS_ADDITIONAL,
    "9ndo": Preference.EXPRESS_DISSENT,
    # Legacy codes: the programme read them so when it gave out the four above.
    "93c2": Preference.EXPRESS_ADDITIONAL,
    "93c3": Preference.EXPRESS_DISSENT,
}
# Read codes are kept with five characters, the last ones dots or a term's number: 9Ndo., 9Ndo.00.
_READ_TAIL = re.compile(r"(?:\.{1,2}[0-9]{0,2}|00)$")
SCOPES = {"": None, "core": Preference.EXPRESS_CORE, "additional": Preference.EXPRESS_ADDITIONAL}
SOURCES = {
    "in person": Source.IN_PERSON,
    "phone": Source.PHONE,
    "by phone": Source.PHONE,
    "letter": Source.LETTER,
    "by letter": Source.LETTER,
    "form": Source.FORM,
    "on a form": Source.FORM,
    "online": Source.ONLINE,
    "representative": Source.REPRESENTATIVE,
    "by a representative": Source.REPRESENTATIVE,
}
GENDERS = {
    "male": "MALE",
    "female": "FEMALE",
    "other specific": "OTHER",
    "not known": "NOT_KNOWN",
    "not specified": "NOT_SPECIFIED",
}
ANSWERS = {"": False, "n": False, "no": False, "false": False, "y": True, "yes": True, "true": True}


@dataclass
class Read:
    """What a row was read as; nothing of it counts once there are problems."""

    nhs_number: str = ""
    born_on: datetime.date | None = None
    preference: str = ""
    source: str = ""
    day: datetime.date | None = None
    reference: str = ""
    note: str = ""
    representative_name: str = ""
    representative_authority: str = ""
    returned: bool = False
    person: dict[str, str] | None = None
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Days:
    """The days that cells are held against."""

    today: datetime.date
    # No decision about this upload can be older than the programme.
    programme: datetime.date


def read(kind: ImportKind, cells: Mapping[str, str], days: Days) -> Read:
    """Reads one row: cells by column name, trimmed. Never raises, whatever the text."""
    row = Read()
    row.nhs_number = _nhs_number(cells.get("NHS_NUMBER", ""), row.problems)
    row.born_on = _date("DATE_OF_BIRTH", cells, row.problems, earliest=EARLIEST_BIRTH, latest=days.today)
    _OF_KIND[kind](row, cells, days)
    return row


def _decision(row: Read, cells: Mapping[str, str], days: Days) -> None:
    preference = _preference(cells, row.problems)
    source = SOURCES.get(_word(cells.get("SOURCE", "")))
    if source is None:
        row.problems.append(
            "SOURCE must be in person, phone, letter, form, online or representative."
            if cells.get("SOURCE")
            else "SOURCE is empty."
        )
    row.day = _date("DECISION_DATE", cells, row.problems, earliest=days.programme, latest=days.today)
    row.reference = _text("EVIDENCE_REF", cells, row.problems, 50)
    row.note = _text("NOTE", cells, row.problems, 1000, lines=True)
    row.representative_name = _text("REPRESENTATIVE_NAME", cells, row.problems, 100)
    row.representative_authority = _text("REPRESENTATIVE_AUTHORITY", cells, row.problems, 100)
    row.preference, row.source = preference or "", source or ""
    if not row.reference and (preference in PERMITTING or source in NEEDS_REFERENCE):
        what = "consent" if preference in PERMITTING else "a letter or form"
        row.problems.append(f"EVIDENCE_REF is needed for {what}.")
    if source is Source.REPRESENTATIVE and not (row.representative_name and row.representative_authority):
        row.problems.append(
            "REPRESENTATIVE_NAME and REPRESENTATIVE_AUTHORITY are needed when a representative decided."
        )
    elif (
        row.born_on and age_in_years(row.born_on, days.today) < ADULT and source is not Source.REPRESENTATIVE
    ):
        row.problems.append(
            "This patient is under 16. If the patient decided, record it on the patient's page. "
            "If a parent did, SOURCE must be representative."
        )
    if source is not Source.REPRESENTATIVE and row.representative_name + row.representative_authority:
        row.problems.append("SOURCE must be representative if a representative is named.")
    _not_before_birth("DECISION_DATE", row)


def _letter(row: Read, cells: Mapping[str, str], days: Days) -> None:
    row.day = _date("SENT_ON", cells, row.problems, earliest=days.programme, latest=days.today)
    row.reference = _text("REFERENCE", cells, row.problems, 50)
    answer = ANSWERS.get(_word(cells.get("RETURNED", "")))
    if answer is None:
        row.problems.append("RETURNED must be yes or no.")
    row.returned = bool(answer)
    _not_before_birth("SENT_ON", row)


def _patient(row: Read, cells: Mapping[str, str], days: Days) -> None:
    gender = GENDERS.get(_word(cells.get("GENDER", "")))
    if gender is None:
        row.problems.append("GENDER must be male, female, other specific, not known or not specified.")
    row.day = _date("REGISTERED_ON", cells, row.problems, earliest=EARLIEST_BIRTH, latest=days.today)
    gmc = cells.get("USUAL_GP_GMC", "")
    if gmc and not _GMC.fullmatch(gmc):
        row.problems.append("USUAL_GP_GMC must be 7 numbers.")
    row.person = {
        "title": _text("TITLE", cells, row.problems, 20),
        "family_name": _text("FAMILY_NAME", cells, row.problems, 35, needed=True),
        "given_name": _text("GIVEN_NAME", cells, row.problems, 35, needed=True),
        "gender": gender or "",
        "address": _text("ADDRESS", cells, row.problems, 200, lines=True),
        "postcode": _postcode(cells.get("POSTCODE", ""), row.problems),
        "gmc": gmc,
    }
    _not_before_birth("REGISTERED_ON", row)


_OF_KIND: dict[ImportKind, Callable[[Read, Mapping[str, str], Days], None]] = {
    ImportKind.DECISIONS: _decision,
    ImportKind.LETTERS: _letter,
    ImportKind.PATIENTS: _patient,
}


def _nhs_number(text: str, problems: list[str]) -> str:
    if _SCIENTIFIC.fullmatch(text):
        problems.append(
            f"NHS_NUMBER was changed by Excel to {text}. Format the column as text and save again."
        )
        return ""
    try:
        return parse_nhs_number(text)
    except BadNhsNumber as error:
        missing = error.fault is NhsNumberFault.MISSING
        problems.append("NHS_NUMBER is empty." if missing else f"{error}.")
        return ""


def _preference(cells: Mapping[str, str], problems: list[str]) -> Preference | None:
    text, scope = cells.get("DECISION", ""), _word(cells.get("SCOPE", ""))
    preference = DECISIONS.get(_READ_TAIL.sub("", _word(text)))
    if preference is None:
        problems.append(
            "DECISION must be consent, refuse or none, or a Read code 9Ndm, 9Ndn, 9Ndo, 93C2 or 93C3."
            if text
            else "DECISION is empty."
        )
    if scope not in SCOPES:
        problems.append("SCOPE must be core or additional.")
        return preference
    wanted = SCOPES[scope]
    if preference is None or wanted is None:
        return preference
    if preference not in PERMITTING:
        problems.append("SCOPE is for consent only. Leave it empty.")
    elif _word(text) == "consent":
        return wanted
    elif wanted is not preference:
        problems.append("SCOPE and the Read code in DECISION disagree.")
    return preference


def _date(
    name: str,
    cells: Mapping[str, str],
    problems: list[str],
    *,
    earliest: datetime.date,
    latest: datetime.date,
) -> datetime.date | None:
    text = cells.get(name, "")
    if not text:
        problems.append(f"{name} is empty.")
        return None
    day = parse_date(text)
    if day is None:
        problems.append(f"{name} must be a real date, for example 15/03/2012.")
    elif day > latest:
        problems.append(f"{name} must be today or in the past.")
    elif day < earliest:
        problems.append(f"{name} must be the same as or after {nhs_date(earliest)}.")
    else:
        return day
    return None


def parse_date(text: str) -> datetime.date | None:
    """The day that is meant, in one of the three ways of writing it; None if there is no such day."""
    for form in _DATES:
        if found := form.fullmatch(text):
            try:
                return datetime.date(int(found["y"]), int(found["m"]), int(found["d"]))
            except ValueError:
                return None
    return None


def _text(
    name: str,
    cells: Mapping[str, str],
    problems: list[str],
    longest: int,
    *,
    needed: bool = False,
    lines: bool = False,
) -> str:
    text = cells.get(name, "").replace("\r\n", "\n").replace("\r", "\n")
    if needed and not text:
        problems.append(f"{name} is empty.")
    if len(text) > longest:
        problems.append(f"{name} must be {longest:,} characters or less.")
    if not (text.replace("\n", "").replace("\t", "") if lines else text).isprintable():
        problems.append(f"{name} has a character that cannot be shown.")
    return text


def _postcode(text: str, problems: list[str]) -> str:
    found = _POSTCODE.fullmatch(" ".join(text.upper().split()))
    if text and not found:
        problems.append("POSTCODE must be a postcode, for example DT1 2BB.")
    return f"{found['out']} {found['in']}" if found else ""


def _not_before_birth(name: str, row: Read) -> None:
    if row.day and row.born_on and row.day < row.born_on:
        row.problems.append(f"{name} must be the same as or after DATE_OF_BIRTH.")


def _word(text: str) -> str:
    return " ".join(text.replace("_", " ").lower().split())
