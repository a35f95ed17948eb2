"""Surveys of GPs, by name: the question, the roll, the answers. A ballot has the first two of them.

All of it only grows. What is asked is frozen by the opening, which names one writing of it.
"""

import datetime
import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from boycott.surveys.vocabulary import Kind, Meaning, SurveyState
from carerecords.append_only import AppendOnly
from carerecords.models import Practice


class Survey(AppendOnly):
    """One survey or secret ballot. What it asks, and that it was opened, are rows of their own."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(max_length=6, choices=Kind.choices())
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.public_id}"

    @property
    def is_secret(self) -> bool:
        return self.kind == Kind.BALLOT


class SurveyWording(AppendOnly):
    """One writing of what is asked, of whom, and until when; the latest is the draft."""

    survey = models.ForeignKey(Survey, on_delete=models.PROTECT, related_name="wordings")
    number = models.PositiveIntegerField()
    title = models.CharField(max_length=100)
    question = models.CharField(max_length=300)
    explanation = models.TextField(blank=True)
    # The motion it is about (its `motion`, whatever revision), whose own vote is shown beside.
    motion = models.UUIDField(null=True, blank=True)
    # None: in the moment in which it is opened.
    opens_at = models.DateTimeField(null=True, blank=True)
    closes_at = models.DateTimeField()
    # Whom it asks: every GP of England unless places are named.
    region_codes = ArrayField(models.CharField(max_length=3), default=list, blank=True)
    ods_codes = ArrayField(models.CharField(max_length=6), default=list, blank=True)
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(name="boycott_surveywording_one_a_number", fields=["survey", "number"]),
            models.CheckConstraint(
                name="boycott_surveywording_closes_after_it_opens",
                condition=Q(opens_at__isnull=True) | Q(closes_at__gt=F("opens_at")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title}, writing {self.number}"


class SurveyOption(AppendOnly):
    """One of the answers to choose from."""

    wording = models.ForeignKey(SurveyWording, on_delete=models.PROTECT, related_name="options")
    position = models.PositiveSmallIntegerField()
    label = models.CharField(max_length=100)
    meaning = models.CharField(max_length=13, choices=Meaning.choices())

    class Meta:
        constraints = [
            models.UniqueConstraint(name="boycott_surveyoption_one_a_place", fields=["wording", "position"]),
        ]

    def __str__(self) -> str:
        return self.label


class SurveyOpening(AppendOnly):
    """That it was opened: from here on neither question, roll nor closing time can change."""

    survey = models.OneToOneField(Survey, on_delete=models.PROTECT, related_name="opening")
    wording = models.OneToOneField(SurveyWording, on_delete=models.PROTECT, related_name="opening")
    opens_at = models.DateTimeField()
    closes_at = models.DateTimeField()
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="boycott_surveyopening_closes_after_it_opens",
                condition=Q(closes_at__gt=F("opens_at")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.survey} opened"


class SurveyClosing(AppendOnly):
    """That it was closed before its time. There is no row that would make it longer."""

    survey = models.OneToOneField(Survey, on_delete=models.PROTECT, related_name="closing")
    reason = models.CharField(max_length=1000)
    made_at = models.DateTimeField()
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")

    def __str__(self) -> str:
        return f"{self.survey} closed early"


class RollEntry(AppendOnly):
    """One GP who is asked, as they stood when it was opened. One entry a GMC number."""

    survey = models.ForeignKey(Survey, on_delete=models.PROTECT, related_name="roll")
    gp = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="roll_entries")
    gmc_number = models.CharField(max_length=7)
    practice = models.ForeignKey(Practice, on_delete=models.PROTECT, related_name="+")
    region_code = models.CharField(max_length=3)
    # Which way round this GP reads the options; drawn, so that neither end is favoured.
    reversed_options = models.BooleanField()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="boycott_rollentry_once_a_gp", fields=["survey", "gp"]),
            models.UniqueConstraint(
                name="boycott_rollentry_once_a_gmc_number", fields=["survey", "gmc_number"]
            ),
        ]

    def __str__(self) -> str:
        return f"{self.gmc_number} on the roll of {self.survey_id}"


class SurveyAnswer(AppendOnly):
    """One answer to a survey, by name. A GP's latest counts."""

    entry = models.ForeignKey(RollEntry, on_delete=models.PROTECT, related_name="answers")
    number = models.PositiveIntegerField()
    option = models.ForeignKey(SurveyOption, on_delete=models.PROTECT, related_name="+")
    comment = models.CharField(max_length=1000, blank=True)
    made_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(name="boycott_surveyanswer_one_a_number", fields=["entry", "number"]),
        ]

    def __str__(self) -> str:
        return f"answer {self.number} of entry {self.entry_id}"


def state_at(
    opening: SurveyOpening | None, closing: SurveyClosing | None, at: datetime.datetime
) -> SurveyState:
    """Where a survey with these rows stands at a time."""
    if opening is None:
        return SurveyState.DRAFT
    if closing is not None or at >= opening.closes_at:
        return SurveyState.CLOSED
    return SurveyState.OPEN if at >= opening.opens_at else SurveyState.SCHEDULED
