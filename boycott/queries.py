"""Reading positions and stances."""

import datetime

from boycott.models import PositionRevision, StanceRevision
from boycott.positions import UNANSWERED, DataScope, Position, Stance
from boycott.rules import Place, Revision, standing
from carerecords.models import Practice


def as_rule_revision(row: PositionRevision) -> Revision:
    """The fields that rules look at."""
    return Revision(
        id=row.pk,
        line=row.line,
        number=row.number,
        position=Position(row.position),
        data_scope=DataScope(row.data_scope),
        effective_from=row.effective_from,
        effective_to=row.effective_to,
        made_at=row.made_at,
        region_codes=frozenset(row.region_codes),
        icb_codes=frozenset(row.icb_codes),
        ods_codes=frozenset(row.ods_codes),
        exempt_ods_codes=frozenset(row.exempt_ods_codes),
    )


def standing_revisions(known_at: datetime.datetime | None = None) -> list[Revision]:
    """The latest revision of every line of policy; a handful of rows."""
    rows = PositionRevision.objects.order_by("line", "number")
    return standing((as_rule_revision(row) for row in rows), known_at)


def place_of(practice: Practice) -> Place:
    """Where a practice lies."""
    return Place(practice.ods_code, practice.region_code, practice.icb_code)


def stance_of(
    practice: Practice, known_at: datetime.datetime | None = None
) -> tuple[Stance, StanceRevision | None]:
    """A practice's answer, and the revision it rests on; without one the unanswered default."""
    rows = StanceRevision.objects.filter(practice=practice)
    if known_at is not None:
        rows = rows.filter(made_at__lte=known_at)
    latest = rows.order_by("-pk").first()
    return (Stance(latest.stance), latest) if latest else (UNANSWERED, None)


def history() -> list[PositionRevision]:
    """Every revision, newest first."""
    return list(PositionRevision.objects.select_related("made_by").order_by("-pk"))
