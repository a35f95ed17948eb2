"""The programme's emergency stop: one stops, a second reviews, two together resume.

Stopping and resuming take the nation's fence: after a stop commits, no upload begins. Removals that
patients asked for go on: the gate lets a withdrawal pass a stop.
"""

import datetime

from carerecords import confirmation, doorbell, quiet, staffing
from carerecords.confirmation import Confirmation
from carerecords.models import Quieted, User
from carerecords.models.fact_clock import NATIONAL
from carerecords.permissions import Permission
from carerecords.quiet import Quiet
from spine.models import StopRevision, StopStep
from spine.policy.stopping import Stopping, stopping

LONGEST_REASON = 1000


class StopRefused(Exception):
    """Nothing was done; `field` names what to mend, the message says how."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def stop_uploads(*, reason: str, by: User, at: datetime.datetime) -> Quiet:
    """Stops all uploads at once; one person may.

    Raises `NotPermitted`, or `StopRefused` when they are stopped already or no reason is given. Waits
    for the sends in flight, for one send time-out at most, and says how long that was.
    """
    staffing.require(by, Permission.STOP_UPLOADS, at)
    reason = _checked(reason)
    with quiet.changing(NATIONAL, at) as silence:
        if stopping() is not None:
            raise StopRefused("", "All uploads are stopped already")
        made = _append(stopped=True, reason=reason, by=by, at=at)
        silence.store(Quieted.Kind.STOP, made.pk)
    return silence


def review_stop(*, note: str, by: User, at: datetime.datetime) -> StopStep:
    """A second person finds that the stop is right, and says why. It goes on.

    Due within 24 hours. Raises `StopRefused` for whoever stopped, and for a second review.
    """
    staffing.require(by, Permission.STOP_UPLOADS, at)
    note = _checked(note)
    with quiet.changing(NATIONAL, at):
        now = _standing()
        if now.stop.made_by_id == by.pk:
            raise StopRefused("", "You stopped uploads, so somebody else must review that")
        if now.review:
            raise StopRefused("", f"{now.review.made_by.short_name} has reviewed this stop already")
        return _step(now, StopStep.Kind.REVIEWED, note, by, at)


def ask_to_resume(*, reason: str, by: User, at: datetime.datetime) -> StopStep:
    """The first of the two that resuming takes. Uploads stay stopped until a second agrees."""
    staffing.require(by, Permission.STOP_UPLOADS, at)
    reason = _checked(reason)
    with quiet.changing(NATIONAL, at):
        now = _standing()
        if now.asked:
            raise StopRefused("", f"{now.asked.made_by.short_name} has asked to resume already")
        return _step(now, StopStep.Kind.RESUME_ASKED, reason, by, at)


def decline_to_resume(*, note: str, by: User, at: datetime.datetime) -> StopStep:
    """Says no to resuming, or takes one's own request back. Uploads stay stopped."""
    staffing.require(by, Permission.STOP_UPLOADS, at)
    note = _checked(note)
    with quiet.changing(NATIONAL, at):
        now = _standing()
        _asked(now)
        return _step(now, StopStep.Kind.RESUME_DECLINED, note, by, at)


def agree_to_resume(
    *, note: str, confirmed: Confirmation | None, by: User, at: datetime.datetime
) -> StopRevision:
    """The second of the two: uploads run again, and every held one is looked at afresh.

    Raises `NotPermitted`, `NotConfirmed` without a fresh proof of the person, or `StopRefused` for
    whoever asked, or when nobody has.
    """
    staffing.require(by, Permission.STOP_UPLOADS, at)
    note = _checked(note)
    with quiet.changing(NATIONAL, at):
        now = _standing()
        asked = _asked(now)
        if asked.made_by_id == by.pk:
            raise StopRefused("", "You asked to resume uploads, so somebody else must agree")
        confirmation.check(confirmed, by, at)
        _step(now, StopStep.Kind.RESUME_AGREED, note, by, at)
        return _append(stopped=False, reason=asked.note, by=by, at=at)


def _standing() -> Stopping:
    now = stopping()
    if now is None:
        raise StopRefused("", "Uploads are not stopped")
    return now


def _asked(now: Stopping) -> StopStep:
    if now.asked is None:
        raise StopRefused("", "Nobody has asked to resume uploads")
    return now.asked


def _checked(reason: str) -> str:
    reason = reason.strip()
    if not reason:
        raise StopRefused("reason", "Enter a reason")
    if len(reason) > LONGEST_REASON:
        raise StopRefused("reason", "Reason must be 1,000 characters or less")
    return reason


def _step(now: Stopping, kind: StopStep.Kind, note: str, by: User, at: datetime.datetime) -> StopStep:
    return StopStep.objects.create(stop=now.stop, kind=kind, note=note, made_at=at, made_by=by)


def _append(*, stopped: bool, reason: str, by: User, at: datetime.datetime) -> StopRevision:
    made = StopRevision.objects.create(stopped=stopped, reason=reason, made_at=at, made_by=by)
    doorbell.ring_after_commit()
    return made
