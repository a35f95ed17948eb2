"""A closed survey with the answers of 2007, and an open ballot, with GPs of all England on their rolls."""

import datetime
import random

from django.contrib.auth.hashers import make_password

from boycott.models import RollEntry, Survey
from boycott.surveys.queries import options_of
from boycott.surveys.running import Content, draft, open_survey
from boycott.surveys.vocabulary import Kind, Meaning
from boycott.surveys.voting import answer, vote
from carerecords.models import Practice, RoleAssignment, User
from carerecords.permissions import Role
from demo import names
from demo.chance import a_uuid
from demo.places import PLACES
from demo.staffing import SINCE

# GPs elsewhere, who cannot log in: enough for a hundred answers and some silence.
ELSEWHERE = 130
FIRST_GMC_NUMBER = 9_800_001
# Of 100 who answered in 2007 three in four said that they would follow.
PLANS = [0] * 75 + [1] * 18 + [2] * 7
WEEK = datetime.timedelta(weeks=1)


def run_surveys(at: datetime.datetime, rng: random.Random) -> None:
    """Both, run as the product runs them, by the demo's policy admin."""
    _hire_elsewhere(rng)
    admin = User.objects.filter(assignments__role=Role.POLICY_ADMIN).earliest("pk")
    survey = _opened(Kind.SURVEY, _survey(at), admin, at - 8 * WEEK)
    roll, options = _shuffled(survey, rng), options_of(survey.opening.wording)
    for entry, place in zip(roll, PLANS, strict=False):
        answer(entry=entry, option=options[place], at=at - 7 * WEEK)
    ballot = _opened(Kind.BALLOT, _ballot(at), admin, at)
    options = options_of(ballot.opening.wording)
    # Those who log in to the demo have not voted yet.
    waiting = [entry for entry in _shuffled(ballot, rng) if not entry.gp.has_usable_password()]
    for entry in waiting[:40]:
        vote(entry=entry, option=rng.choices(options, [6, 3])[0], at=at)


def _opened(kind: Kind, content: Content, by: User, at: datetime.datetime) -> Survey:
    survey = draft(kind=kind, content=content, by=by, at=at)
    open_survey(survey=survey, seen=1, by=by, at=at)
    return survey


def _shuffled(survey: Survey, rng: random.Random) -> list[RollEntry]:
    roll = list(survey.roll.select_related("survey", "gp").order_by("gmc_number"))
    rng.shuffle(roll)
    return roll


def _survey(at: datetime.datetime) -> Content:
    return Content(
        title="Following the policy on uploads",
        question="Do you plan to follow the BMA's advice not to co-operate with central storage of records?",
        options=[
            ("I plan to follow it", Meaning.FOLLOW),
            ("I do not plan to follow it", Meaning.DO_NOT_FOLLOW),
            ("I have not decided", Meaning.NEITHER),
        ],
        closes_at=at - 6 * WEEK,
    )


def _ballot(at: datetime.datetime) -> Content:
    return Content(
        title="Explicit consent for every upload",
        question="Should the BMA ask for explicit consent before any record is uploaded?",
        options=[("Yes", Meaning.NEITHER), ("No", Meaning.NEITHER)],
        explanation="For it: patients decide before anything leaves. Against it: fewer records are there when "
        "somebody needs them at night.",
        closes_at=at + 4 * WEEK,
    )


def _hire_elsewhere(rng: random.Random) -> None:
    """One GP at each of as many practices, drawn from all England."""
    others = Practice.objects.filter(status=Practice.Status.ACTIVE)
    others = others.exclude(ods_code__in=[place.ods_code for place in PLACES]).order_by("ods_code")
    practices = rng.sample(list(others), ELSEWHERE)
    unusable = make_password(None)
    origin = next(iter(PLACES[0].origins))
    gps = User.objects.bulk_create(
        User(
            password=unusable,
            public_id=a_uuid(rng),
            email=f"gp.{number}@elsewhere.demo.example",
            title="Dr",
            given_name=names.given_name(rng, origin, rng.choice("FM"), rng.randint(1962, 1994)),
            family_name=names.family_name(rng, origin),
            gmc_number=str(FIRST_GMC_NUMBER + number),
        )
        for number in range(ELSEWHERE)
    )
    RoleAssignment.objects.bulk_create(
        RoleAssignment(user=gp, role=Role.GP, practice=practice, starts_at=SINCE)
        for gp, practice in zip(gps, practices, strict=True)
    )
