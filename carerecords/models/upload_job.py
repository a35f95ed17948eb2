"""The upload-job row: the truth about what is to be sent. The broker only rings a bell."""

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from carerecords.models.patient import Patient
from carerecords.models.practice import Practice


class JobKind(models.TextChoices):
    UPLOAD = "UPLOAD", "Upload"
    WITHDRAWAL = "WITHDRAWAL", "Withdrawal"
    # The store's own copy of a patient, with a sentence that it is kept up no more.
    NOTICE = "NOTICE", "Notice"


class JobState(models.TextChoices):
    """Coarse states drive; the reason codes explain."""

    WAITING = "WAITING", "Waiting"
    HELD = "HELD", "Blocked"
    SENDING = "SENDING", "Sending"
    IN_DOUBT = "IN_DOUBT", "Being checked"
    ACCEPTED = "ACCEPTED", "Accepted"
    CANCELLED = "CANCELLED", "Cancelled"
    FAILED = "FAILED", "Failed"


class Cause(models.TextChoices):
    """What asked for the job."""

    DECISION = "DECISION", "A decision was recorded"
    UNDO = "UNDO", "A decision was undone"
    UPDATE = "UPDATE", "The record changed"
    RUN = "RUN", "A run of uploads asked for it"
    DEMO = "DEMO", "Made with the demo patients"


# Not begun: may be changed, superseded or cancelled by a new decision.
OPEN_STATES = [JobState.WAITING, JobState.HELD]
# Something may be on its way to the store.
BUSY_STATES = [JobState.SENDING, JobState.IN_DOUBT]

TRANSITIONS: dict[JobState, frozenset[JobState]] = {
    JobState.WAITING: frozenset({JobState.SENDING, JobState.CANCELLED}),
    JobState.HELD: frozenset({JobState.SENDING, JobState.WAITING, JobState.CANCELLED}),
    JobState.SENDING: frozenset(JobState) - {JobState.SENDING},
    JobState.IN_DOUBT: frozenset(
        {JobState.ACCEPTED, JobState.WAITING, JobState.HELD, JobState.CANCELLED, JobState.FAILED}
    ),
    JobState.FAILED: frozenset({JobState.WAITING, JobState.CANCELLED}),
    JobState.ACCEPTED: frozenset(),
    JobState.CANCELLED: frozenset(),
}


# How the first reason of a cancelled job begins where the store was asked and holds what it should, so nothing had to
# be sent, and the word for it. The reasons themselves are the sending's (`spine.reasons`).
NEEDLESS_REASON, NEEDLESS = "store.", "Nothing to send"


class UploadJob(models.Model):
    """One upload or withdrawal of one patient's summary, from asking to its end."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="upload_jobs", db_index=False)
    practice = models.ForeignKey(
        Practice, on_delete=models.PROTECT, related_name="upload_jobs", db_index=False
    )
    kind = models.CharField(max_length=10, choices=JobKind)
    state = models.CharField(max_length=10, choices=JobState, default=JobState.WAITING)
    cause = models.CharField(max_length=10, choices=Cause)
    requested_at = models.DateTimeField()
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    # Waiting: when it is looked at next. Held: when the answer may change by the calendar alone.
    due_at = models.DateTimeField(null=True)
    # Counts claims; every later write compares it, so a thawed worker overwrites nothing.
    attempt = models.PositiveIntegerField(default=0, db_default=0)
    # Counts sends that the store could not take; it climbs the retry ladder.
    failures = models.PositiveSmallIntegerField(default=0, db_default=0)
    # The answer to a message of it was lost, and the store, told No meanwhile, does not say whether it arrived.
    may_have_arrived = models.BooleanField(default=False, db_default=False)
    lease_until = models.DateTimeField(null=True)
    # The fact clock under which it was held.
    clock_seen = models.BigIntegerField(default=0, db_default=0)
    # Codes of `spine.reasons.Reason`, the headline first, and its sentence, for every page.
    reasons = ArrayField(models.CharField(max_length=30), default=list, blank=True)
    headline = models.CharField(max_length=300, blank=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="carerecords_uploadjob_one_open_a_patient",
                fields=["patient"],
                condition=Q(state__in=OPEN_STATES),
            ),
            models.UniqueConstraint(
                name="carerecords_uploadjob_one_busy_a_patient",
                fields=["patient"],
                condition=Q(state__in=BUSY_STATES),
            ),
            models.CheckConstraint(
                name="carerecords_uploadjob_leased_while_sending",
                condition=Q(state=JobState.SENDING, lease_until__isnull=False)
                | (~Q(state=JobState.SENDING) & Q(lease_until__isnull=True)),
            ),
            models.CheckConstraint(
                name="carerecords_uploadjob_finished_when_over",
                condition=Q(
                    state__in=[JobState.ACCEPTED, JobState.CANCELLED, JobState.FAILED],
                    finished_at__isnull=False,
                )
                | (
                    ~Q(
                        state__in=[
                            JobState.ACCEPTED,
                            JobState.CANCELLED,
                            JobState.FAILED,
                        ]
                    )
                    & Q(finished_at__isnull=True)
                ),
            ),
        ]
        indexes = [
            # Only open rows, from practice to practice and in each in the order in which they are
            # claimed: a claim reads what it takes, not what waits. Withdrawals are claimed first.
            models.Index(
                fields=["kind", "practice", "due_at"],
                name="uploadjob_due_by_practice",
                condition=Q(state__in=OPEN_STATES, due_at__isnull=False),
            ),
            models.Index(
                fields=["clock_seen"],
                name="uploadjob_held_longest",
                condition=Q(state=JobState.HELD),
            ),
            models.Index(
                fields=["practice", "clock_seen"],
                name="uploadjob_held",
                condition=Q(state=JobState.HELD),
            ),
            models.Index(
                fields=["lease_until"],
                name="uploadjob_lease",
                condition=Q(state=JobState.SENDING),
            ),
            models.Index(fields=["patient", "-id"], name="uploadjob_patient"),
            # What went wrong anywhere, for those who look after all practices: few rows ever.
            models.Index(fields=["kind", "id"], name="uploadjob_failed", condition=Q(state=JobState.FAILED)),
            models.Index(fields=["practice", "state", "-id"], name="uploadjob_practice"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.public_id} {self.state}"

    @property
    def first_reason(self) -> str | None:
        return self.reasons[0] if self.reasons else None

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES
