"""The programme's emergency stop, and lifting it.

Each takes the nation's fence: after it commits, no upload begins. Removals that patients asked for
go on: the gate lets a withdrawal pass a stop.
"""

import datetime

from carerecords import doorbell, quiet
from carerecords.models import User
from carerecords.models.fact_clock import NATIONAL
from carerecords.quiet import Quiet
from spine.models import StopRevision
from spine.standing import latest_stop

LONGEST_REASON = 1000


class StopRefused(Exception):
    """Nothing was stopped or resumed; `field` names what to mend, the message says how."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def stop_uploads(*, reason: str, by: User, at: datetime.datetime) -> Quiet:
    """Stops all uploads at once; one person may.

    Raises `StopRefused` when they are stopped already or no reason is given. Waits for the sends
    in flight, for one send time-out at most, and says how long that was.
    """
    _check_reason(reason)
    with quiet.changing(NATIONAL, at) as silence:
        standing = latest_stop()
        if standing and standing.stopped:
            raise StopRefused("", "All uploads are stopped already")
        _append(stopped=True, reason=reason, by=by, at=at)
    return silence


def resume_uploads(*, reason: str, by: User, at: datetime.datetime) -> None:
    """Lifts the stop. Raises `StopRefused` for whoever stopped, or when nothing is stopped."""
    _check_reason(reason)
    with quiet.changing(NATIONAL, at):
        standing = latest_stop()
        if standing is None or not standing.stopped:
            raise StopRefused("", "Uploads are not stopped")
        if not may_resume(standing, by):
            raise StopRefused("", "You stopped uploads, so somebody else must resume them")
        _append(stopped=False, reason=reason, by=by, at=at)


def may_resume(standing: StopRevision, by: User) -> bool:
    """Resuming takes two: who stopped, and another who finds that the cause is mended."""
    return standing.made_by_id != by.pk


def _check_reason(reason: str) -> None:
    if not reason.strip():
        raise StopRefused("reason", "Enter a reason")
    if len(reason.strip()) > LONGEST_REASON:
        raise StopRefused("reason", "Reason must be 1,000 characters or less")


def _append(*, stopped: bool, reason: str, by: User, at: datetime.datetime) -> None:
    StopRevision.objects.create(stopped=stopped, reason=reason.strip(), made_at=at, made_by=by)
    doorbell.ring_after_commit()
