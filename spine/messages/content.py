"""What a summary says, and which entries go into it. Pure."""

import dataclasses
import datetime
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass

from carerecords.summary_codes import EntryKind
from spine.gate import Scope


@dataclass(frozen=True)
class PatientDetails:
    """Whom a summary is about."""

    nhs_number: str
    family_name: str
    given_name: str
    title: str
    born_on: datetime.date
    gender: str
    address: str = ""
    postcode: str = ""


@dataclass(frozen=True)
class PracticeDetails:
    """The practice that sends it."""

    ods_code: str
    name: str
    address: str
    postcode: str


@dataclass(frozen=True)
class Author:
    """The clinician it is written by, with their ids in the Spine directory (digits)."""

    user_id: str
    role_profile_id: str
    family_name: str
    given_name: str
    title: str = ""


@dataclass(frozen=True)
class Entry:
    """One coded entry of the record."""

    kind: EntryKind
    code: str
    term: str
    recorded_on: datetime.date
    detail: str = ""
    ended_on: datetime.date | None = None
    sensitive: bool = False


@dataclass(frozen=True)
class Summary:
    """All that a message may draw on. `scope` says how much of it goes."""

    patient: PatientDetails
    practice: PracticeDetails
    author: Author
    entries: tuple[Entry, ...]
    scope: Scope
    recently_registered: bool = False


@dataclass(frozen=True)
class Selection:
    """Every entry, once, by what becomes of it."""

    sent: tuple[Entry, ...] = ()
    withheld_as_sensitive: tuple[Entry, ...] = ()
    only_with_additional: tuple[Entry, ...] = ()
    outside_window: tuple[Entry, ...] = ()


def select(entries: Iterable[Entry], *, scope: Scope, on: datetime.date) -> Selection:
    """Which entries go in a summary of a scope on a day, and why the others do not.

    Sensitive entries (the four RCGP exclusion sets, flagged on the entry) are withheld first of
    all, so that no other reason hides that they were.
    """
    groups: dict[str, list[Entry]] = {field.name: [] for field in dataclasses.fields(Selection)}
    for entry in entries:
        groups[_group(entry, scope, on)].append(entry)
    return Selection(**{name: tuple(_newest_first(group)) for name, group in groups.items()})


def content_hash(summary: Summary, *, on: datetime.date) -> str:
    """SHA-256 over what would be said on a day, whatever ids and times the message carries.

    Equal hashes mean that a new message would tell the store nothing new.
    """
    chosen = select(summary.entries, scope=summary.scope, on=on)
    # `vars`, not `asdict`: all fields are plain values, and the deep copies took most of a hash's time.
    said = {
        "patient": vars(summary.patient),
        "practice": vars(summary.practice),
        "author": vars(summary.author),
        "scope": summary.scope,
        "entries": [vars(entry) for entry in chosen.sent],
        "withheld": bool(chosen.withheld_as_sensitive),
        "recently_registered": summary.recently_registered,
    }
    return hashlib.sha256(_SORTED.encode(said).encode()).hexdigest()


_SORTED = json.JSONEncoder(sort_keys=True, default=str)


def _group(entry: Entry, scope: Scope, on: datetime.date) -> str:
    if entry.sensitive:
        return "withheld_as_sensitive"
    if not _in_window(entry, on):
        return "outside_window"
    if not entry.kind.is_core and scope is not Scope.CORE_ADDITIONAL:
        return "only_with_additional"
    return "sent"


def _in_window(entry: Entry, on: datetime.date) -> bool:
    """Stopped medication counts from its end, other medication from its issue."""
    if entry.kind.window_days is None:
        return True
    day = entry.ended_on or entry.recorded_on
    return day >= on - datetime.timedelta(days=entry.kind.window_days)


def _newest_first(entries: list[Entry]) -> list[Entry]:
    return sorted(entries, key=lambda e: (e.recorded_on, e.term, e.code, e.detail), reverse=True)
