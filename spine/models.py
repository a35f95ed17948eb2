"""The proof of every send: gate decisions, attempts and receipts, all append-only.

`StoreCopy` alone is a working note: what we last knew of the store's copy of a patient.
"""

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from carerecords.append_only import AppendOnly
from carerecords.models import Patient, Practice, UploadJob
from spine.permission.differences import Difference, Ending
from spine.runs.models import SendingRow, SendingRun, SendingRunStep, SendingShare
from spine.sending.outgoing import NOTICE_HASH

__all__ = [
    "GateDecision",
    "PermissionAnswer",
    "PermissionCall",
    "PermissionMismatch",
    "PracticeTurn",
    "Receipt",
    "RequestPace",
    "SendingRow",
    "SendingRun",
    "SendingRunStep",
    "SendingShare",
    "StopRevision",
    "StopStep",
    "StoreCopy",
    "UploadAttempt",
    "UploadStep",
]


class GateDecision(AppendOnly):
    """One answer of the gate about one job, with every reason and the evidence it saw."""

    job = models.ForeignKey(UploadJob, on_delete=models.PROTECT, related_name="decisions", db_index=False)
    attempt = models.PositiveIntegerField()
    at = models.DateTimeField()
    outcome = models.CharField(max_length=6)
    scope = models.CharField(max_length=15, blank=True)
    reasons = ArrayField(models.CharField(max_length=30), default=list, blank=True)
    # Ids of what it rested on: consent event, stance, positions, stop, consent model.
    evidence = models.JSONField()
    engine = models.CharField(max_length=12)

    class Meta:
        indexes = [models.Index(fields=["job", "id"], name="gatedecision_job")]

    def __str__(self) -> str:
        return f"{self.outcome} for job {self.job_id}"


class UploadAttempt(AppendOnly):
    """The intent to send, committed before the first byte leaves."""

    job = models.ForeignKey(UploadJob, on_delete=models.PROTECT, related_name="attempts", db_index=False)
    attempt = models.PositiveIntegerField()
    at = models.DateTimeField()
    # The key of every send of this job's message: a repeat is recognised by the store.
    request_id = models.UUIDField()
    composition_id = models.UUIDField()
    # Of what the summary says, whatever its ids and times; equal content is not sent twice.
    content_hash = models.CharField(max_length=64)
    # When the message was first written: a repeat of equal content is equal to the byte.
    authored_at = models.DateTimeField()
    scope = models.CharField(max_length=15)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="spine_uploadattempt_once", fields=["job", "attempt"]),
        ]
        indexes = [models.Index(fields=["composition_id"], name="uploadattempt_composition")]

    def __str__(self) -> str:
        return f"attempt {self.attempt} of job {self.job_id}"


class Receipt(AppendOnly):
    """What became of an attempt: the store's answer, or why there is none."""

    job = models.ForeignKey(UploadJob, on_delete=models.PROTECT, related_name="receipts", db_index=False)
    attempt = models.PositiveIntegerField()
    at = models.DateTimeField()
    kind = models.CharField(max_length=16)
    http_status = models.PositiveSmallIntegerField(null=True)
    # Codes and our own words only; never text that could name a patient.
    detail = models.CharField(max_length=200, blank=True)
    composition_id = models.UUIDField(null=True)
    replaced_id = models.CharField(max_length=64, blank=True)
    # SHA-256 of the bytes sent, to compare with the store's ledger.
    body_sha256 = models.CharField(max_length=64, blank=True)

    class Meta:
        indexes = [models.Index(fields=["job", "id"], name="receipt_job")]

    def __str__(self) -> str:
        return f"{self.kind} for job {self.job_id}"


class UploadStep(AppendOnly):
    """What a person did about a job: when, and how it stood then."""

    class Kind(models.TextChoices):
        TRIED_AGAIN = "TRIED_AGAIN", "Tried again"
        CANCELLED = "CANCELLED", "Cancelled"

    job = models.ForeignKey(UploadJob, on_delete=models.PROTECT, related_name="steps", db_index=False)
    kind = models.CharField(max_length=12, choices=Kind)
    state = models.CharField(max_length=10)
    reasons = ArrayField(models.CharField(max_length=30), default=list, blank=True)
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        indexes = [models.Index(fields=["job", "id"], name="uploadstep_job")]

    def __str__(self) -> str:
        return f"{self.kind} job {self.job_id}"


class StoreCopy(models.Model):
    """What we last knew of the store's copy of one patient's summary."""

    patient = models.OneToOneField(
        Patient, on_delete=models.PROTECT, primary_key=True, related_name="store_copy"
    )
    composition_id = models.CharField(max_length=64, blank=True)
    content_hash = models.CharField(max_length=64, blank=True)
    scope = models.CharField(max_length=15, blank=True)
    is_blank = models.BooleanField(default=False)
    permission = models.CharField(max_length=4, blank=True)
    accepted_at = models.DateTimeField(null=True)
    read_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="spine_storecopy_permission_is_known",
                condition=Q(permission__in=["", "Yes", "Ask", "No"]),
            )
        ]

    def __str__(self) -> str:
        return f"copy of {self.patient_id}"

    @property
    def has_notice(self) -> bool:
        """Whether it says of itself that it is kept up no more."""
        return self.content_hash.startswith(NOTICE_HASH)


class PermissionCall(AppendOnly):
    """A person asked the store for a patient's permission, or set it; committed before the call."""

    class Act(models.TextChoices):
        READ = "READ", "Asked the Spine"
        SET = "SET", "Set at the Spine"

    patient = models.ForeignKey(
        Patient, on_delete=models.PROTECT, related_name="permission_calls", db_index=False
    )
    act = models.CharField(max_length=4, choices=Act)
    # What it was set to; nothing where the store was only asked.
    code = models.CharField(max_length=4, blank=True)
    request_id = models.UUIDField(unique=True)
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="spine_permissioncall_sets_a_code",
                condition=Q(act="READ", code="") | Q(act="SET", code__in=["Ask", "No"]),
            )
        ]
        indexes = [models.Index(fields=["patient", "id"], name="permissioncall_patient")]

    def __str__(self) -> str:
        return f"{self.act} {self.code}"


class PermissionAnswer(AppendOnly):
    """What the store answered to a person's call; a call without one was never answered to us."""

    call = models.OneToOneField(PermissionCall, on_delete=models.PROTECT, related_name="answer")
    at = models.DateTimeField()
    kind = models.CharField(max_length=16)
    http_status = models.PositiveSmallIntegerField(null=True)
    # Codes only; never text that could name a patient.
    detail = models.CharField(max_length=200, blank=True)
    # What holds at the store by this answer; nothing where it does not tell.
    permission = models.CharField(max_length=4, blank=True)

    def __str__(self) -> str:
        return f"{self.kind} to call {self.call_id}"


class PermissionMismatch(models.Model):
    """The store's permission and the patient's decision here were found to disagree, until they agreed."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="permission_mismatches")
    kind = models.CharField(max_length=15, choices=Difference.choices())
    found_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    ending = models.CharField(max_length=7, choices=Ending.choices(), blank=True)
    # Whose call ended it; nobody's where the facts changed by themselves.
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="spine_permissionmismatch_one_open", fields=["patient"], condition=Q(ended_at=None)
            ),
            models.CheckConstraint(
                name="spine_permissionmismatch_ended_somehow",
                condition=Q(ended_at=None, ending="", settled_by=None)
                | (Q(ended_at__isnull=False) & ~Q(ending="")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.patient_id}"


class StopRevision(AppendOnly):
    """The programme's emergency stop, set or lifted; the latest row stands."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    stopped = models.BooleanField()
    reason = models.CharField(max_length=1000)
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    def __str__(self) -> str:
        return "stopped" if self.stopped else "running"


class StopStep(AppendOnly):
    """What followed a stop: its review, and what was asked and answered about resuming."""

    class Kind(models.TextChoices):
        REVIEWED = "REVIEWED", "Stop reviewed"
        RESUME_ASKED = "RESUME_ASKED", "Asked to resume uploads"
        RESUME_DECLINED = "RESUME_DECLINED", "Resuming declined"
        RESUME_AGREED = "RESUME_AGREED", "Resuming agreed"

    stop = models.ForeignKey(StopRevision, on_delete=models.PROTECT, related_name="steps")
    kind = models.CharField(max_length=15, choices=Kind)
    note = models.CharField(max_length=1000)
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    def __str__(self) -> str:
        return self.get_kind_display()


class RequestPace(models.Model):
    """The one row from which all processes reserve their requests to the store (`spine.sending.rate`)."""

    # When the next request may leave, by the database's clock.
    next_at = models.DateTimeField()
    # The store asked everybody to wait until then.
    paused_until = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"next request at {self.next_at}"


class PracticeTurn(models.Model):
    """When a practice's jobs were last taken: a number that grows, not a time (`spine.sending.claims`)."""

    practice = models.OneToOneField(Practice, on_delete=models.CASCADE, primary_key=True, related_name="+")
    number = models.BigIntegerField()

    def __str__(self) -> str:
        return f"turn {self.number} of {self.practice_id}"
