"""Dispensations as the rules look at them: with the revisions that they are of, in one query."""

import datetime
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import OuterRef, QuerySet, Subquery
from django.db.models.functions import Greatest, JSONObject, Least

from boycott.dispensations.vocabulary import Step
from boycott.models import Dispensation, DispensationStep, PositionRevision
from boycott.rules import Release


def with_releases(
    rows: QuerySet[PositionRevision], known_at: datetime.datetime | None
) -> QuerySet[PositionRevision]:
    """The revisions with what two people agreed of each, in the same query.

    Without `known_at`, all that is recorded counts: what was ended frees nobody, whatever the reader's
    clock says. With it, as was known then, and until it was ended.
    """
    steps = DispensationStep.objects.filter(dispensation=OuterRef("pk"))
    if known_at is not None:
        steps = steps.filter(made_at__lte=known_at)
    agreed, ended = (steps.filter(kind=kind).values("made_at")[:1] for kind in (Step.AGREED, Step.ENDED))
    found = Dispensation.objects.filter(revision=OuterRef("pk")).annotate(
        agreed_at=Subquery(agreed), ended_at=Subquery(ended)
    )
    found = found.filter(agreed_at__isnull=False)
    if known_at is None:
        found = found.filter(ended_at__isnull=True)
    columns = JSONObject(
        id="pk",
        ods_codes="ods_codes",
        starts_at=Greatest("starts_at", "agreed_at"),
        ends_at=Least("ends_at", "ended_at"),
    )
    return rows.annotate(released=ArraySubquery(found.order_by("pk").values(columns=columns)))


def releases_of(row: PositionRevision) -> tuple[Release, ...]:
    """Of a row of `with_releases`; none of any other."""
    return tuple(_release(each) for each in getattr(row, "released", ()))


def _release(columns: dict[str, Any]) -> Release:
    starts, ends = (datetime.datetime.fromisoformat(columns[name]) for name in ("starts_at", "ends_at"))
    return Release(columns["id"], frozenset(columns["ods_codes"]), starts, ends)
