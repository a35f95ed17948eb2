"""Who opened whose record, and what they did there."""

from django.conf import settings
from django.db import models

from carerecords.append_only import AppendOnly
from carerecords.models.patient import Patient
from carerecords.models.practice import Practice


class AccessEvent(AppendOnly):
    """One reading or change of patient data by one person. Append-only."""

    class Kind(models.TextChoices):
        VIEWED = "VIEWED", "Opened the record"
        LISTED = "LISTED", "Listed patients"
        SEARCHED = "SEARCHED", "Searched for patients"
        DECISION = "DECISION", "Recorded a decision"
        UNDO = "UNDO", "Undid a decision"
        PREVIEWED = "PREVIEWED", "Read what an upload would contain"
        BULK = "BULK", "Worked on several patients at once"
        IMPORTED = "IMPORTED", "Imported a file"
        EXPORTED = "EXPORTED", "Exported patients"
        PRINTED = "PRINTED", "Printed a letter"
        VOTED = "VOTED", "Answered a survey or voted"
        RESULTS = "RESULTS", "Looked at survey results"
        REFUSED = "REFUSED", "Was refused"

    at = models.DateTimeField()
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    role = models.CharField(max_length=20)
    practice = models.ForeignKey(Practice, on_delete=models.PROTECT, null=True, related_name="+")
    patient = models.ForeignKey(
        Patient, on_delete=models.PROTECT, null=True, related_name="access_events", db_index=False
    )
    kind = models.CharField(max_length=10, choices=Kind)
    # The page or interface, and counts; never names, numbers or search texts.
    detail = models.CharField(max_length=200, blank=True)
    rows = models.PositiveIntegerField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["patient", "-at"], name="access_patient"),
            models.Index(fields=["user", "-at"], name="access_user"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.at:%Y-%m-%d %H:%M:%S}"
