"""Which positions are in force for which practice, and whether they agree. Pure."""

import datetime
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from boycott.positions import DataScope, Phrase, Position


@dataclass(frozen=True)
class Place:
    """Where a practice lies, as far as the scope of a position asks."""

    ods_code: str
    region_code: str
    icb_code: str


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

    def covers(self, place: Place) -> bool:
        """Whether the practice is in scope: all England unless a list names places."""
        if place.ods_code in self.exempt_ods_codes:
            return False
        return self.is_everywhere or (
            place.region_code in self.region_codes
            or place.icb_code in self.icb_codes
            or place.ods_code in self.ods_codes
        )

    @property
    def is_everywhere(self) -> bool:
        """All England, whatever it exempts."""
        return not (self.region_codes or self.icb_codes or self.ods_codes)

    def in_force(self, at: datetime.datetime) -> bool:
        # One that was made to hold at once holds for whoever can see it, even where the reader's
        # clock lags behind the maker's.
        begun = self.effective_from <= max(at, self.made_at)
        return begun and (self.effective_to is None or at < self.effective_to)


def standing(revisions: Iterable[Revision], known_at: datetime.datetime | None = None) -> list[Revision]:
    """The latest known revision of each line."""
    latest: dict[uuid.UUID, Revision] = {}
    for revision in revisions:
        if known_at is not None and revision.made_at > known_at:
            continue
        held = latest.get(revision.line)
        if held is None or revision.number > held.number:
            latest[revision.line] = revision
    return sorted(latest.values(), key=lambda revision: revision.id)


def positions_for(place: Place, revisions: Sequence[Revision], at: datetime.datetime) -> list[Revision]:
    """The standing revisions in force for one practice at a time, oldest first."""
    return [revision for revision in revisions if revision.in_force(at) and revision.covers(place)]


def next_change(revisions: Iterable[Revision], at: datetime.datetime) -> datetime.datetime | None:
    """The next moment at which one of these starts or ends by the calendar."""
    moments = [moment for r in revisions for moment in (r.effective_from, r.effective_to) if moment]
    return min((moment for moment in moments if moment > at), default=None)


def conflict(in_force: Iterable[Revision]) -> bool:
    """Whether positions in force disagree about the same part of the summary."""
    seen: dict[DataScope, set[Position]] = {}
    for revision in in_force:
        seen.setdefault(revision.data_scope, set()).add(revision.position)
    return any(len(positions) > 1 for positions in seen.values())


def everywhere(revisions: Iterable[Revision], at: datetime.datetime) -> list[Revision]:
    """The standing revisions in force for all England: what those without a practice are shown."""
    return [revision for revision in revisions if revision.in_force(at) and revision.is_everywhere]


def phrase_for(before: Position | None, after: Position) -> Phrase | None:
    """What must be typed for a change: only starting and ending a boycott asks for a phrase."""
    if before == after:
        return None
    if after is Position.NON_COOPERATION:
        return Phrase.START
    return Phrase.END if before is Position.NON_COOPERATION else None


def as_if(
    revisions: Sequence[Revision], line: uuid.UUID, position: Position, at: datetime.datetime
) -> tuple[Revision, ...]:
    """The standing revisions as they would be after a change, for those who ask what it would do."""
    rest = [revision for revision in revisions if revision.line != line]
    number = max((revision.number for revision in revisions if revision.line == line), default=0) + 1
    return (*rest, Revision(0, line, number, position, DataScope.ALL, at, None, at))
