"""What the check of all positions found, with the rows that people read."""

from collections.abc import Sequence
from dataclasses import dataclass

from boycott.lattice import Clash, Idle
from boycott.models import PositionRevision
from boycott.queries import rows_of
from boycott.rules import Revision


@dataclass(frozen=True)
class Found:
    """One conflict or one position without effect, with the rows that it is about."""

    clash: Clash | None
    idle: Idle | None
    rows: Sequence[PositionRevision]
    # Whether the change itself is one of them.
    with_this: bool


def findings(clashes: Sequence[Clash], idle: Sequence[Idle], this: Revision | None = None) -> list[Found]:
    """The findings of the check with their rows, conflicts first. One query."""
    ids = {one for clash in clashes for one in clash.revisions}
    ids |= {one for each in idle for one in (each.revision, *each.by)}
    rows = {row.pk: row for row in rows_of(ids)}

    def named(revisions: Sequence[Revision]) -> list[PositionRevision]:
        return [rows[one.id] for one in revisions if one.id in rows]

    return [
        *(Found(clash, None, named(clash.revisions), this in clash.revisions) for clash in clashes),
        *(
            Found(None, each, named((each.revision, *each.by)), this in (each.revision, *each.by))
            for each in idle
        ),
    ]
