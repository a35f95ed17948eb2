"""Writing a change of policy, sending it for approval, and giving it up.

Whoever calls, a page, the API or a command, meets the same checks here.
"""

import datetime
import uuid

from boycott import desk, steps, suspending
from boycott.actions import REASON_LENGTH, ChangeRefused
from boycott.change_states import Step
from boycott.content import Content
from boycott.dossier import Dossier, dossier, latest_motion, line_version
from boycott.measured_change import base_now, figures_now
from boycott.models import ChangeContent, MotionRevision, PolicyChange, PositionRevision
from boycott.positions import Direction, MotionStatus
from boycott.rules import may_rest_on
from boycott.scopes import check_scope
from boycott.withdrawing import take_back
from carerecords import staffing
from carerecords.formats import nhs_date
from carerecords.models import User
from carerecords.permissions import Permission


def draft_change(*, line: uuid.UUID, content: Content, by: User, at: datetime.datetime) -> Dossier:
    """A new change of a line of policy, as a draft. Nothing takes effect.

    Raises `NotPermitted`, or `ChangeRefused` naming the field that cannot stand.
    """
    staffing.require(by, Permission.CHANGE_POSITION, at)
    with desk.taken():
        motion = _check(content, at)
        change = PolicyChange.objects.create(line=line, made_at=at, made_by=by)
        found = Dossier(change, [])
        _write(found, content, motion, by, at)
    return found


def edit_change(
    *, change: PolicyChange, content: Content, seen: str, by: User, at: datetime.datetime
) -> Dossier:
    """Writes it again: a draft once more, whatever was sent or approved before is void.

    `seen` is the fingerprint of the writing that the editor had before them. A scheduled change is
    taken back with the edit. Raises as `draft_change`.
    """
    staffing.require(by, Permission.CHANGE_POSITION, at)
    with desk.taken():
        found = dossier(change)
        steps.check_state(found, Step.WRITTEN, at)
        steps.check_seen(found, seen)
        motion = _check(content, at)
        concerned = found.answerable
        was_approved = found.approval is not None
        taken_back = take_back(found, by, at)
        _write(found, content, motion, by, at)
        if was_approved:
            text = f"{by.short_name} edited {steps.name_of(found)}. Its approval is void."
            steps.tell(found, concerned - {by.pk}, text, at)
        if taken_back:
            suspending.after_withdrawal(found, at)
    return found


def submit_change(*, change: PolicyChange, seen: str, by: User, at: datetime.datetime) -> Dossier:
    """Sends it for approval, with its effect as the gate would decide now. Raises `ChangeRefused`."""
    staffing.require(by, Permission.CHANGE_POSITION, at)
    with desk.taken():
        found = dossier(change)
        steps.check_state(found, Step.SUBMITTED, at)
        steps.check_seen(found, seen)
        check_ready(found, at)
        steps.take(found, Step.SUBMITTED, by=by, at=at, figures=figures_now(found, at))
    return found


def cancel_change(*, change: PolicyChange, comment: str, by: User, at: datetime.datetime) -> Dossier:
    """Gives it up for good; a scheduled one is taken back. The others concerned are told."""
    staffing.require(by, Permission.CHANGE_POSITION, at)
    comment = steps.checked_comment(comment, "Enter a reason")
    with desk.taken():
        found = dossier(change)
        steps.check_state(found, Step.CANCELLED, at)
        taken_back = take_back(found, by, at)
        text = f"{by.short_name} cancelled {steps.name_of(found)}: {comment}"
        steps.tell(found, found.answerable - {by.pk}, text, at)
        steps.take(found, Step.CANCELLED, by=by, at=at, comment=comment)
        if taken_back:
            suspending.after_withdrawal(found, at)
    return found


def check_ready(found: Dossier, at: datetime.datetime) -> None:
    """What must hold when it is sent and again when it is approved. Raises `ChangeRefused`."""
    content, change = found.content, found.change
    if found.guidance is None:
        raise ChangeRefused("guidance", "Write the guidance to publish with this change first")
    motion = latest_motion(content.motion.motion)
    if motion is None or motion.pk != content.motion_id:
        raise ChangeRefused("motion", "The motion was changed since this was written. Edit the change")
    if content.line_version != line_version(change.line):
        raise ChangeRefused("seen", "The policy was changed since this was written. Edit the change")
    if content.starts_at is not None and content.starts_at <= at:
        raise ChangeRefused("starts_at", "Start must be in the future. Edit the change")
    base, then = base_now(found, at)
    if base is not None and base.asks_the_same(then) and _reads_the_same(base.id, content):
        raise ChangeRefused("position", "This is the position already")
    if content.starts_at is not None and base is not None and base.effective_from == content.starts_at:
        raise ChangeRefused("starts_at", f"This overlaps a change starting on {nhs_date(content.starts_at)}")


def _reads_the_same(base: int, content: ChangeContent) -> bool:
    """Whether nothing that practices read of it would change either."""
    row = PositionRevision.objects.get(pk=base)
    names = ("body", "strength", "text", "end_condition", "review_on")
    now = {name: getattr(row, name) for name in names}
    return now == {name: getattr(content, name, content.motion.body) for name in names}


def _write(found: Dossier, content: Content, motion: MotionRevision, by: User, at: datetime.datetime) -> None:
    written = ChangeContent.objects.create(
        change=found.change,
        number=sum(step.kind == Step.WRITTEN for step in found.steps) + 1,
        motion=motion,
        position=content.position,
        strength=content.strength,
        data_scope=content.data_scope,
        region_codes=sorted(content.region_codes),
        icb_codes=sorted(content.icb_codes),
        ods_codes=sorted(content.ods_codes),
        exempt_ods_codes=sorted(content.exempt_ods_codes),
        text=content.text.strip() or motion.text,
        starts_at=content.starts_at,
        ends_at=content.ends_at,
        end_condition=content.end_condition.strip(),
        review_on=content.review_on,
        reason=content.reason.strip(),
        line_version=line_version(found.change.line),
        made_at=at,
        made_by=by,
    )
    steps.take(found, Step.WRITTEN, by=by, at=at, content=written)


def _check(content: Content, at: datetime.datetime) -> MotionRevision:
    """The motion as it stands; raises `ChangeRefused` for what no change may say."""
    motion = latest_motion(content.motion)
    if motion is None:
        raise ChangeRefused("motion", "Select the motion that this rests on")
    if not may_rest_on(content.position, MotionStatus(motion.status), Direction(motion.direction)):
        status, direction = motion.get_status_display(), motion.get_direction_display()
        raise ChangeRefused(
            "motion",
            f"This motion ({status.lower()}, {direction.lower()}) does not bear the position "
            f"“{content.position.label}”",
        )
    if len(content.reason.strip()) not in REASON_LENGTH:
        raise ChangeRefused("reason", "Reason must be between 20 and 1,000 characters")
    if content.starts_at is not None and content.starts_at <= at:
        raise ChangeRefused("starts_at", "Start must be in the future")
    if content.ends_at is not None and content.ends_at <= (content.starts_at or at):
        raise ChangeRefused("ends_at", "End must be after the start")
    check_scope(content)
    return motion
