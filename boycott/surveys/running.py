"""Running a survey or ballot: drafting what is asked, opening it on a frozen roll, closing it early."""

import datetime
import secrets
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import transaction

from boycott.models import (
    BallotSeal,
    RollEntry,
    Survey,
    SurveyClosing,
    SurveyOpening,
    SurveyOption,
    SurveyWording,
)
from boycott.models.survey import state_at
from boycott.surveys import sealing
from boycott.surveys.eligibility import eligible
from boycott.surveys.refusal import SurveyRefused
from boycott.surveys.vocabulary import Kind, Meaning, SurveyState
from carerecords import staffing
from carerecords.formats import nhs_datetime
from carerecords.models import User
from carerecords.permissions import Permission

REASON_LENGTH = range(20, 1001)
ROWS_AT_ONCE = 2000


@dataclass(frozen=True)
class Content:
    """All of what is asked, of whom and until when. `options`: label and meaning, as they are written."""

    title: str
    question: str
    options: Sequence[tuple[str, Meaning]]
    closes_at: datetime.datetime
    explanation: str = ""
    motion: uuid.UUID | None = None
    opens_at: datetime.datetime | None = None
    region_codes: Sequence[str] = field(default_factory=tuple)
    ods_codes: Sequence[str] = field(default_factory=tuple)


@transaction.atomic
def draft(*, kind: Kind, content: Content, by: User, at: datetime.datetime) -> Survey:
    """A survey or ballot that nobody is asked yet."""
    staffing.require(by, Permission.RUN_SURVEY, at)
    survey = Survey.objects.create(kind=kind, made_at=at, made_by=by)
    _append(survey, 1, content, by, at)
    return survey


@transaction.atomic
def rewrite(*, survey: Survey, content: Content, seen: int, by: User, at: datetime.datetime) -> SurveyWording:
    """The next writing of a draft. `seen` is the writing it was begun from. Raises `SurveyRefused`."""
    staffing.require(by, Permission.RUN_SURVEY, at)
    latest = _locked_draft(survey)
    if latest.number != seen:
        raise SurveyRefused(
            "question", f"{latest.made_by.short_name} changed this while you were writing. Check it again"
        )
    return _append(survey, seen + 1, content, by, at)


@transaction.atomic
def open_survey(*, survey: Survey, seen: int, by: User, at: datetime.datetime) -> SurveyOpening:
    """Freezes question, roll and times. It is open from the writing's opening time on, or from now.

    Raises `SurveyRefused` when it was changed since it was shown (`seen`), when its closing time has
    passed, and when nobody is eligible. One query for the roll, one insert for each 2,000 GPs.
    """
    staffing.require(by, Permission.RUN_SURVEY, at)
    wording = _locked_draft(survey)
    if wording.number != seen:
        raise SurveyRefused(None, "This was changed after you opened the page. Check it again")
    opens_at = max(at, wording.opens_at or at)
    if wording.closes_at <= opens_at:
        raise SurveyRefused(None, "The closing time has passed. Change it before you open this")
    gps = eligible(wording.region_codes, wording.ods_codes, at)
    if not gps:
        raise SurveyRefused(None, "No GP with a GMC number is eligible")
    opening = SurveyOpening.objects.create(
        survey=survey,
        wording=wording,
        opens_at=opens_at,
        closes_at=wording.closes_at,
        made_at=at,
        made_by=by,
    )
    RollEntry.objects.bulk_create(
        (
            RollEntry(
                survey=survey,
                gp_id=gp.user_id,
                gmc_number=gp.gmc_number,
                practice_id=gp.practice_id,
                region_code=gp.region_code,
                reversed_options=secrets.randbits(1) == 1,
            )
            for gp in gps
        ),
        batch_size=ROWS_AT_ONCE,
    )
    if survey.is_secret:
        BallotSeal.objects.create(survey=survey, salt=sealing.new_salt())
    return opening


@transaction.atomic
def close_survey(*, survey: Survey, reason: str, by: User, at: datetime.datetime) -> SurveyClosing:
    """Ends it before its time; whoever reads the results reads the reason. It cannot be opened again.

    Raises `SurveyRefused`. Waits for votes that are being cast.
    """
    staffing.require(by, Permission.RUN_SURVEY, at)
    if len(reason.strip()) not in REASON_LENGTH:
        raise SurveyRefused("reason", "Reason must be between 20 and 1,000 characters")
    opening = SurveyOpening.objects.select_for_update().filter(survey=survey).first()
    closing = SurveyClosing.objects.filter(survey=survey).first()
    state = state_at(opening, closing, at)
    if state is SurveyState.DRAFT:
        raise SurveyRefused(None, "This has not been opened")
    if state is SurveyState.CLOSED:
        assert opening is not None
        ended = closing.made_at if closing else opening.closes_at
        raise SurveyRefused(None, f"This closed at {nhs_datetime(ended)}")
    return SurveyClosing.objects.create(survey=survey, reason=reason.strip(), made_at=at, made_by=by)


def _locked_draft(survey: Survey) -> SurveyWording:
    """The latest writing of a survey that is not opened; until the transaction ends nobody else writes."""
    Survey.objects.select_for_update().get(pk=survey.pk)
    if SurveyOpening.objects.filter(survey=survey).exists():
        raise SurveyRefused(None, "This has been opened. Neither question nor closing time can change")
    return survey.wordings.select_related("made_by").latest("number")


def _append(survey: Survey, number: int, content: Content, by: User, at: datetime.datetime) -> SurveyWording:
    wording = SurveyWording.objects.create(
        survey=survey,
        number=number,
        title=content.title.strip(),
        question=content.question.strip(),
        explanation=content.explanation.strip(),
        motion=content.motion,
        opens_at=content.opens_at,
        closes_at=content.closes_at,
        region_codes=list(content.region_codes),
        ods_codes=list(content.ods_codes),
        made_at=at,
        made_by=by,
    )
    SurveyOption.objects.bulk_create(
        SurveyOption(wording=wording, position=place, label=label, meaning=meaning)
        for place, (label, meaning) in enumerate(content.options)
    )
    return wording
