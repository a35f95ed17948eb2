"""Which positions apply where and when, which disagree, and which have no effect. Pure.

Every combination is looked at: cells of practices that no position tells apart, times between which
nothing starts or ends, and the two parts of a summary. There are few of each, so the check is whole:
whoever drafts, approves or reads a policy sees what no reading of texts would show. (Cedar proves the
same of access policies with a solver; here the space is small enough to walk.)
"""

import datetime
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from boycott.positions import DataScope, Position
from boycott.rules import Place, Release, Revision, disputed, positions_for, turns_for

_RANK = {Position.COOPERATE: 0, Position.EXPLICIT_CONSENT_ONLY: 1, Position.NON_COOPERATION: 2}
_DISPUTE = 3


@dataclass(frozen=True)
class Cell:
    """Practices that every position treats alike. `place` is any one of them."""

    place: Place
    practices: int


@dataclass(frozen=True)
class Stretch:
    """What applies to one cell from a moment until another (None: for good)."""

    cell: Cell
    start: datetime.datetime
    end: datetime.datetime | None
    applies: tuple[Revision, ...]


@dataclass(frozen=True)
class Clash:
    """Positions that disagree about one part of the summary, for how many practices and when."""

    about: DataScope
    revisions: tuple[Revision, ...]
    practices: int
    start: datetime.datetime
    end: datetime.datetime | None


@dataclass(frozen=True)
class Idle:
    """A position that changes no upload: wholly covered by others, or (`by` empty) about no practice."""

    revision: Revision
    by: tuple[Revision, ...]


@dataclass(frozen=True)
class Examined:
    """All that was found."""

    stretches: tuple[Stretch, ...]
    clashes: tuple[Clash, ...]
    idle: tuple[Idle, ...]

    def clashes_of(self, revision: Revision) -> list[Clash]:
        return [clash for clash in self.clashes if revision in clash.revisions]


def examine(revisions: Sequence[Revision], places: Iterable[Place], since: datetime.datetime) -> Examined:
    """Walks every combination from a moment on. `revisions` are standing; of equals the first counts."""
    stretches = tuple(
        Stretch(cell, start, end, tuple(positions_for(cell.place, revisions, start)))
        for cell in _cells(revisions, places)
        for start, end in _spans(cell, revisions, since)
    )
    return Examined(stretches, _clashes(stretches), _idle(revisions, stretches, since))


def _cells(revisions: Sequence[Revision], places: Iterable[Place]) -> list[Cell]:
    """Places grouped by which of the positions cover them, and which dispensations name them."""
    found: dict[tuple[tuple[bool, tuple[Release, ...]], ...], Cell] = {}
    for place in places:
        key = tuple((one.covers(place), one.releases_of(place)) for one in revisions)
        held = found.get(key)
        found[key] = Cell(held.place, held.practices + 1) if held else Cell(place, 1)
    return list(found.values())


def _spans(
    cell: Cell, revisions: Sequence[Revision], since: datetime.datetime
) -> Iterator[tuple[datetime.datetime, datetime.datetime | None]]:
    """Times between which nothing starts or ends for a cell.

    Of dispensations its own alone: with everybody's, a few hundred would be millions of combinations.
    """
    turns = {moment for one in revisions for moment in turns_for(cell.place, one)}
    moments = [since, *sorted(moment for moment in turns if moment > since)]
    return zip(moments, [*moments[1:], None], strict=True)


def _clashes(stretches: Sequence[Stretch]) -> tuple[Clash, ...]:
    """One line for the same positions, however many cells and moments lie between."""
    found: dict[tuple[DataScope, tuple[Revision, ...]], list[Stretch]] = {}
    for stretch in stretches:
        for about in DataScope:
            if clashing := disputed(stretch.applies, about):
                found.setdefault((about, tuple(clashing)), []).append(stretch)
    clashes = [
        Clash(
            about,
            revisions,
            practices=sum({one.cell: one.cell.practices for one in where}.values()),
            start=min(one.start for one in where),
            end=None if any(one.end is None for one in where) else max(one.end for one in where if one.end),
        )
        for (about, revisions), where in found.items()
    ]
    return tuple(sorted(clashes, key=lambda clash: clash.start))


def _idle(
    revisions: Sequence[Revision], stretches: Sequence[Stretch], since: datetime.datetime
) -> tuple[Idle, ...]:
    """Left out one after another, the newest first, so that all of them together change nothing."""
    found, kept = [], set(revisions)
    for revision in reversed(revisions):
        if revision.ended(since):
            continue
        where = [
            [one for one in stretch.applies if one in kept]
            for stretch in stretches
            if revision in stretch.applies
        ]
        covers = [_covering(revision, applies) for applies in where]
        if all(covers):
            kept.remove(revision)
            by = {other for each in covers for other in each}
            found.append(Idle(revision, tuple(one for one in revisions if one in by)))
    return tuple(reversed(found))


def _covering(revision: Revision, applies: Sequence[Revision]) -> list[Revision]:
    """Those that say as much or more about all that this one speaks of; none if it makes a difference."""
    others = [other for other in applies if other != revision]
    if _asked(others) != _asked(applies):
        return []
    in_dispute = bool(disputed(applies, revision.data_scope))
    return [
        other
        for other in others
        if _says_the_same(other, revision) or (not in_dispute and _says_as_much(other, revision))
    ]


def _says_the_same(other: Revision, revision: Revision) -> bool:
    return other.data_scope is revision.data_scope and other.position is revision.position


def _says_as_much(other: Revision, revision: Revision) -> bool:
    """One about the whole summary, of one about a part. About the same part it would be a dispute."""
    wider = other.data_scope is DataScope.ALL and revision.data_scope is not DataScope.ALL
    return wider and _RANK[other.position] >= _RANK[revision.position]


def _asked(applies: Sequence[Revision]) -> tuple[int, int]:
    """What is asked of followers about the whole summary and about its additional part, in effect."""
    if any(disputed(applies, about) for about in DataScope):
        return _DISPUTE, _DISPUTE
    whole, additional = (_rank(applies, about) for about in (DataScope.ALL, DataScope.ADDITIONAL_ONLY))
    return whole, max(whole, additional)


def _rank(applies: Iterable[Revision], about: DataScope) -> int:
    return max((_RANK[one.position] for one in applies if one.data_scope is about), default=0)
