"""Answering a survey, and voting in a ballot.

Both wait for nobody but a closing or a count of the same survey: they hold the opening's row shared.
"""

import datetime

from django.conf import settings
from django.db import IntegrityError, connection, transaction

from boycott.models import (
    BallotCount,
    BallotSeal,
    HasVoted,
    RollEntry,
    SealedPaper,
    Survey,
    SurveyAnswer,
    SurveyClosing,
    SurveyOpening,
    SurveyOption,
)
from boycott.models.survey import state_at
from boycott.surveys import sealing
from boycott.surveys.refusal import SurveyRefused
from boycott.surveys.vocabulary import SurveyState
from carerecords import staffing
from carerecords.formats import nhs_date, nhs_datetime, nhs_time
from carerecords.permissions import Permission


@transaction.atomic
def answer(
    *, entry: RollEntry, option: SurveyOption, at: datetime.datetime, comment: str = ""
) -> SurveyAnswer:
    """A GP's answer to a survey. It can be given again until the closing time; the latest counts.

    Raises `SurveyRefused` before the opening and after the closing.
    """
    assert not entry.survey.is_secret
    staffing.require(entry.gp, Permission.ANSWER_SURVEY, at)
    opening = _hold_open(entry.survey, at)
    _check_option(option, opening)
    # Two presses at once take turns, and the later one counts.
    RollEntry.objects.select_for_update().get(pk=entry.pk)
    latest = entry.answers.order_by("-number").first()
    return SurveyAnswer.objects.create(
        entry=entry,
        number=latest.number + 1 if latest else 1,
        option=option,
        comment=comment.strip(),
        made_at=at,
    )


@transaction.atomic
def vote(*, entry: RollEntry, option: SurveyOption, at: datetime.datetime) -> None:
    """A vote in a ballot: a mark on the roll and a sealed paper, which know nothing of one another.

    Raises `SurveyRefused` for a second vote, and before the opening and after the closing. Returns
    nothing, so that nobody keeps anything.
    """
    survey = entry.survey
    assert survey.is_secret
    staffing.require(entry.gp, Permission.ANSWER_SURVEY, at)
    opening = _hold_open(survey, at)
    _check_option(option, opening)
    try:
        with transaction.atomic():
            HasVoted.objects.create(entry=entry)
    except IntegrityError:
        raise SurveyRefused(None, "You have already voted") from None
    seal = BallotSeal.objects.get(survey=survey)
    SealedPaper.objects.create(
        survey=survey,
        sealed=sealing.seal(
            option=option.position,
            region_code=entry.region_code,
            salt=bytes(seal.salt),
            secret=settings.SECRET_KEY,
            ballot=survey.public_id.bytes,
        ),
    )


def _hold_open(survey: Survey, at: datetime.datetime) -> SurveyOpening:
    """The opening, kept from being closed or counted until this transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM boycott_surveyopening WHERE survey_id = %s FOR SHARE", [survey.pk])
    opening = SurveyOpening.objects.filter(survey=survey).first()
    closing = SurveyClosing.objects.filter(survey=survey).first()
    state = state_at(opening, closing, at)
    if opening is None:
        raise SurveyRefused(None, "This is not open")
    if state is SurveyState.SCHEDULED:
        raise SurveyRefused(None, f"This opens on {nhs_datetime(opening.opens_at)}")
    # Whoever pressed in time and was overtaken by the count is too late all the same.
    if state is SurveyState.CLOSED or BallotCount.objects.filter(survey=survey).exists():
        raise SurveyRefused(None, closed_words(survey, closing.made_at if closing else opening.closes_at))
    return opening


def closed_words(survey: Survey, ended: datetime.datetime) -> str:
    """`This survey closed at 5pm on 14 September 2007`."""
    what = "ballot" if survey.is_secret else "survey"
    return f"This {what} closed at {nhs_time(ended)} on {nhs_date(ended)}"


def _check_option(option: SurveyOption, opening: SurveyOpening) -> None:
    if option.wording_id != opening.wording_id:
        raise SurveyRefused("option", "Select an answer")
