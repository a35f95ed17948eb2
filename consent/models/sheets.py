"""Consent sheets: a user's frozen list of patients, worked through one after another.

The list is made once, so that it has an end; who is on it does not change while it is worked on.
"""

import uuid

from django.conf import settings
from django.db import models

from carerecords.models import Patient, Practice
from consent.codes import Preference
from consent.models.events import ConsentEvent


class Sheet(models.Model):
    """The patients a user has in hand. `typed` holds what stands at the top of it, as it was typed."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    practice = models.ForeignKey(Practice, on_delete=models.PROTECT, related_name="sheets")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    # How the patients were chosen, and who of them was left out, in words.
    chosen = models.CharField(max_length=200)
    left_out = models.CharField(max_length=300, blank=True)
    size = models.PositiveSmallIntegerField()
    typed = models.JSONField(default=dict)
    # Counts the presses of "Save decisions": a result page names the one it tells of.
    presses = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField()
    touched_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["user", "-touched_at"], name="sheet_user")]

    def __str__(self) -> str:
        return str(self.public_id)


class SheetRow(models.Model):
    """One patient of a sheet.

    `answer` was chosen and is not saved; `event` is the decision that the row was saved as.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    sheet = models.ForeignKey(Sheet, on_delete=models.CASCADE, related_name="rows", db_index=False)
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+", db_index=False)
    position = models.PositiveSmallIntegerField()
    # The decision that stood when the list was frozen: another one now is not overwritten.
    seen_event = models.BigIntegerField(null=True)
    # Sent twice it is one decision. A row whose decision was undone gets a new one.
    form_key = models.UUIDField(default=uuid.uuid4)
    answer = models.CharField(max_length=20, choices=Preference.choices(), blank=True)
    event = models.ForeignKey(
        ConsentEvent, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    # The press of "Save decisions" that last had an answer for this row, and why it was not saved.
    press = models.PositiveIntegerField(null=True)
    fault = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="consent_sheetrow_once_a_sheet", fields=["sheet", "patient"]),
            models.UniqueConstraint(name="consent_sheetrow_position", fields=["sheet", "position"]),
        ]

    def __str__(self) -> str:
        return f"{self.position} of {self.sheet_id}"
