"""Reading dispensations for people: where each stands, with every step."""

import datetime
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils import timezone

from boycott.dispensations.vocabulary import ALLOWED, State, Step, state_of
from boycott.models import Dispensation, DispensationStep, PositionRevision
from boycott.queries import open_revisions
from carerecords.models import Practice


@dataclass(frozen=True)
class Standing:
    """One dispensation as it stands at a moment, with every step, oldest first."""

    dispensation: Dispensation
    steps: list[DispensationStep]
    state: State

    @property
    def revision(self) -> PositionRevision:
        return self.dispensation.revision

    @property
    def practices(self) -> str:
        """Those it names, by their codes."""
        return ", ".join(self.dispensation.ods_codes)

    @property
    def last_day(self) -> datetime.date:
        return timezone.localdate(self.dispensation.ends_at - datetime.timedelta(microseconds=1))

    def allows(self, step: Step) -> bool:
        return self.state in ALLOWED[step]


def standings(at: datetime.datetime) -> list[Standing]:
    """Every one, newest first. Four queries."""
    return _standing(_rows().order_by("-pk"), at)


def standing_of(public_id: uuid.UUID, at: datetime.datetime) -> Standing | None:
    """One of them."""
    return next(iter(_standing(_rows().filter(public_id=public_id), at)), None)


def dispensed(at: datetime.datetime, practice: Practice | None) -> list[Standing]:
    """What frees a practice, or (None) any, now or later; the first to start first. Three queries."""
    rows = _rows().order_by("starts_at", "pk")
    if practice is not None:
        rows = rows.filter(ods_codes__contains=[practice.ods_code])
    found = _standing(rows, at)
    return [one for one in found if one.state in {State.IN_FORCE, State.TO_COME}]


def practices_of(found: Standing) -> list[Practice]:
    """Those it names, by name."""
    return list(Practice.objects.filter(ods_code__in=found.dispensation.ods_codes).order_by("name"))


def _rows() -> QuerySet[Dispensation]:
    return Dispensation.objects.select_related("revision__motion", "made_by").prefetch_related(
        "steps__made_by"
    )


def _standing(rows: Iterable[Dispensation], at: datetime.datetime) -> list[Standing]:
    found, live = [], {one.id for one in open_revisions(at)}
    for row in rows:
        steps = sorted(row.steps.all(), key=lambda step: step.pk)
        taken = {Step(step.kind) for step in steps}
        found.append(
            Standing(
                row, steps, state_of(taken, row.starts_at, row.ends_at, at, stands=row.revision_id in live)
            )
        )
    return found
