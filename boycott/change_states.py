"""The way of a change of policy: which step leads where. Pure.

draft, in review, approved, scheduled or in force; rejected, cancelled, suspended. Every step is a row
that stays; the state is that of the last one, and a scheduled change is in force from its moment on by
the calendar alone.
"""

import datetime

from carerecords.vocabulary import Term


class ChangeState(Term):
    """Where a change stands."""

    DRAFT = "DRAFT", "Draft"
    IN_REVIEW = "IN_REVIEW", "In review"
    APPROVED = "APPROVED", "Approved"
    SCHEDULED = "SCHEDULED", "Scheduled"
    IN_FORCE = "IN_FORCE", "In force"
    REJECTED = "REJECTED", "Rejected"
    CANCELLED = "CANCELLED", "Cancelled"
    SUSPENDED = "SUSPENDED", "Suspended"

    def is_over(self, *, holds: bool) -> bool:
        """Of one that took effect: whether it did so for a time only; `holds`: its position is in force."""
        return self is ChangeState.IN_FORCE and not holds

    def words(self, *, holds: bool) -> str:
        """What people read, on a page and at a terminal."""
        return "Over" if self.is_over(holds=holds) else self.label


class Step(Term):
    """What was done with a change."""

    WRITTEN = "WRITTEN", "Draft saved"
    SUBMITTED = "SUBMITTED", "Sent for approval"
    ASKED_AGAIN = "ASKED_AGAIN", "Figures had changed: asked to check again"
    APPROVED = "APPROVED", "Approved"
    SCHEDULED = "SCHEDULED", "Scheduled"
    TOOK_EFFECT = "TOOK_EFFECT", "Took effect"
    REJECTED = "REJECTED", "Rejected"
    CANCELLED = "CANCELLED", "Cancelled"
    SUSPENDED = "SUSPENDED", "Suspended"


class Cause(Term):
    """Why a change was suspended."""

    MOTION = "MOTION", "The motion it rests on was changed"
    OVERTAKEN = "OVERTAKEN", "It was overtaken: the policy that it changes is not what it was"
    CONFLICT = "CONFLICT", "A position that disagrees with it was approved"
    LEFT = "LEFT", "Somebody who sent or approved it may do so no longer"


_S, _T = ChangeState, Step
# Writing is what every edit does: whatever was sent or approved before is void.
TRANSITIONS: dict[ChangeState, dict[Step, ChangeState]] = {
    _S.DRAFT: {_T.WRITTEN: _S.DRAFT, _T.SUBMITTED: _S.IN_REVIEW, _T.CANCELLED: _S.CANCELLED},
    _S.IN_REVIEW: {
        _T.WRITTEN: _S.DRAFT,
        _T.SUBMITTED: _S.IN_REVIEW,
        _T.ASKED_AGAIN: _S.IN_REVIEW,
        _T.APPROVED: _S.APPROVED,
        _T.REJECTED: _S.REJECTED,
        _T.CANCELLED: _S.CANCELLED,
        _T.SUSPENDED: _S.SUSPENDED,
    },
    _S.APPROVED: {_T.SCHEDULED: _S.SCHEDULED, _T.TOOK_EFFECT: _S.IN_FORCE},
    _S.SCHEDULED: {
        _T.WRITTEN: _S.DRAFT,
        _T.TOOK_EFFECT: _S.IN_FORCE,
        _T.CANCELLED: _S.CANCELLED,
        _T.SUSPENDED: _S.SUSPENDED,
    },
    _S.IN_FORCE: {},
    _S.REJECTED: {_T.WRITTEN: _S.DRAFT},
    _S.CANCELLED: {},
    _S.SUSPENDED: {_T.WRITTEN: _S.DRAFT, _T.SUBMITTED: _S.IN_REVIEW, _T.CANCELLED: _S.CANCELLED},
}
# What each step leaves behind.
AFTER: dict[Step, ChangeState] = {
    step: state for steps in TRANSITIONS.values() for step, state in steps.items()
}
# Those that can still take effect without being written again.
ON_THE_WAY = (ChangeState.IN_REVIEW, ChangeState.SCHEDULED)
LEAVE_ON_THE_WAY = frozenset(step for step, state in AFTER.items() if state in ON_THE_WAY)
# Where a change still has an effect to foresee.
UNSETTLED = {ChangeState.DRAFT, ChangeState.IN_REVIEW, ChangeState.SUSPENDED, ChangeState.REJECTED}


def state_after(step: Step, starts_at: datetime.datetime | None, at: datetime.datetime) -> ChangeState:
    """The state at a time, of a change whose last step this is."""
    state = AFTER[step]
    if state is ChangeState.SCHEDULED and starts_at is not None and starts_at <= at:
        return ChangeState.IN_FORCE
    return state


def allows(state: ChangeState, step: Step) -> bool:
    return step in TRANSITIONS[state]
