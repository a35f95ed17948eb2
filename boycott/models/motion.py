"""Motions of the union's meetings: each change a new revision with a number; nothing is edited."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from boycott.positions import Direction, MotionStatus
from carerecords.append_only import AppendOnly


class MotionRevision(AppendOnly):
    """One revision of one motion (`motion`); the one with the highest number stands."""

    motion = models.UUIDField(default=uuid.uuid4, editable=False)
    number = models.PositiveIntegerField()
    body = models.CharField(max_length=100, help_text="Whose motion it is, for example the BMA")
    meeting = models.CharField(max_length=200)
    met_on = models.DateField()
    title = models.CharField(max_length=100)
    text = models.TextField(help_text="Its full wording")
    proposer = models.CharField(max_length=100, blank=True)
    # Not every meeting counts: none of the three means that it was not recorded.
    votes_for = models.PositiveIntegerField(null=True, blank=True)
    votes_against = models.PositiveIntegerField(null=True, blank=True)
    votes_abstained = models.PositiveIntegerField(null=True, blank=True)
    status = models.CharField(max_length=10, choices=MotionStatus.choices())
    direction = models.CharField(max_length=15, choices=Direction.choices())
    reason = models.CharField(max_length=1000, blank=True, help_text="Why it was changed")
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(name="boycott_motionrevision_one_a_number", fields=["motion", "number"]),
            models.CheckConstraint(
                name="boycott_motionrevision_votes_are_counted_together",
                condition=Q(votes_for__isnull=True, votes_against__isnull=True, votes_abstained__isnull=True)
                | Q(votes_for__isnull=False, votes_against__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.body}, {self.meeting})"
