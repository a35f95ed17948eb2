"""Changes of policy on their way: what would take effect, and every step. All append-only."""

import datetime
import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from boycott.change_states import Cause, ChangeState, Step, state_after
from boycott.models.motion import MotionRevision
from boycott.models.position import PositionRevision, Scoped
from boycott.positions import DataScope, Position, Strength
from carerecords.append_only import AppendOnly


class PolicyChange(AppendOnly):
    """One change of one line of policy. What it says and where it stands are rows of their own."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    line = models.UUIDField()
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    def __str__(self) -> str:
        return f"change {self.public_id}"


class ChangeContent(Scoped):
    """One writing of a change: all of what it would put into force but the guidance, which names it."""

    change = models.ForeignKey(PolicyChange, on_delete=models.PROTECT, related_name="contents")
    number = models.PositiveIntegerField()
    motion = models.ForeignKey(MotionRevision, on_delete=models.PROTECT, related_name="+")
    position = models.CharField(max_length=25, choices=Position.choices())
    strength = models.CharField(max_length=12, choices=Strength.choices())
    data_scope = models.CharField(max_length=16, choices=DataScope.choices())
    text = models.TextField(help_text="The words that practices read; most often the motion's own")
    # None: in the moment of its approval.
    starts_at = models.DateTimeField(null=True, blank=True)
    ends_at = models.DateTimeField(null=True, blank=True)
    end_condition = models.CharField(max_length=200, blank=True)
    review_on = models.DateField(null=True, blank=True)
    reason = models.CharField(max_length=1000)
    # How many revisions and withdrawals the line had when this was written.
    line_version = models.PositiveIntegerField()
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(name="boycott_changecontent_one_a_number", fields=["change", "number"]),
            models.CheckConstraint(
                name="boycott_changecontent_ends_after_it_starts",
                condition=Q(ends_at__isnull=True) | Q(starts_at__isnull=True) | Q(ends_at__gt=F("starts_at")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.change}, writing {self.number}"


class ChangeStep(AppendOnly):
    """One step of a change: who did what when, on which writing, and what it was known to do."""

    change = models.ForeignKey(PolicyChange, on_delete=models.PROTECT, related_name="steps")
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=12, choices=Step.choices())
    content = models.ForeignKey(ChangeContent, on_delete=models.PROTECT, related_name="+")
    # Of everything that takes effect, guidance included: an approval is worth this and nothing else.
    content_hash = models.CharField(max_length=64, blank=True)
    comment = models.CharField(max_length=1000, blank=True)
    cause = models.CharField(max_length=10, choices=Cause.choices(), blank=True)
    # The figures as they were computed for this step.
    figures = models.JSONField(null=True, blank=True)
    made_at = models.DateTimeField()
    # None: the calendar, or what somebody else did, took the step.
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(name="boycott_changestep_one_a_number", fields=["change", "number"]),
            models.CheckConstraint(
                name="boycott_changestep_a_suspension_has_a_cause",
                condition=Q(kind="SUSPENDED", cause__in=[cause.value for cause in Cause])
                | (~Q(kind="SUSPENDED") & Q(cause="")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.change}: {self.kind}"

    def state(self, at: datetime.datetime) -> ChangeState:
        """Where the change stands at a time, if this is its last step."""
        return state_after(Step(self.kind), self.content.starts_at, at)


class PositionWithdrawal(AppendOnly):
    """A scheduled revision that was taken back before it had begun. It never is in force."""

    revision = models.OneToOneField(PositionRevision, on_delete=models.PROTECT, related_name="withdrawal")
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    def __str__(self) -> str:
        return f"{self.revision} withdrawn"
