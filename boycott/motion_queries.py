"""Reading motions."""

import uuid

from django.db.models import QuerySet

from boycott.models import MotionRevision


def standing_motions() -> QuerySet[MotionRevision]:
    """The revision of each motion that stands, the latest meeting first."""
    latest = MotionRevision.objects.order_by("motion", "-number").distinct("motion").values("pk")
    found = MotionRevision.objects.filter(pk__in=latest).select_related("made_by")
    return found.order_by("-met_on", "-pk")


def revisions_of(motion: uuid.UUID) -> list[MotionRevision]:
    """Every revision of a motion, the latest first; none for one that does not exist."""
    found = MotionRevision.objects.filter(motion=motion).select_related("made_by")
    return list(found.order_by("-number"))
