"""What a summary says, and which entries go into it. Pure."""

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from operator import attrgetter
from typing import NamedTuple

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


# A tuple: there are several for each patient, and a frozen dataclass takes five times as long to make.
class Entry(NamedTuple):
    """One coded entry of the record."""

    kind: EntryKind
    code: str
    term: str
    recorded_on: datetime.date
    detail: str = ""
    ended_on: datetime.date | None = None
    sensitive: bool = False


class Selection(NamedTuple):
    """Every entry, once, by what becomes of it; in each group the newest first."""

    sent: tuple[Entry, ...] = ()
    withheld_as_sensitive: tuple[Entry, ...] = ()
    only_with_additional: tuple[Entry, ...] = ()
    outside_window: tuple[Entry, ...] = ()


@dataclass(frozen=True)
class Summary:
    """All that a message may draw on. `scope` says how much of it goes."""

    patient: PatientDetails
    practice: PracticeDetails
    author: Author
    entries: tuple[Entry, ...]
    scope: Scope
    recently_registered: bool = False

    def chosen(self, on: datetime.date) -> Selection:
        """Which entries go on a day. Kept for the day asked for last: the hash and the message ask for the same."""
        kept: tuple[datetime.date, Selection] | None = vars(self).get("_chosen")
        if kept is None or kept[0] != on:
            kept = (on, select(self.entries, scope=self.scope, on=on))
            vars(self)["_chosen"] = kept
        return kept[1]


def select(entries: Iterable[Entry], *, scope: Scope, on: datetime.date) -> Selection:
    """Which entries go in a summary of a scope on a day, and why the others do not.

    Sensitive entries (the four RCGP exclusion sets, flagged on the entry) are withheld first of
    all, so that no other reason hides that they were.
    """
    groups: tuple[list[Entry], ...] = ([], [], [], [])
    sent, withheld, additional, outside = groups
    first_days, all_kinds = _first_days(on), scope is Scope.CORE_ADDITIONAL
    for entry in entries:
        kind = entry.kind
        if entry.sensitive:
            withheld.append(entry)
        elif kind in first_days and _counts_from(entry) < first_days[kind]:
            outside.append(entry)
        elif kind.is_core or all_kinds:
            sent.append(entry)
        else:
            additional.append(entry)
    return Selection(*map(_newest_first, groups))


def _counts_from(entry: Entry) -> datetime.date:
    """Stopped medication counts from its end, other medication from its issue."""
    return entry.ended_on or entry.recorded_on


@lru_cache(maxsize=8)
def _first_days(on: datetime.date) -> dict[EntryKind, datetime.date]:
    """The first day of the window of each kind that has one."""
    return {
        kind: on - datetime.timedelta(days=kind.window_days)
        for kind in EntryKind
        if kind.window_days is not None
    }


def _newest_first(entries: list[Entry]) -> tuple[Entry, ...]:
    if len(entries) > 1:
        entries.sort(key=_ORDER, reverse=True)
    return tuple(entries)


_ORDER = attrgetter("recorded_on", "term", "code", "detail")
