"""The papers of secret ballots, kept apart from who voted (docs/adr/0101-secret-ballots.md).

No row here has a time, a number that rises, or a voter; ids are random. While the ballot is open
a paper is sealed; when it is counted the papers are opened together, written again in the order of
their random ids, and the seals are gone.
"""

import uuid

from django.db import models

from boycott.models.survey import RollEntry, Survey, SurveyOption
from carerecords.append_only import AppendOnly


class HasVoted(AppendOnly):
    """That somebody on the roll has voted, and nothing else. A second row cannot be."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    entry = models.OneToOneField(RollEntry, on_delete=models.PROTECT, related_name="has_voted")

    def __str__(self) -> str:
        return f"entry {self.entry_id} has voted"


class SealedPaper(models.Model):
    """A vote that nobody can read yet, under a token of its own. It is destroyed when it is counted."""

    token = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    survey = models.ForeignKey(Survey, on_delete=models.PROTECT, related_name="sealed_papers")
    sealed = models.BinaryField()

    def __str__(self) -> str:
        return f"sealed paper of {self.survey_id}"


class BallotSeal(models.Model):
    """The half of a ballot's key that the database holds. It is destroyed when the papers are counted."""

    survey = models.OneToOneField(Survey, on_delete=models.PROTECT, primary_key=True, related_name="seal")
    salt = models.BinaryField()

    def __str__(self) -> str:
        return f"seal of {self.survey_id}"


class BallotCount(AppendOnly):
    """That the papers were opened and counted, once: how many there were for how many voters."""

    survey = models.OneToOneField(Survey, on_delete=models.PROTECT, related_name="ballot_count")
    papers = models.PositiveIntegerField()
    voters = models.PositiveIntegerField()
    made_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.papers} papers of {self.survey_id}"


class CountedPaper(AppendOnly):
    """One vote. The region stands on it only where enough others voted there."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    survey = models.ForeignKey(Survey, on_delete=models.PROTECT, related_name="counted_papers")
    option = models.ForeignKey(SurveyOption, on_delete=models.PROTECT, related_name="+")
    region_code = models.CharField(max_length=3, blank=True)

    def __str__(self) -> str:
        return f"paper of {self.survey_id}"
