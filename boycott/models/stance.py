"""What practices and GPs answer to the union's position."""

from django.conf import settings
from django.db import models

from boycott.positions import GpStance, Stance
from carerecords.append_only import AppendOnly
from carerecords.models import Practice


class StanceRevision(AppendOnly):
    """One answer of a practice; the latest stands. `agreed_by` is who agreed it in the practice."""

    practice = models.ForeignKey(Practice, on_delete=models.PROTECT, related_name="stance_revisions")
    stance = models.CharField(max_length=13, choices=Stance.choices())
    agreed_by = models.CharField(max_length=100)
    agreed_on = models.DateField()
    note = models.CharField(max_length=1000, blank=True)
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        indexes = [models.Index(fields=["practice", "-id"], name="stance_practice")]

    def __str__(self) -> str:
        return f"{self.practice_id}: {self.stance}"


class GpStanceRevision(AppendOnly):
    """One answer of a GP for the patients whose usual GP they are; the latest stands."""

    gp = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="gp_stance_revisions",
    )
    practice = models.ForeignKey(Practice, on_delete=models.PROTECT, related_name="+")
    stance = models.CharField(max_length=12, choices=GpStance.choices())
    note = models.CharField(max_length=1000, blank=True)
    made_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["gp", "-id"], name="gpstance_gp")]

    def __str__(self) -> str:
        return f"{self.gp_id}: {self.stance}"
