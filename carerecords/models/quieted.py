"""When uploads were quiet after a change that may hold them, and which were in flight."""

from django.contrib.postgres.fields import ArrayField
from django.db import models

from carerecords.append_only import AppendOnly


class Quieted(AppendOnly):
    """One change behind the fence, stored with it. Append-only."""

    class Kind(models.TextChoices):
        CHANGE = "CHANGE", "Change of BMA policy"
        STANCE = "STANCE", "Practice's answer"
        STOP = "STOP", "Emergency stop"
        DISPENSATION = "DISPENSATION", "End of a dispensation"

    kind = models.CharField(max_length=12, choices=Kind)
    # The row that says what changed; its table is on a higher floor.
    subject = models.BigIntegerField()
    clicked_at = models.DateTimeField()
    # From then on no upload began under the old rule; the commit followed at once.
    quiet_at = models.DateTimeField()
    # How much of that was for uploads in flight.
    waited = models.DurationField()
    # Ids of the jobs whose sends had begun and were not known to be answered.
    in_flight = ArrayField(models.BigIntegerField(), default=list, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="carerecords_quieted_once", fields=["kind", "subject"]),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject} quiet at {self.quiet_at:%Y-%m-%d %H:%M:%S}"
