"""What a patient's summary is made of."""

from django.db import models

from carerecords.models.patient import Patient


class SummaryItem(models.Model):
    """One coded entry of the practice's record that may go into a summary.

    `kind` is a `carerecords.summary_codes.EntryKind`; whether an item goes depends on the scope,
    the windows and the sensitive exclusion (`spine.messages.select`).
    """

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="summary_items")
    kind = models.CharField(max_length=30)
    # Blank where the practice's entry has only words: a guessed id would be a clinical safety fault.
    code = models.CharField(max_length=18, blank=True, help_text="SNOMED CT or dm+d id")
    term = models.CharField(max_length=200)
    detail = models.CharField(max_length=300, blank=True)
    recorded_on = models.DateField()
    ended_on = models.DateField(null=True, blank=True)
    is_sensitive = models.BooleanField(default=False)

    class Meta:
        indexes = [models.Index(fields=["patient", "kind"], name="summaryitem_patient")]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
