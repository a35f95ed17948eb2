"""Reading surveys and ballots: who is asked, who has answered, and what may be shown of it."""

import datetime
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from boycott.models import (
    BallotCount,
    CountedPaper,
    HasVoted,
    MotionRevision,
    RollEntry,
    Survey,
    SurveyAnswer,
    SurveyClosing,
    SurveyOpening,
    SurveyOption,
    SurveyWording,
)
from boycott.models.survey import state_at
from boycott.surveys import wording
from boycott.surveys.tally import FEWEST, Tally, tally
from boycott.surveys.vocabulary import Kind, Meaning, SurveyState
from carerecords.models import Practice, User


@dataclass(frozen=True)
class Standing:
    """One survey as it stands at a moment. `wording` is the frozen one, or of a draft the latest."""

    survey: Survey
    wording: SurveyWording
    opening: SurveyOpening | None
    closing: SurveyClosing | None
    state: SurveyState

    @property
    def ended_at(self) -> datetime.datetime:
        """When it was or will be over."""
        if self.closing:
            return self.closing.made_at
        return self.opening.closes_at if self.opening else self.wording.closes_at


@dataclass(frozen=True)
class Turnout:
    """How many of those on the roll have answered or voted."""

    answered: int
    invited: int


@dataclass(frozen=True)
class Results:
    """What may be shown of a survey that is over. `tally.shares` stand in the order of `options`."""

    standing: Standing
    options: list[SurveyOption]
    tally: Tally
    comments: list[str]
    count: BallotCount | None

    @property
    def sentences(self) -> list[str]:
        """One for each option, or none where too few answered to show them."""
        if self.tally.shares is None:
            return []
        options = [(option.label, Meaning(option.meaning)) for option in self.options]
        return wording.sentences(Kind(self.standing.survey.kind), options, self.tally.shares)


def standing_of(survey: Survey, at: datetime.datetime) -> Standing:
    """Three queries at most."""
    opening = SurveyOpening.objects.filter(survey=survey).select_related("wording", "made_by").first()
    closing = SurveyClosing.objects.filter(survey=survey).select_related("made_by").first()
    words = opening.wording if opening else survey.wordings.select_related("made_by").latest("number")
    return Standing(survey, words, opening, closing, state_at(opening, closing, at))


def standings(surveys: QuerySet[Survey], at: datetime.datetime) -> list[Standing]:
    """Those of many, newest first. Two queries."""
    rows = surveys.select_related("opening", "opening__wording", "closing").order_by("-pk")
    later = SurveyWording.objects.filter(survey=OuterRef("survey"), number__gt=OuterRef("number"))
    latest = SurveyWording.objects.filter(~Exists(later), survey__in=surveys)
    drafts = {draft.survey_id: draft for draft in latest}
    found = []
    for row in rows:
        opening, closing = getattr(row, "opening", None), getattr(row, "closing", None)
        words = opening.wording if opening else drafts[row.pk]
        found.append(Standing(row, words, opening, closing, state_at(opening, closing, at)))
    return found


def asked_of(gp: User, at: datetime.datetime) -> QuerySet[Survey]:
    """What a GP is or was asked: those on whose roll they stand, once they have begun."""
    return Survey.objects.filter(roll__gp=gp, opening__opens_at__lte=at)


def opened() -> QuerySet[Survey]:
    """All that were opened."""
    return Survey.objects.filter(opening__isnull=False)


def waiting_for(gp: User, kind: Kind, at: datetime.datetime) -> QuerySet[RollEntry]:
    """The roll entries of a GP who could still answer, or vote, and has not. For counting."""
    mine = RollEntry.objects.filter(
        gp=gp,
        survey__kind=kind,
        survey__opening__opens_at__lte=at,
        survey__opening__closes_at__gt=at,
        survey__closing__isnull=True,
    )
    if kind is Kind.BALLOT:
        return mine.filter(has_voted__isnull=True)
    return mine.filter(~Exists(SurveyAnswer.objects.filter(entry=OuterRef("pk"))))


def entry_of(survey: Survey, gp: User) -> RollEntry | None:
    """The GP's place on the roll."""
    return RollEntry.objects.filter(survey=survey, gp=gp).select_related("survey", "gp").first()


def done_by(gp: User, surveys: Sequence[Survey]) -> set[int]:
    """The keys of those that a GP has answered or voted in. One query."""
    voted = Exists(HasVoted.objects.filter(entry=OuterRef("pk")))
    answered = Exists(SurveyAnswer.objects.filter(entry=OuterRef("pk")))
    mine = RollEntry.objects.filter(voted | answered, gp=gp, survey__in=surveys)
    return set(mine.values_list("survey_id", flat=True))


def latest_answer(entry: RollEntry) -> SurveyAnswer | None:
    """The answer that counts."""
    return entry.answers.select_related("option").order_by("-number").first()


def has_voted(entry: RollEntry) -> bool:
    return HasVoted.objects.filter(entry=entry).exists()


def options_of(words: SurveyWording) -> list[SurveyOption]:
    """In the order in which they were written."""
    return list(words.options.order_by("position"))


def turnout(survey: Survey) -> Turnout:
    """One query."""
    done = Exists(
        HasVoted.objects.filter(entry=OuterRef("pk"))
        if survey.is_secret
        else SurveyAnswer.objects.filter(entry=OuterRef("pk"))
    )
    counted = survey.roll.aggregate(invited=Count("pk"), answered=Count("pk", filter=done))
    return Turnout(counted["answered"], counted["invited"])


def results_of(standing: Standing) -> Results | None:
    """Of one that is closed, and counted if it is a ballot; else None. Five queries at most."""
    survey = standing.survey
    if standing.state is not SurveyState.CLOSED:
        return None
    count = BallotCount.objects.filter(survey=survey).first()
    if survey.is_secret and count is None:
        return None
    options = options_of(standing.wording)
    rows = survey.roll.values_list("region_code").annotate(number=Count("pk")).order_by()
    found = tally(dict(rows), _answers(survey), [option.pk for option in options])
    comments = [] if survey.is_secret or found.shares is None else _comments(survey)
    return Results(standing, options, found, comments, count)


def closed_intentions(at: datetime.datetime) -> list[Results]:
    """Results, newest first, of those that asked who plans to follow and may be shown."""
    over = opened().filter(Q(opening__closes_at__lte=at) | Q(closing__isnull=False))
    asked = over.filter(opening__wording__options__meaning=Meaning.FOLLOW).distinct()
    found = [results_of(standing) for standing in standings(asked, at)]
    return [one for one in found if one is not None and one.tally.answers >= FEWEST]


def results_about(motion: uuid.UUID, surveys: QuerySet[Survey], at: datetime.datetime) -> list[Results]:
    """Of those of `surveys` that are over and were about a motion, newest first. Few queries for each."""
    over = surveys.filter(opening__wording__motion=motion)
    found = [results_of(standing) for standing in standings(over, at)]
    return [one for one in found if one is not None]


def motion_of(words: SurveyWording) -> MotionRevision | None:
    """The motion it is about, as it stands."""
    if words.motion is None:
        return None
    return MotionRevision.objects.filter(motion=words.motion).order_by("-number").first()


def motions() -> list[MotionRevision]:
    """The latest revision of every motion, newest meeting first."""
    later = MotionRevision.objects.filter(motion=OuterRef("motion"), number__gt=OuterRef("number"))
    return list(MotionRevision.objects.filter(~Exists(later)).order_by("-met_on", "-pk"))


def region_names() -> dict[str, str]:
    """{region code: name}, in the order of the names."""
    rows = Practice.objects.values_list("region_code", "region_name").distinct()
    return dict(sorted(rows, key=lambda row: row[1]))


def survey_named(public_id: uuid.UUID) -> Survey | None:
    return Survey.objects.filter(public_id=public_id).first()


def _answers(survey: Survey) -> dict[tuple[str, int], int]:
    """How many chose what, by region code and option."""
    if survey.is_secret:
        papers = CountedPaper.objects.filter(survey=survey).values_list("region_code", "option")
        return {(region, option): n for region, option, n in papers.annotate(n=Count("pk")).order_by()}
    rows = _latest(survey).values_list("entry__region_code", "option").annotate(n=Count("pk")).order_by()
    return {(region, option): n for region, option, n in rows}


def _comments(survey: Survey) -> list[str]:
    """Of the answers that count, in the order of their texts: whose they are cannot be told by it."""
    rows = _latest(survey).exclude(comment="").order_by("comment")
    return list(rows.values_list("comment", flat=True))


def _latest(survey: Survey) -> QuerySet[SurveyAnswer]:
    later = SurveyAnswer.objects.filter(entry=OuterRef("entry"), number__gt=OuterRef("number"))
    return SurveyAnswer.objects.filter(~Exists(later), entry__survey=survey)
