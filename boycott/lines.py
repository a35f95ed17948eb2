"""The lines of policy that stand side by side, and how people tell them apart."""

import datetime
import uuid
from dataclasses import dataclass

from boycott.actions import ChangeRefused
from boycott.models import PolicyChange, PositionRevision
from boycott.queries import NATIONAL_LINE, as_rule_revision
from boycott.rules import in_force, standing
from carerecords.formats import nhs_date


@dataclass(frozen=True)
class Line:
    """One line: its id, and what it says now in words."""

    id: uuid.UUID
    words: str


def lines(at: datetime.datetime) -> list[Line]:
    """Every line that ever had a position, the oldest first. Two queries."""
    rows = list(PositionRevision.objects.select_related("withdrawal").order_by("pk"))
    holds = {one.id for one in in_force(standing(map(as_rule_revision, rows)), at)}
    latest: dict[uuid.UUID, PositionRevision] = {}
    for row in rows:
        held = latest.get(row.line)
        if held is None or held.pk not in holds:
            latest[row.line] = row
    return [Line(row.line, _words(row, in_force=row.pk in holds)) for row in latest.values()]


def line_to_begin() -> uuid.UUID:
    """The id of a line that nothing is written for: the national one, if it is still free."""
    taken = PositionRevision.objects.filter(line=NATIONAL_LINE).exists()
    taken = taken or PolicyChange.objects.filter(line=NATIONAL_LINE).exists()
    return uuid.uuid4() if taken else NATIONAL_LINE


def line_for(given: uuid.UUID | None, at: datetime.datetime) -> uuid.UUID:
    """The line that a new change is of: one that there is, or (None) a new one. Raises `ChangeRefused`."""
    if given is None:
        return line_to_begin()
    if all(line.id != given for line in lines(at)):
        raise ChangeRefused("line", "There is no such policy")
    return given


def _words(row: PositionRevision, *, in_force: bool) -> str:
    since = f"since {nhs_date(row.effective_from)}" if in_force else "not in force now"
    about = f", {row.get_data_scope_display().lower()}" if row.data_scope != "ALL" else ""
    return f"{row.body}: {row.get_position_display()}{about} ({row.where}; {since})"
