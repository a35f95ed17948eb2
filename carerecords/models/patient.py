"""Patients and their registrations."""

import datetime
import uuid
from typing import Self

from django.conf import settings
from django.contrib.postgres.indexes import OpClass
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Upper

from carerecords.keyset import NewestFirst
from carerecords.models.practice import Practice


class PatientQuerySet(models.QuerySet["Patient"]):
    """Chainable filters over patients."""

    def of(self, practice: Practice) -> Self:
        """Patients registered at a practice, now or last."""
        return self.filter(practice=practice)

    def here(self) -> Self:
        """Alive and registered: the practice's list as it stands."""
        return self.filter(left_on__isnull=True, died_on__isnull=True)

    def lock(self) -> Self:
        """The lock that every change of a fact about a patient takes first.

        Senders hold `FOR KEY SHARE` on the patients of a batch until its sends are over, so
        such a change waits for the batch and no send begins after it commits (docs/adr).
        """
        return self.select_for_update(of=("self",))


class Patient(models.Model):
    """One made-up person. URLs carry `public_id`, never the NHS number."""

    class Gender(models.TextChoices):
        MALE = "MALE", "Male"
        FEMALE = "FEMALE", "Female"
        OTHER = "OTHER", "Other Specific"
        NOT_KNOWN = "NOT_KNOWN", "Not Known"
        NOT_SPECIFIED = "NOT_SPECIFIED", "Not Specified"

    class Identity(models.TextChoices):
        VERIFIED = "VERIFIED", "Matches the Spine"
        UNVERIFIED = "UNVERIFIED", "Not checked with the Spine"
        MISMATCH = "MISMATCH", "Does not match the Spine"

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    # Every decision writes a new entry into each index of this table. So none is there twice: what begins
    # with a foreign key serves it too, and the NHS number is looked up whole, never by its beginning.
    practice = models.ForeignKey(Practice, on_delete=models.PROTECT, related_name="patients", db_index=False)
    usual_gp = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="usual_patients",
        db_index=False,
    )
    nhs_number = models.CharField(max_length=10)
    title = models.CharField(max_length=20, blank=True)
    given_name = models.CharField(max_length=35)
    family_name = models.CharField(max_length=35)
    preferred_name = models.CharField(max_length=35, blank=True)
    born_on = models.DateField()
    gender = models.CharField(max_length=13, choices=Gender)
    address = models.CharField(max_length=200, blank=True)
    postcode = models.CharField(max_length=8, blank=True)
    identity = models.CharField(max_length=10, choices=Identity, default=Identity.UNVERIFIED)
    is_sensitive = models.BooleanField(default=False)
    registered_on = models.DateField()
    left_on = models.DateField(null=True, blank=True)
    died_on = models.DateField(null=True, blank=True)
    letter_sent_on = models.DateField(null=True, blank=True)

    # Derived from the consent events by `consent.rules.state_from` and written only by
    # `consent.actions`; kept here so that one index serves the list at any depth, and the gate
    # reads one row a patient. Values: `consent.codes.ConsentState`.
    consent_state = models.CharField(max_length=20, default="NONE", db_default="NONE")
    consent_source = models.CharField(max_length=20, blank=True, default="", db_default="")
    consent_decided_on = models.DateField(null=True, blank=True)
    consent_event_id = models.BigIntegerField(null=True, blank=True)
    # The day on which the derived state changes by itself; past it, the state is not trusted.
    consent_changes_on = models.DateField(null=True, blank=True)

    objects = PatientQuerySet.as_manager()

    class Meta:
        indexes = [
            # The list's sort order, for keyset paging; with and without a decision filter.
            models.Index(
                fields=["practice", "family_name", "given_name", "id"],
                name="patient_list",
            ),
            models.Index(
                fields=["practice", "consent_state", "family_name", "given_name", "id"],
                name="patient_list_by_state",
            ),
            # The same by date of decision.
            models.Index(
                F("practice"),
                NewestFirst("consent_decided_on"),
                "family_name",
                "given_name",
                "id",
                name="patient_list_by_decision",
            ),
            # Counts of living, registered patients, in all or by decision.
            models.Index(
                fields=["practice", "consent_state"],
                name="patient_here_by_state",
                condition=Q(left_on__isnull=True, died_on__isnull=True),
            ),
            # Prefix search by family name, whatever the case.
            models.Index(
                F("practice"),
                OpClass(Upper("family_name"), name="text_pattern_ops"),
                name="patient_family_prefix",
            ),
            # One word may be either name: without this, a search for it reads the whole practice.
            models.Index(F("practice"), Upper("given_name"), name="patient_given"),
            models.Index(fields=["practice", "born_on"], name="patient_born"),
            models.Index(fields=["practice", "postcode"], name="patient_postcode"),
            models.Index(fields=["usual_gp"], name="patient_usual_gp"),
            models.Index(
                fields=["consent_changes_on"],
                name="patient_consent_changes",
                condition=Q(consent_changes_on__isnull=False),
            ),
        ]
        constraints = [
            models.UniqueConstraint(name="carerecords_patient_nhs_number", fields=["nhs_number"]),
            models.CheckConstraint(
                name="carerecords_patient_nhs_number_is_ten_digits",
                condition=Q(nhs_number__regex=r"^[0-9]{10}$"),
            ),
            models.CheckConstraint(
                name="carerecords_patient_leaves_after_registering",
                condition=Q(left_on__isnull=True) | Q(left_on__gte=F("registered_on")),
            ),
        ]

    def __str__(self) -> str:
        # Not the name: this text reaches logs.
        return str(self.public_id)

    def is_alive_on(self, day: datetime.date) -> bool:
        return self.died_on is None or self.died_on > day

    def is_here_on(self, day: datetime.date) -> bool:
        """Alive and registered on a day."""
        left = self.left_on is not None and self.left_on <= day
        return not left and self.is_alive_on(day)


class Registration(models.Model):
    """One stay of a patient at a practice. Consent is the patient's, so it follows them."""

    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="registrations")
    practice = models.ForeignKey(Practice, on_delete=models.PROTECT, related_name="registrations")
    registered_on = models.DateField()
    left_on = models.DateField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="carerecords_registration_one_at_a_time",
                fields=["patient"],
                condition=Q(left_on__isnull=True),
            ),
            models.CheckConstraint(
                name="carerecords_registration_leaves_after_registering",
                condition=Q(left_on__isnull=True) | Q(left_on__gte=F("registered_on")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.patient_id} at {self.practice_id}"
