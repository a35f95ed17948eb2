"""The union's positions: each change is a new revision with a number; nothing is edited."""

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from boycott.positions import DataScope, Position, Strength
from carerecords.append_only import AppendOnly


class Scoped(AppendOnly):
    """What both a position and a writing of a change say of where it applies: nothing named, all England."""

    region_codes = ArrayField(models.CharField(max_length=3), default=list, blank=True)
    icb_codes = ArrayField(models.CharField(max_length=5), default=list, blank=True)
    ods_codes = ArrayField(models.CharField(max_length=6), default=list, blank=True)
    exempt_ods_codes = ArrayField(models.CharField(max_length=6), default=list, blank=True)

    class Meta:
        abstract = True

    @property
    def where(self) -> str:
        """Its scope in words."""
        named = [
            f"{label} {', '.join(codes)}"
            for label, codes in (
                ("Regions", self.region_codes),
                ("Integrated care boards", self.icb_codes),
                ("Practices", self.ods_codes),
            )
            if codes
        ]
        place = "; ".join(named) or "All England"
        exempt = f", except practices {', '.join(self.exempt_ods_codes)}" if self.exempt_ods_codes else ""
        return place + exempt


class PositionRevision(Scoped):
    """One revision of one line of policy (`line`), as a body adopted it.

    A line is a calendar: from `effective_from` on a revision holds instead of all with a lower number,
    until `effective_to` (exclusive). One that was withdrawn before it began never holds
    (`boycott.rules.standing`). Empty scope lists mean all England; exemptions are taken out of it.
    """

    line = models.UUIDField(default=uuid.uuid4, editable=False)
    number = models.PositiveIntegerField()
    body = models.CharField(max_length=100, help_text="Who adopted it, for example the BMA")
    position = models.CharField(max_length=25, choices=Position.choices())
    strength = models.CharField(max_length=12, choices=Strength.choices(), default=Strength.ADVICE)
    data_scope = models.CharField(max_length=16, choices=DataScope.choices(), default=DataScope.ALL)
    text = models.TextField(help_text="The words of the motion or statement")
    effective_from = models.DateTimeField()
    effective_to = models.DateTimeField(null=True, blank=True)
    end_condition = models.CharField(max_length=200, blank=True)
    review_on = models.DateField(null=True, blank=True)
    reason = models.CharField(max_length=1000)
    # The motion it rests on, as it read then, and the change that put it into force.
    motion = models.ForeignKey(
        "boycott.MotionRevision", on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    change = models.ForeignKey(
        "boycott.PolicyChange", on_delete=models.PROTECT, null=True, blank=True, related_name="revisions"
    )
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(name="boycott_positionrevision_one_a_number", fields=["line", "number"]),
            models.CheckConstraint(
                name="boycott_positionrevision_ends_after_it_starts",
                condition=Q(effective_to__isnull=True) | Q(effective_to__gt=F("effective_from")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.body}: {self.position} (revision {self.number})"
