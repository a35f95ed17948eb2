"""Releases of named practices from a position, and what was done with each. Both only grow."""

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from boycott.dispensations.vocabulary import Step
from boycott.models.position import PositionRevision
from carerecords.append_only import AppendOnly


class Dispensation(AppendOnly):
    """What somebody asked for: it frees nobody before a second person agrees.

    It is of one revision of a position: when that is revised, practices are bound again.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    revision = models.ForeignKey(PositionRevision, on_delete=models.PROTECT, related_name="dispensations")
    ods_codes = ArrayField(models.CharField(max_length=6))
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    reason = models.CharField(max_length=1000)
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="boycott_dispensation_ends_after_it_starts", condition=Q(ends_at__gt=F("starts_at"))
            ),
            models.CheckConstraint(
                name="boycott_dispensation_names_somebody", condition=Q(ods_codes__len__gt=0)
            ),
        ]

    def __str__(self) -> str:
        return f"dispensation {self.public_id}"


class DispensationStep(AppendOnly):
    """One thing that was done with it."""

    dispensation = models.ForeignKey(Dispensation, on_delete=models.PROTECT, related_name="steps")
    kind = models.CharField(max_length=10, choices=Step.choices())
    comment = models.CharField(max_length=1000)
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            # It is decided once; what was agreed can be ended once.
            models.UniqueConstraint(
                name="boycott_dispensationstep_decided_once",
                fields=["dispensation"],
                condition=~Q(kind=Step.ENDED.value),
            ),
            models.UniqueConstraint(
                name="boycott_dispensationstep_ended_once",
                fields=["dispensation"],
                condition=Q(kind=Step.ENDED.value),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.dispensation}: {self.kind}"
