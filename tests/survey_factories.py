"""Surveys and ballots for tests, run as the product runs them."""

import datetime

from django.utils import timezone

from boycott.models import RollEntry
from boycott.surveys.counting import count_ballot
from boycott.surveys.queries import options_of
from boycott.surveys.running import Content, draft, open_survey
from boycott.surveys.vocabulary import Kind, Meaning
from boycott.surveys.voting import answer, vote
from carerecords.permissions import Role
from tests.factories import make_user

OPTIONS = [
    ("I plan to follow", Meaning.FOLLOW),
    ("I do not plan to follow", Meaning.DO_NOT_FOLLOW),
    ("Not decided", Meaning.NEITHER),
]
WEEK = datetime.timedelta(weeks=1)


def content(**fields):
    defaults = {
        "title": "Following the policy",
        "question": "Do you plan to follow the BMA's policy on uploads?",
        "options": OPTIONS,
        "closes_at": timezone.now() + WEEK,
    }
    return Content(**defaults | fields)


def make_survey(kind=Kind.SURVEY, by=None, at=None, **fields):
    return draft(
        kind=kind,
        content=content(**fields),
        by=by or make_user(Role.POLICY_ADMIN),
        at=at or timezone.now(),
    )


def make_open(kind=Kind.SURVEY, by=None, at=None, **fields):
    """An open one, on whose roll all GPs of the moment stand."""
    survey = make_survey(kind, by, at, **fields)
    at = at or timezone.now()
    open_survey(survey=survey, seen=1, by=by or make_user(Role.POLICY_ADMIN), at=at)
    return survey


def entry(survey, gp):
    return RollEntry.objects.select_related("survey", "gp").get(survey=survey, gp=gp)


def option(survey, place):
    return options_of(survey.opening.wording)[place]


def give(survey, gp, place=0, at=None, **more):
    """The GP answers the survey or votes in the ballot."""
    do = vote if survey.is_secret else answer
    return do(entry=entry(survey, gp), option=option(survey, place), at=at or timezone.now(), **more)


def run_to_its_end(kind, choices, practice, **fields):
    """Opened, answered by a new GP of the practice for each choice, closed and counted."""
    gps = [make_user(Role.GP, practice) for _ in choices]
    began = timezone.now() - 3 * WEEK
    survey = make_open(kind, at=began, closes_at=began + WEEK, **fields)
    for gp, place in zip(gps, choices, strict=True):
        if place is not None:
            give(survey, gp, place, at=began + WEEK / 2)
    if survey.is_secret:
        count_ballot(survey=survey, at=timezone.now())
    return survey
