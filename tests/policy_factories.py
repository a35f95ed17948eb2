"""Motions, positions, answers and stops for tests, made as the product makes them."""

import datetime
import itertools
import uuid

from django.utils import timezone

from boycott.actions import set_stance
from boycott.approvals import approve_change
from boycott.content import Content
from boycott.dispensations import actions as dispensing
from boycott.dossier import dossier
from boycott.drafting import draft_change, submit_change
from boycott.measured_change import phrase_now
from boycott.models import PositionRevision
from boycott.motions import MotionContent, record_motion
from boycott.positions import Direction, MotionStatus, Position, Stance
from boycott.queries import NATIONAL_LINE
from carerecords import fence
from carerecords.confirmation import Confirmation
from carerecords.permissions import Role
from tests.factories import make_user
from tests.guidance_factories import make_guidance

MOTION = (
    "That this Meeting advises all doctors not to co-operate with the centralised storage of medical "
    "records, as this seriously endangers patient confidentiality."
)
REASON = "Adopted by the annual representative meeting."
COMMENT = "As the meeting decided."


def make_motion(by=None, at=None, **fields):
    """An adopted motion not to co-operate."""
    defaults = {
        "body": "BMA",
        "meeting": "Annual Representative Meeting 2007",
        "met_on": datetime.date(2007, 6, 27),
        "title": "Centralised storage of medical records",
        "text": MOTION,
        "status": MotionStatus.ADOPTED,
        "direction": Direction.NON_COOPERATION,
        "proposer": "Dr Gillian Braunold",
    }
    by = by or make_user(Role.POLICY_ADMIN)
    return record_motion(content=MotionContent(**defaults | fields), by=by, at=at or timezone.now())


def content_of(motion=None, position=Position.NON_COOPERATION, **fields):
    """What a change says; without a motion one is made that bears it."""
    motion = motion or make_motion()
    return Content(motion=motion.motion, position=position, **{"reason": REASON} | fields)


def draft(by=None, at=None, line=NATIONAL_LINE, **fields):
    by, at = by or make_user(Role.POLICY_ADMIN), at or timezone.now()
    return draft_change(line=line, content=content_of(**fields), by=by, at=at)


def with_guidance(found, by=None, at=None):
    """The change with a draft of guidance to publish with it."""
    by = by or found.change.made_by
    make_guidance(title=f"Practical steps {next(_titles)}", change=found.change, by=by, at=at)
    return dossier(found.change)


_titles = itertools.count(1)


def submit(by=None, at=None, **fields):
    """A change in review."""
    by, at = by or make_user(Role.POLICY_ADMIN), at or timezone.now()
    drafted = with_guidance(draft(by, at, **fields), by, at)
    return submit_change(change=drafted.change, seen=drafted.fingerprint, by=by, at=at)


def approve(found, by=None, at=None, **fields):
    """By a colleague who has just logged in, with the phrase that is asked for."""
    by, at = by or make_user(Role.POLICY_ADMIN), at or timezone.now()
    given = {
        "seen": found.fingerprint,
        "phrase": phrase_now(found, at) or "",
        "comment": COMMENT,
        "confirmed": Confirmation(by.pk, at),
    }
    return approve_change(change=found.change, by=by, at=at, **given | fields)


def change_position(position=Position.NON_COOPERATION, by=None, at=None, **fields):
    """A change all the way: written and sent by one, approved by another."""
    return approve(submit(by, at, position=position, **fields), at=at)


def start_boycott(by=None, at=None, **fields):
    return change_position(Position.NON_COOPERATION, by, at, **fields)


def end_boycott(by=None, at=None, **fields):
    return change_position(Position.COOPERATE, by, at, **fields)


def new_line():
    """A line of policy beside the national one."""
    return uuid.uuid4()


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
    with fence.changing():
        return PositionRevision.objects.create(**defaults | fields)


def answer(practice, stance=Stance.DO_NOT_FOLLOW, by=None, **more):
    by = by or make_user(Role.PRACTICE_MANAGER, practice)
    fields = {"agreed_by": "The partners", "agreed_on": datetime.date(2026, 3, 2), "at": timezone.now()}
    return set_stance(practice=practice, stance=stance, by=by, **fields | more)


def make_dispensation(practices, revision=None, by=None, at=None, agreed=False, **fields):
    """Asked for until a month from now; `agreed`: by a colleague who has just logged in."""
    revision, at = revision or rival_position(Position.NON_COOPERATION), at or timezone.now()
    asked = {
        "revision": revision.pk,
        "ods_codes": [practice.ods_code for practice in practices],
        "starts_at": at,
        "ends_at": at + datetime.timedelta(days=30),
        "reason": "They take part in the evaluation itself.",
    }
    made = dispensing.ask(by=by or make_user(Role.POLICY_ADMIN), at=at, **asked | fields)
    return agree_to(made, at=at) if agreed else made


def agree_to(dispensation, by=None, at=None, **fields):
    by, at = by or make_user(Role.NATIONAL_ADMIN), at or timezone.now()
    given = {"comment": COMMENT, "confirmed": Confirmation(by.pk, at)}
    dispensing.agree(dispensation=dispensation, by=by, at=at, **given | fields)
    return dispensation
