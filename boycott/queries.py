"""Reading positions and stances."""

import datetime
import uuid
from collections.abc import Iterable

from django.db.models import Count, F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from boycott.dispensations.releases import releases_of, with_releases
from boycott.models import GpStanceRevision, PositionRevision, StanceRevision
from boycott.positions import UNANSWERED, DataScope, GpStance, Position, Stance
from boycott.rules import Place, Revision, in_force, standing, to_come
from carerecords.models import Practice, User

# The line of the union's national policy, which the switch revises.
NATIONAL_LINE = uuid.UUID("5c120000-0000-4000-8000-000000000001")


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
        withdrawn_at=row.withdrawal.made_at if hasattr(row, "withdrawal") else None,
        releases=releases_of(row),
    )


def standing_revisions(
    known_at: datetime.datetime | None = None, *, since: datetime.datetime | None = None
) -> list[Revision]:
    """What still counts of every line of policy, ever.

    `since`: what counts from then on, as recorded now; a handful of rows, however long the history.
    """
    rows = PositionRevision.objects.select_related("withdrawal").order_by("line", "number")
    if since is not None:
        assert known_at is None, "what was known then may be what was replaced since"
        rows = rows.filter(number__gte=Coalesce(_begun_last(since), 0))
    return standing((as_rule_revision(row) for row in with_releases(rows, known_at)), known_at)


def _begun_last(at: datetime.datetime) -> Subquery:
    """The number of the revision that a line has held by since a time at the latest, as `Revision.begun` says."""
    begun = Q(effective_from__lte=at) | Q(effective_from__lte=F("made_at"))
    rows = PositionRevision.objects.filter(begun, line=OuterRef("line"), withdrawal__isnull=True)
    return Subquery(rows.order_by("-number").values("number")[:1])


def open_revisions(at: datetime.datetime) -> list[Revision]:
    """Those in force anywhere, and those to come."""
    found = standing_revisions(since=at)
    return [*in_force(found, at), *to_come(found, at)]


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
    return list(PositionRevision.objects.select_related("made_by", "withdrawal").order_by("-pk"))


def rows_of(revisions: Iterable[Revision]) -> list[PositionRevision]:
    """The full rows behind some revisions, oldest first."""
    ids = [revision.id for revision in revisions]
    rows = PositionRevision.objects.filter(pk__in=ids).select_related("made_by", "motion")
    return list(rows.order_by("pk"))


def stance_history(practice: Practice) -> list[StanceRevision]:
    """Every answer of a practice, newest first."""
    return list(StanceRevision.objects.filter(practice=practice).select_related("made_by").order_by("-pk"))


def gp_stance_of(gp: User) -> tuple[GpStance, GpStanceRevision | None]:
    """A GP's own answer, and the revision it rests on; without one they use the practice's."""
    latest = GpStanceRevision.objects.filter(gp=gp).order_by("-pk").first()
    return (GpStance(latest.stance), latest) if latest else (GpStance.USE_PRACTICE, None)


def gp_stance_history(gp: User) -> list[GpStanceRevision]:
    """Every answer of a GP, newest first."""
    return list(GpStanceRevision.objects.filter(gp=gp).order_by("-pk"))


def practices_by_answer() -> dict[Stance | None, int]:
    """How many active practices gave each answer; `None`: no answer. One look-up a practice."""
    answers = StanceRevision.objects.filter(practice=OuterRef("pk")).order_by("-pk").values("stance")[:1]
    active = Practice.objects.filter(status=Practice.Status.ACTIVE).annotate(answer=Subquery(answers))
    rows = active.values_list("answer").annotate(practices=Count("pk")).order_by()
    counted = {Stance(answer) if answer else None: practices for answer, practices in rows}
    return {
        answer: counted.get(answer, 0) for answer in (Stance.FOLLOW, None, Stance.DO_NOT_FOLLOW, Stance.HOLD)
    }


def in_force_on_motion(motion: uuid.UUID, at: datetime.datetime) -> list[PositionRevision]:
    """The positions in force anywhere that rest on a motion, whichever revision of it."""
    return [
        row
        for row in rows_of(in_force(standing_revisions(since=at), at))
        if row.motion and row.motion.motion == motion
    ]


def holding_changes(at: datetime.datetime) -> set[int]:
    """The changes whose position is in force: of those that took effect, the ones not over."""
    held = in_force(standing_revisions(since=at), at)
    return {row.change_id for row in rows_of(held) if row.change_id is not None}
