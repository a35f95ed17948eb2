"""Which positions are in force for which practice, and whether they agree. Pure."""

import datetime
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from boycott.positions import DataScope, Direction, MotionStatus, Phrase, Position


@dataclass(frozen=True)
class Place:
    """Where a practice lies, as far as the scope of a position asks."""

    ods_code: str
    region_code: str
    icb_code: str


@dataclass(frozen=True)
class Release:
    """A dispensation from one revision of a position, for named practices, from a moment until another."""

    id: int
    ods_codes: frozenset[str]
    starts_at: datetime.datetime
    ends_at: datetime.datetime

    def frees(self, place: Place, at: datetime.datetime) -> bool:
        return place.ods_code in self.ods_codes and self.starts_at <= at < self.ends_at


@dataclass(frozen=True)
class Revision:
    """The fields of a position revision that rules look at."""

    id: int
    line: uuid.UUID
    number: int
    position: Position
    data_scope: DataScope
    effective_from: datetime.datetime
    effective_to: datetime.datetime | None
    made_at: datetime.datetime
    region_codes: frozenset[str] = field(default_factory=frozenset)
    icb_codes: frozenset[str] = field(default_factory=frozenset)
    ods_codes: frozenset[str] = field(default_factory=frozenset)
    exempt_ods_codes: frozenset[str] = field(default_factory=frozenset)
    # When it was taken back before it had begun; it never is in force.
    withdrawn_at: datetime.datetime | None = None
    # Dispensations that two people agreed to. They are of this revision: the next one asks all again.
    releases: tuple[Release, ...] = ()

    def covers(self, place: Place) -> bool:
        """Whether the practice is in scope: all England unless a list names places."""
        if place.ods_code in self.exempt_ods_codes:
            return False
        return self.is_everywhere or (
            place.region_code in self.region_codes
            or place.icb_code in self.icb_codes
            or place.ods_code in self.ods_codes
        )

    def binds(self, place: Place, at: datetime.datetime) -> bool:
        """Whether it is about the practice, and no dispensation frees the practice from it then."""
        return self.covers(place) and not any(one.frees(place, at) for one in self.releases_of(place))

    def releases_of(self, place: Place) -> tuple[Release, ...]:
        """The dispensations that name a practice, past and to come."""
        return self._releases_by_practice.get(place.ods_code, ())

    @cached_property
    def _releases_by_practice(self) -> dict[str, tuple[Release, ...]]:
        found: dict[str, tuple[Release, ...]] = {}
        for release in self.releases:
            for code in release.ods_codes:
                found[code] = (*found.get(code, ()), release)
        return found

    @property
    def is_everywhere(self) -> bool:
        """All England, whatever it exempts."""
        return not (self.region_codes or self.icb_codes or self.ods_codes)

    def asks_the_same(self, other: "Revision") -> bool:
        """Whether another says the same for the same practices until the same day."""
        return (self._asked, self.effective_to) == (other._asked, other.effective_to)

    @property
    def _asked(self) -> tuple[object, ...]:
        scope = self.region_codes, self.icb_codes, self.ods_codes, self.exempt_ods_codes
        return self.position, self.data_scope, *scope

    def begun(self, at: datetime.datetime) -> bool:
        # One that was made to hold at once holds for whoever can see it, even where the reader's
        # clock lags behind the maker's.
        return self.effective_from <= max(at, self.made_at)

    def ended(self, at: datetime.datetime) -> bool:
        return self.effective_to is not None and self.effective_to <= at


def standing(revisions: Iterable[Revision], known_at: datetime.datetime | None = None) -> list[Revision]:
    """What still counts of each line, as known at a time (default: all that is recorded).

    A line is a calendar: from the start of each revision it holds instead of all with a lower number.
    So one that a later revision of its line replaces from its very start on counts no more; one that
    begins in future leaves those before it standing until then. One taken back never counts.
    """
    kept: dict[uuid.UUID, list[Revision]] = {}
    for revision in sorted(revisions, key=lambda one: one.number):
        if known_at is not None and revision.made_at > known_at:
            continue
        if _taken_back(revision, known_at):
            continue
        before = kept.get(revision.line, [])
        kept[revision.line] = [
            *(one for one in before if one.effective_from < revision.effective_from),
            revision,
        ]
    return sorted((one for line in kept.values() for one in line), key=lambda one: one.id)


def _taken_back(revision: Revision, known_at: datetime.datetime | None) -> bool:
    taken = revision.withdrawn_at
    return taken is not None and (known_at is None or taken <= known_at)


def in_force(revisions: Iterable[Revision], at: datetime.datetime) -> list[Revision]:
    """The standing revisions in force at a time anywhere, oldest first: one a line at most."""
    latest: dict[uuid.UUID, Revision] = {}
    for revision in revisions:
        held = latest.get(revision.line)
        if revision.begun(at) and (held is None or held.number < revision.number):
            latest[revision.line] = revision
    found = [revision for revision in latest.values() if not revision.ended(at)]
    return sorted(found, key=lambda revision: revision.id)


def positions_for(place: Place, revisions: Iterable[Revision], at: datetime.datetime) -> list[Revision]:
    """The standing revisions in force for one practice at a time, oldest first."""
    return [revision for revision in in_force(revisions, at) if revision.binds(place, at)]


def freed_by(place: Place, revisions: Iterable[Revision], at: datetime.datetime) -> list[Release]:
    """The dispensations without which more positions would be in force for the practice."""
    return [
        release
        for revision in in_force(revisions, at)
        if revision.covers(place)
        for release in revision.releases_of(place)
        if release.frees(place, at)
    ]


def to_come(revisions: Iterable[Revision], at: datetime.datetime) -> list[Revision]:
    """The standing revisions that begin after a time, the next first."""
    later = [revision for revision in revisions if not revision.begun(at)]
    return sorted(later, key=lambda revision: (revision.effective_from, revision.id))


def next_change(
    place: Place, revisions: Iterable[Revision], at: datetime.datetime
) -> datetime.datetime | None:
    """The next moment at which the calendar changes what one of these asks of a practice."""
    turns = (moment for one in revisions if one.covers(place) for moment in turns_for(place, one))
    return min((moment for moment in turns if moment > at), default=None)


def turns_for(place: Place, revision: Revision) -> list[datetime.datetime]:
    """When a revision starts and ends, and every dispensation of the practice from it."""
    ends = [revision.effective_to] if revision.effective_to else []
    freed = [moment for one in revision.releases_of(place) for moment in (one.starts_at, one.ends_at)]
    return [revision.effective_from, *ends, *freed]


def stops_at(
    revision: Revision, revisions: Iterable[Revision], place: Place | None = None
) -> datetime.datetime | None:
    """When a position in force stops asking what it asks, by the calendar: for a place, or anywhere.

    It ends by itself, or the next revision of its line asks otherwise or no longer covers the place.
    """
    later = [one for one in revisions if one.line == revision.line and one.number > revision.number]
    turns = [
        one.effective_from
        for one in later
        if (one.position, one.data_scope) != (revision.position, revision.data_scope)
        or (place is not None and not one.covers(place))
    ]
    return min([*turns, *([revision.effective_to] if revision.effective_to else [])], default=None)


def conflict(applying: Sequence[Revision]) -> bool:
    """Whether positions in force disagree about the same part of the summary."""
    return any(disputed(applying, about) for about in DataScope)


def disputed(applying: Iterable[Revision], about: DataScope) -> list[Revision]:
    """The positions about one part of the summary, where they disagree; else none."""
    found = [revision for revision in applying if revision.data_scope is about]
    return found if len({revision.position for revision in found}) > 1 else []


def everywhere(revisions: Iterable[Revision], at: datetime.datetime) -> list[Revision]:
    """The standing revisions in force for all England: what those without a practice are shown."""
    return [revision for revision in in_force(revisions, at) if revision.is_everywhere]


def phrase_for(before: Revision | None, after: Revision, places: Iterable[Place]) -> Phrase | None:
    """What must be typed for a change of one line of policy.

    Only what starts or ends a boycott somewhere asks for a phrase; what does both starts one. A
    boycott of the whole summary is also one of its additional part, so narrowing it to that ends one.
    """
    known = [*places, _ANYWHERE]
    was, will_be = _boycotted(before, known), _boycotted(after, known)
    if will_be - was:
        return Phrase.START
    return Phrase.END if was - will_be else None


# Stands for practices still to open, so that all England is never nowhere.
_ANYWHERE = Place("", "", "")


def _boycotted(revision: Revision | None, places: Iterable[Place]) -> set[tuple[Place, DataScope]]:
    """The places, and parts of the summary, for which a position asks that nothing be uploaded."""
    if revision is None or revision.position is not Position.NON_COOPERATION:
        return set()
    additional = DataScope.ADDITIONAL_ONLY
    parts = {additional} if revision.data_scope is additional else set(DataScope)
    return {(place, part) for place in places if revision.covers(place) for part in parts}


def may_rest_on(position: Position, status: MotionStatus, direction: Direction) -> bool:
    """Whether a motion bears a position.

    What asks practices to hold back needs a motion in force that says so. Co-operation may also follow
    from one that no longer stands, but from none that was never adopted.
    """
    if position is Position.COOPERATE:
        return status not in {MotionStatus.PROPOSED, MotionStatus.LOST}
    if status is not MotionStatus.ADOPTED:
        return False
    if position is Position.NON_COOPERATION:
        return direction is Direction.NON_COOPERATION
    return direction is not Direction.COOPERATE


def as_if(
    revisions: Sequence[Revision], line: uuid.UUID, position: Position, at: datetime.datetime
) -> tuple[Revision, ...]:
    """The standing revisions as they would be after a change, for those who ask what it would do."""
    number = max((revision.number for revision in revisions if revision.line == line), default=0) + 1
    return with_change(revisions, Revision(0, line, number, position, DataScope.ALL, at, None, at))


def with_release(revisions: Iterable[Revision], revision: int, release: Release) -> tuple[Revision, ...]:
    """The standing revisions as they would be with one dispensation more."""
    return tuple(
        replace(one, releases=(*one.releases, release)) if one.id == revision else one for one in revisions
    )


def with_change(revisions: Iterable[Revision], revision: Revision) -> tuple[Revision, ...]:
    """The standing revisions as they would be with one more."""
    return tuple(standing([*revisions, revision]))
