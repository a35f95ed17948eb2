"""Files of decisions, letters or patients: staged row by row, checked, and applied once approved.

The file itself is not kept. Its rows are, as they were typed, until the import is cancelled or a
month old: that is how a row that was refused can be mended and sent in again.
"""

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from carerecords.models import Patient, Practice
from consent.codes import ImportKind, ImportState, RowVerdict

UNDER_WAY = [ImportState.CHECKING, ImportState.APPLYING]


class Import(models.Model):
    """One file of a practice, from its upload to its end."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    practice = models.ForeignKey(Practice, on_delete=models.PROTECT, related_name="imports")
    kind = models.CharField(max_length=10, choices=ImportKind.choices())
    state = models.CharField(max_length=10, choices=ImportState.choices(), default=ImportState.CHECKING)
    file_name = models.CharField(max_length=100)
    sha256 = models.CharField(max_length=64)
    heading = ArrayField(models.TextField())
    uploaded_at = models.DateTimeField()
    uploaded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    # Moves with every step; an import whose worker died is taken up again by the sweep.
    moved_at = models.DateTimeField()
    # Why all of it was stopped, in the words of the page.
    problem = models.CharField(max_length=300, blank=True)
    total = models.PositiveIntegerField(default=0)
    new = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    history = models.PositiveIntegerField(default=0)
    same = models.PositiveIntegerField(default=0)
    repeated = models.PositiveIntegerField(default=0)
    bad = models.PositiveIntegerField(default=0)
    # Of what would be written: consent given, the additional part of it, and refusals it would end.
    consents = models.PositiveIntegerField(default=0)
    additional = models.PositiveIntegerField(default=0)
    ends_refusal = models.PositiveIntegerField(default=0)
    approved_at = models.DateTimeField(null=True)
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    # What it did. Patients are registered without a run: it would need them to exist before.
    run = models.OneToOneField(
        "consent.BulkRun", on_delete=models.PROTECT, null=True, related_name="import_applied"
    )
    # Of a patient list: how many were registered, and how many could no longer be.
    registered = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    finished_at = models.DateTimeField(null=True)
    cancelled_at = models.DateTimeField(null=True)
    cancelled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        indexes = [
            models.Index(fields=["practice", "-uploaded_at"], name="import_practice"),
            models.Index(fields=["moved_at"], name="import_under_way", condition=Q(state__in=UNDER_WAY)),
        ]
        constraints = [
            models.CheckConstraint(
                name="consent_import_approved_by_somebody",
                condition=Q(approved_at__isnull=True, approved_by__isnull=True)
                | Q(approved_at__isnull=False, approved_by__isnull=False),
            ),
            models.CheckConstraint(
                name="consent_import_cancelled_by_somebody",
                condition=Q(cancelled_at__isnull=True, cancelled_by__isnull=True)
                | Q(cancelled_at__isnull=False, cancelled_by__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.public_id}"

    @property
    def writes(self) -> int:
        """How many rows would be written."""
        return self.new + self.changed + self.history


class ImportRow(models.Model):
    """One row of a file: what was typed, what it was read as, and what it would do.

    Written by COPY and deleted with its import; without foreign keys in the database, whose checks
    would cost more than the rows themselves.
    """

    belongs_to = models.ForeignKey(
        Import, on_delete=models.CASCADE, related_name="rows", db_index=False, db_constraint=False
    )
    # As a spreadsheet shows it: the heading is row 1.
    number = models.PositiveIntegerField()
    cells = ArrayField(models.TextField())
    nhs_number = models.CharField(max_length=10, blank=True)
    born_on = models.DateField(null=True)
    # The decision, the day of the decision, letter or registration, and what goes with it.
    preference = models.CharField(max_length=20, blank=True)
    source = models.CharField(max_length=20, blank=True)
    day = models.DateField(null=True)
    reference = models.CharField(max_length=50, blank=True)
    note = models.CharField(max_length=1000, blank=True)
    representative_name = models.CharField(max_length=100, blank=True)
    representative_authority = models.CharField(max_length=100, blank=True)
    returned = models.BooleanField(default=False)
    # What only a patient list has: names, gender, address, postcode, the usual GP's number.
    person = models.JSONField(null=True)
    verdict = models.CharField(max_length=8, choices=RowVerdict.choices(), default=RowVerdict.PENDING)
    problem = models.TextField(blank=True)
    patient = models.ForeignKey(
        Patient,
        on_delete=models.DO_NOTHING,
        null=True,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    # The decision that stood when the file was checked; another one now means: leave it alone.
    seen_event = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="consent_importrow_number", fields=["belongs_to", "number"]),
        ]

    def __str__(self) -> str:
        return f"row {self.number} of {self.belongs_to_id}"
