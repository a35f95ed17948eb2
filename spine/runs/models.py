"""Runs of sending: what was asked for, by whom, for which patients, and every step.

The rows are a work list: a patient's row names the job that the run asked for, or why it asked for none.
What became of a job stands in the job and its proof; the steps only grow.
"""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from carerecords.append_only import AppendOnly
from carerecords.models import Patient, Practice, UploadJob
from spine.runs.codes import UNDER_WAY, RunGroup, RunKind, RunState, RunStep
from spine.runs.hours import MIDNIGHT, SendingHours, When


class SendingRun(models.Model):
    """One bulk run of a practice, or of the programme for many practices."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    # Whose it is; none: the programme's.
    practice = models.ForeignKey(
        Practice, on_delete=models.PROTECT, null=True, related_name="sending_runs", db_index=False
    )
    kind = models.CharField(max_length=16, choices=RunKind.choices())
    group = models.CharField(max_length=8, choices=RunGroup.choices(), default=RunGroup.ALL)
    # Only those who match a filter of the practice's list, as its address has it.
    list_filter = models.CharField(max_length=300, blank=True, default="", db_default="")
    # An update is only for copies that are older than so many days.
    older_than_days = models.PositiveSmallIntegerField(null=True)
    hours = models.CharField(max_length=12, choices=When.choices(), default=When.ANY)
    opens = models.TimeField(default=MIDNIGHT)
    closes = models.TimeField(default=MIDNIGHT)
    state = models.CharField(max_length=9, choices=RunState.choices(), default=RunState.DRAFT)
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            # A second would ask for what the first asks for already.
            models.UniqueConstraint(
                name="spine_sendingrun_one_of_a_kind",
                fields=["practice", "kind"],
                condition=Q(state__in=UNDER_WAY),
            ),
            models.CheckConstraint(
                name="spine_sendingrun_hours_have_a_length",
                condition=Q(hours=When.ANY) | ~Q(opens=models.F("closes")),
            ),
        ]
        indexes = [
            models.Index(fields=["practice", "-id"], name="sendingrun_practice"),
            models.Index(fields=["state"], name="sendingrun_under_way", condition=Q(state__in=UNDER_WAY)),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.public_id}"

    @property
    def sending_hours(self) -> SendingHours:
        return SendingHours(When(self.hours), self.opens, self.closes)


class SendingRunStep(AppendOnly):
    """What was done with a run, when and by whom; nobody where it finished by itself."""

    run = models.ForeignKey(SendingRun, on_delete=models.PROTECT, related_name="steps")
    kind = models.CharField(max_length=9, choices=RunStep.choices())
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    def __str__(self) -> str:
        return f"{self.kind} run {self.run_id}"


class SendingShare(models.Model):
    """One practice of a run. Its patients are listed when its turn comes: thousands of practices would
    make whoever presses the button wait."""

    run = models.ForeignKey(SendingRun, on_delete=models.PROTECT, related_name="shares", db_index=False)
    practice = models.ForeignKey(Practice, on_delete=models.PROTECT, related_name="+", db_index=False)
    taken_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="spine_sendingshare_once", fields=["run", "practice"]),
        ]
        indexes = [
            models.Index(fields=["run", "id"], name="sendingshare_to_take", condition=Q(taken_at=None)),
            models.Index(fields=["practice", "-run"], name="sendingshare_practice"),
        ]

    def __str__(self) -> str:
        return f"{self.practice_id} in {self.run_id}"


class SendingRow(models.Model):
    """One patient of a run: the job that was asked for, or why none was; neither while it is to come."""

    run = models.ForeignKey(SendingRun, on_delete=models.PROTECT, related_name="rows", db_index=False)
    patient = models.ForeignKey(Patient, on_delete=models.PROTECT, related_name="+", db_index=False)
    job = models.OneToOneField(UploadJob, on_delete=models.PROTECT, null=True, related_name="sending_row")
    # Code of `spine.reasons.Reason`.
    why = models.CharField(max_length=30, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="spine_sendingrow_once_a_run", fields=["run", "patient"]),
        ]
        indexes = [
            models.Index(fields=["run", "id"], name="sendingrow_to_ask", condition=Q(job=None, why="")),
        ]

    def __str__(self) -> str:
        return f"{self.patient_id} in {self.run_id}"
