"""What the reading floor keeps: conversions of refusals into a practice's stance."""

import uuid

from django.conf import settings
from django.db import models

from boycott.models import StanceRevision
from carerecords.append_only import AppendOnly
from carerecords.models import Practice
from consent.models import BulkRun


class Conversion(AppendOnly):
    """Refusals that no patient made were marked as errors, and the practice's stance was set instead."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    practice = models.ForeignKey(Practice, on_delete=models.PROTECT, related_name="conversions")
    run = models.OneToOneField(BulkRun, on_delete=models.PROTECT, related_name="conversion")
    stance = models.OneToOneField(StanceRevision, on_delete=models.PROTECT, related_name="+")
    # What stood before, to go back to; None: the practice had not answered.
    stance_before = models.ForeignKey(StanceRevision, on_delete=models.PROTECT, null=True, related_name="+")
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    refusals = models.PositiveIntegerField()
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    def __str__(self) -> str:
        return f"{self.practice}: {self.refusals} refusals"
