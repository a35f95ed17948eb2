"""Guidance, "Practical steps for GPs": each writing is a row, publishing is a row, reading it is a row."""

import uuid

from django.conf import settings
from django.db import models

from boycott.models.change import PolicyChange
from boycott.positions import Capacity
from carerecords.append_only import AppendOnly
from carerecords.models import Practice


class GuidancePage(AppendOnly):
    """One page, by the name in its address. What it says are revisions."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    slug = models.SlugField(max_length=60, unique=True)
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    def __str__(self) -> str:
        return self.slug


class GuidanceRevision(AppendOnly):
    """One writing of a page. The one with the highest number is the draft, until it is published."""

    page = models.ForeignKey(GuidancePage, on_delete=models.PROTECT, related_name="revisions")
    number = models.PositiveIntegerField()
    title = models.CharField(max_length=100)
    text = models.TextField(help_text="In the markup of boycott.guidance.markup")
    changed = models.CharField(max_length=300, blank=True, help_text="What is new, for those who read before")
    # The change of policy that it is published with; None: on its own.
    change = models.ForeignKey(
        PolicyChange, on_delete=models.PROTECT, null=True, blank=True, related_name="guidance"
    )
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(name="boycott_guidancerevision_one_a_number", fields=["page", "number"]),
        ]

    def __str__(self) -> str:
        return f"{self.page}, revision {self.number}"


class GuidancePublication(AppendOnly):
    """That a revision was put before all practices, as which version of the page."""

    page = models.ForeignKey(GuidancePage, on_delete=models.PROTECT, related_name="publications")
    version = models.PositiveIntegerField()
    revision = models.OneToOneField(GuidanceRevision, on_delete=models.PROTECT, related_name="publication")
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="boycott_guidancepublication_one_a_version", fields=["page", "version"]
            ),
        ]

    def __str__(self) -> str:
        return f"{self.page}, version {self.version}"


class GuidanceAcknowledgement(AppendOnly):
    """That a practice has read a version: who said so, as what, and when."""

    publication = models.ForeignKey(
        GuidancePublication, on_delete=models.PROTECT, related_name="acknowledgements"
    )
    practice = models.ForeignKey(Practice, on_delete=models.PROTECT, related_name="+")
    capacity = models.CharField(max_length=7, choices=Capacity.choices())
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="boycott_guidanceacknowledgement_once_a_practice", fields=["practice", "publication"]
            ),
        ]

    def __str__(self) -> str:
        return f"{self.practice_id}: {self.publication}"
