"""Bulk runs: one answer for many patients, whose list is frozen before anybody confirms it.

The list is made when the check page is shown, and exactly that list is worked on: patients that
match a filter later are not in it, and one who decided meanwhile is left alone and named.
"""

import uuid
from typing import NamedTuple

from django.conf import settings
from django.db import models
from django.db.models import Q

from carerecords.models import Patient, Practice
from consent.codes import BulkKind, Preference, RowResult, RunState, Source


class BulkRun(models.Model):
    """One bulk action of a practice, from its check page to its end or its undoing."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    practice = models.ForeignKey(Practice, on_delete=models.PROTECT, related_name="bulk_runs")
    kind = models.CharField(max_length=12, choices=BulkKind.choices())
    state = models.CharField(max_length=8, choices=RunState.choices(), default=RunState.CHECK)
    # How the patients were chosen, in words, for the check page and the history.
    chosen = models.CharField(max_length=300, blank=True)
    # The one answer for all. Imports have one a row, in the import's own rows.
    preference = models.CharField(max_length=20, choices=Preference.choices(), blank=True)
    source = models.CharField(max_length=20, choices=Source.choices(), blank=True)
    day = models.DateField(null=True)
    reference = models.CharField(max_length=50, blank=True)
    note = models.CharField(max_length=1000, blank=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    started_at = models.DateTimeField(null=True)
    # Moves with every chunk; a run whose worker died is taken up again by the sweep.
    moved_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    undone_at = models.DateTimeField(null=True)
    undone_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    total = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    already = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    taken_back = models.PositiveIntegerField(default=0)
    kept = models.PositiveIntegerField(default=0)

    class Meta:
        indexes = [
            models.Index(fields=["practice", "-created_at"], name="bulkrun_practice"),
            models.Index(
                fields=["moved_at"],
                name="bulkrun_under_way",
                condition=Q(state__in=[RunState.QUEUED, RunState.RUNNING, RunState.UNDOING]),
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="consent_bulkrun_undone_by_somebody",
                condition=Q(undone_by__isnull=True, undone_at__isnull=True) | Q(undone_by__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.public_id}"

    @property
    def done(self) -> int:
        """How many rows have been worked on."""
        return self.changed + self.already + self.skipped


class BulkRow(models.Model):
    """One patient of a run, and what became of it."""

    run = models.ForeignKey(BulkRun, on_delete=models.CASCADE, related_name="rows", db_index=False)
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+", db_index=False)
    position = models.PositiveIntegerField()
    # The decision that stood when the list was frozen; another one now means: leave it alone.
    seen_event = models.BigIntegerField(null=True)
    result = models.CharField(max_length=8, choices=RowResult.choices(), default=RowResult.PENDING)
    # Code of `consent.codes.RowReason`: why it was skipped, or kept when the rest was undone.
    why = models.CharField(max_length=16, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="consent_bulkrow_once_a_run", fields=["run", "patient"]),
            models.UniqueConstraint(name="consent_bulkrow_position", fields=["run", "position"]),
        ]
        indexes = [
            models.Index(fields=["run", "result", "position"], name="bulkrow_result"),
        ]

    def __str__(self) -> str:
        return f"{self.position} of {self.run_id}"


class ChunkRow(NamedTuple):
    """A row as the work on a chunk sees it: thousands at a time, so no model is made of any."""

    pk: int
    patient_id: int
    position: int
    seen_event: int | None
