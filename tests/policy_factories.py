"""Positions, answers and stops for tests, made as the product makes them."""

import datetime

from django.utils import timezone

from boycott.actions import change_position, set_stance
from boycott.models import PositionRevision
from boycott.positions import Phrase, Position, Stance
from carerecords.permissions import Role
from tests.factories import make_user

MOTION = (
    "That this Meeting advises all doctors not to co-operate with the centralised storage of medical "
    "records, as this seriously endangers patient confidentiality."
)
REASON = "Adopted by the annual representative meeting."


def start_boycott(by=None, at=None):
    return _change(Position.NON_COOPERATION, Phrase.START, by, at)


def end_boycott(by=None, at=None):
    return _change(Position.COOPERATE, Phrase.END, by, at)


def _change(position, phrase, by, at):
    by = by or make_user(Role.POLICY_ADMIN)
    seen = PositionRevision.objects.count()
    return change_position(
        position=position,
        text=MOTION,
        reason=REASON,
        by=by,
        at=at or timezone.now(),
        seen=seen,
        phrase=phrase,
    )


def rival_position(position=Position.COOPERATE, **fields):
    """A second line of policy, all England."""
    now = timezone.now()
    defaults = {
        "number": 1,
        "body": "General Practitioners Committee",
        "position": position,
        "text": "Practices may co-operate while guidance is prepared.",
        "effective_from": now,
        "made_at": now,
        "reason": "Statement of the committee.",
    }
    return PositionRevision.objects.create(**defaults | fields)


def answer(practice, stance=Stance.DO_NOT_FOLLOW, by=None, **more):
    by = by or make_user(Role.PRACTICE_MANAGER, practice)
    fields = {"agreed_by": "The partners", "agreed_on": datetime.date(2026, 3, 2), "at": timezone.now()}
    return set_stance(practice=practice, stance=stance, by=by, **fields | more)
