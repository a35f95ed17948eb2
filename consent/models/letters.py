"""Letters that tell patients of the record and how to refuse, and decisions put off."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from carerecords.append_only import AppendOnly
from carerecords.models import Patient, Practice
from consent.codes import LetterEvent


class NoticeLetter(AppendOnly):
    """A notice letter that was sent, came back undelivered, or was noted by mistake.

    `Patient.letter_sent_on` is the last day on which a letter was sent that did not come back; it
    starts the time a patient has to object (product page 3).
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="letters")
    practice = models.ForeignKey(Practice, on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=8, choices=LetterEvent.choices())
    sent_on = models.DateField(null=True)
    reference = models.CharField(max_length=50, blank=True)
    about = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="answered_by"
    )
    run = models.ForeignKey(
        "consent.BulkRun", on_delete=models.PROTECT, null=True, blank=True, related_name="letters"
    )
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["patient", "id"], name="noticeletter_patient")]
        constraints = [
            models.CheckConstraint(
                name="consent_noticeletter_names_its_day_or_its_letter",
                condition=Q(kind=LetterEvent.SENT, sent_on__isnull=False, about__isnull=True)
                | Q(kind__in=[LetterEvent.RETURNED, LetterEvent.REVERSAL], about__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.public_id}"


class Deferral(AppendOnly):
    """A decision put off: the sheet does not ask again until the day."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="deferrals")
    practice = models.ForeignKey(Practice, on_delete=models.PROTECT, related_name="+")
    until = models.DateField()
    reason = models.CharField(max_length=200)
    run = models.ForeignKey(
        "consent.BulkRun", on_delete=models.PROTECT, null=True, blank=True, related_name="deferrals"
    )
    # Ends the deferral named: asked again at once.
    ends = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="ended_by"
    )
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["patient", "-until"], name="deferral_patient")]

    def __str__(self) -> str:
        return f"until {self.until}"
