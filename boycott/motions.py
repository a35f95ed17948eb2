"""Recording motions and what became of them. Each change is a new revision."""

import datetime
import uuid
from dataclasses import asdict, dataclass

from boycott import desk, suspending
from boycott.actions import ChangeRefused
from boycott.models import MotionRevision
from boycott.positions import Direction, MotionStatus
from carerecords import staffing
from carerecords.models import User
from carerecords.permissions import Permission


@dataclass(frozen=True)
class MotionContent:
    """What is recorded of a motion. Votes are counted together or not at all."""

    body: str
    meeting: str
    met_on: datetime.date
    title: str
    text: str
    status: MotionStatus
    direction: Direction
    proposer: str = ""
    votes_for: int | None = None
    votes_against: int | None = None
    votes_abstained: int | None = None


def record_motion(*, content: MotionContent, by: User, at: datetime.datetime) -> MotionRevision:
    """A new motion. Raises `NotPermitted`, or `ChangeRefused` naming what cannot stand."""
    staffing.require(by, Permission.CHANGE_POSITION, at)
    with desk.taken():
        return _append(uuid.uuid4(), 1, content, "", by, at)


def revise_motion(
    *, motion: uuid.UUID, content: MotionContent, reason: str, seen: int, by: User, at: datetime.datetime
) -> MotionRevision:
    """What became of a motion, or a correction. Changes that rest on it are suspended and told.

    `seen` is the number of the revision that was before the editor. A position in force stays: only a
    change of policy ends it. Raises `NotPermitted` or `ChangeRefused`.
    """
    staffing.require(by, Permission.CHANGE_POSITION, at)
    reason = reason.strip()
    if not reason:
        raise ChangeRefused("reason", "Enter a reason for the change")
    if len(reason) > 1000:
        raise ChangeRefused("reason", "Reason must be 1,000 characters or less")
    with desk.taken():
        latest = MotionRevision.objects.filter(motion=motion).order_by("-number").first()
        if latest is None or latest.number != seen:
            raise ChangeRefused("seen", "The motion was changed while you were working. Check it again")
        if content_of(latest) == content:
            raise ChangeRefused("", "Nothing was changed")
        revision = _append(motion, latest.number + 1, content, reason, by, at)
        suspending.of_motion(motion, f"{by.short_name}: {reason}", at)
    return revision


def content_of(revision: MotionRevision) -> MotionContent:
    """What one revision says."""
    return MotionContent(
        body=revision.body,
        meeting=revision.meeting,
        met_on=revision.met_on,
        title=revision.title,
        text=revision.text,
        status=MotionStatus(revision.status),
        direction=Direction(revision.direction),
        proposer=revision.proposer,
        votes_for=revision.votes_for,
        votes_against=revision.votes_against,
        votes_abstained=revision.votes_abstained,
    )


def _append(
    motion: uuid.UUID,
    number: int,
    content: MotionContent,
    reason: str,
    by: User,
    at: datetime.datetime,
) -> MotionRevision:
    _check(content, at)
    return MotionRevision.objects.create(
        motion=motion, number=number, reason=reason, made_at=at, made_by=by, **asdict(content)
    )


def _check(content: MotionContent, at: datetime.datetime) -> None:
    for field, words in _NEEDED.items():
        if not getattr(content, field).strip():
            raise ChangeRefused(field, words)
    counted = (content.votes_for is None, content.votes_against is None)
    if any(counted) != all(counted) or (all(counted) and content.votes_abstained is not None):
        raise ChangeRefused("votes_for", "Enter the votes for and against, or none of the votes")
    decided = content.status not in {MotionStatus.PROPOSED, MotionStatus.LAPSED}
    if decided and content.met_on > at.date():
        raise ChangeRefused("met_on", "Date of the meeting must be today or in the past")


_NEEDED = {
    "body": "Enter the body whose motion it is",
    "meeting": "Enter the meeting",
    "title": "Enter a short title",
    "text": "Enter the full wording of the motion",
}
