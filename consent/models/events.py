"""Consent events: append-only, bitemporal."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from carerecords.append_only import AppendOnly
from carerecords.models import Patient, Practice
from consent.codes import ConsentModel, EventKind, Preference, Source


class ConsentEvent(AppendOnly):
    """One decision of a patient, or the taking back of an earlier event.

    `decided_on` and `effective_from` say what was true; `recorded_at` says when we knew. Nothing
    is edited: a mistake is reversed by an event that names it, and both stay.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    patient = models.ForeignKey(
        Patient, on_delete=models.PROTECT, related_name="consent_events", db_index=False
    )
    # The practice that recorded it, which may not be the patient's practice later.
    practice = models.ForeignKey(Practice, on_delete=models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(max_length=8, choices=[(kind.value, kind.value) for kind in EventKind])
    preference = models.CharField(max_length=20, choices=Preference.choices(), blank=True)
    source = models.CharField(max_length=20, choices=Source.choices(), blank=True)
    decided_on = models.DateField(null=True)
    effective_from = models.DateField(null=True)
    reference = models.CharField(max_length=50, blank=True)
    note = models.CharField(max_length=1000, blank=True)
    representative_name = models.CharField(max_length=100, blank=True)
    representative_authority = models.CharField(max_length=100, blank=True)
    reverses = models.OneToOneField(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="reversed_by",
    )
    # The decision that the recorder saw and replaced; without it, two of one day may conflict.
    supersedes = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="superseded_by",
        db_index=False,
    )
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    # The form it came by, made when the form was drawn: the same form sent twice is one decision.
    form_key = models.UUIDField(null=True, blank=True, unique=True)
    # The bulk run it was recorded by, which can take back all that it recorded.
    run = models.ForeignKey(
        "consent.BulkRun",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="events",
        db_index=False,
    )

    class Meta:
        indexes = [
            models.Index(fields=["patient", "id"], name="consentevent_patient"),
            # Bursts of refusals are looked for by practice and time of recording.
            models.Index(fields=["practice", "recorded_at"], name="consentevent_recorded"),
            models.Index(fields=["run"], name="consentevent_run", condition=Q(run__isnull=False)),
        ]
        constraints = [
            models.CheckConstraint(
                name="consent_consentevent_says_what_its_kind_needs",
                condition=Q(
                    kind=EventKind.DECISION.value,
                    reverses__isnull=True,
                    decided_on__isnull=False,
                    effective_from__isnull=False,
                )
                & ~Q(preference="")
                & ~Q(source="")
                | Q(
                    kind=EventKind.REVERSAL.value,
                    reverses__isnull=False,
                    preference="",
                    source="",
                )
                | Q(kind=EventKind.INVALID.value, reverses__isnull=False, preference="", source="")
                & ~Q(note=""),
            ),
            models.CheckConstraint(
                name="consent_consentevent_withdrawal_says_why",
                condition=~Q(preference=Preference.WITHDRAWN) | ~Q(note=""),
            ),
            models.CheckConstraint(
                name="consent_consentevent_representative_is_named",
                condition=~Q(source=Source.REPRESENTATIVE)
                | (~Q(representative_name="") & ~Q(representative_authority="")),
            ),
            models.CheckConstraint(
                name="consent_consentevent_paper_has_a_reference",
                condition=~Q(source__in=[Source.LETTER, Source.FORM]) | ~Q(reference=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.public_id}"


class ConsentModelProposal(AppendOnly):
    """What one national admin asks for; another makes it the rule, or nobody does."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    model = models.CharField(max_length=30, choices=ConsentModel.choices())
    letter_weeks = models.PositiveSmallIntegerField()
    reason = models.CharField(max_length=1000)
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    def __str__(self) -> str:
        return f"{self.model} proposed"


class ConsentModelRevision(AppendOnly):
    """From when the nation asks for express consent, or takes silence after a letter for consent."""

    model = models.CharField(max_length=30, choices=ConsentModel.choices())
    effective_from = models.DateField()
    # How long after the letter a patient who said nothing counts as content.
    letter_weeks = models.PositiveSmallIntegerField(default=12)
    reason = models.CharField(max_length=1000)
    # None for what was set before there were proposals: the demo's, and history's.
    proposal = models.OneToOneField(
        ConsentModelProposal, on_delete=models.PROTECT, null=True, blank=True, related_name="revision"
    )
    recorded_at = models.DateTimeField()
    recorded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    def __str__(self) -> str:
        return f"{self.model} from {self.effective_from}"


class PreferenceCode(AppendOnly):
    """A SNOMED CT id that an administrator filled in for a preference; the newest counts."""

    preference = models.CharField(max_length=20, choices=Preference.choices())
    snomed_id = models.CharField(max_length=18)
    set_at = models.DateTimeField()
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    def __str__(self) -> str:
        return f"{self.preference}: {self.snomed_id}"
