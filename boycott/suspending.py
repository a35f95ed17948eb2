"""Suspending a change that can no longer be relied on, with a reason, and telling those concerned.

Whatever was approved on facts that are gone does not take effect by the calendar: the scheduled
revision is taken back in the transaction that removes the facts.
"""

import datetime
import uuid

from boycott import desk, steps
from boycott.actions import ChangeRefused
from boycott.change_states import ON_THE_WAY, Cause, ChangeState, Step
from boycott.dossier import Dossier, on_the_way
from boycott.measured_change import examined_with
from boycott.models import PositionRevision
from boycott.withdrawing import take_back
from carerecords import staffing
from carerecords.models import User
from carerecords.permissions import Permission


def suspend(found: Dossier, cause: Cause, comment: str, at: datetime.datetime) -> None:
    """Suspends it if it is on its way, and tells authors and approver. Under the desk.

    One whose moment has come while this waited stays in force: it did take effect.
    """
    if found.state(at) not in ON_THE_WAY:
        return
    try:
        taken_back = take_back(found, None, at)
    except ChangeRefused:
        return
    steps.take(found, Step.SUSPENDED, by=None, at=at, cause=cause, comment=comment)
    text = f"{steps.name_of(found)} is suspended. {cause.label}. {comment}"
    steps.tell(found, found.answerable, text, at)
    if taken_back:
        after_withdrawal(found, at)


def after_withdrawal(found: Dossier, at: datetime.datetime) -> None:
    """What else was written for a line whose scheduled change was taken back. Under the desk."""
    overtaken_by(found, f"{steps.name_of(found)} was taken back.", at)


def of_motion(motion: uuid.UUID, comment: str, at: datetime.datetime) -> None:
    """Suspends all that rest on a motion that was changed. Under the desk."""
    for found in on_the_way(at):
        if found.content.motion.motion == motion:
            suspend(found, Cause.MOTION, comment, at)


def overtaken_by(
    newer: Dossier, comment: str, at: datetime.datetime, since: datetime.datetime | None = None
) -> None:
    """Suspends the other changes of a line that has changed: they were written on what it said before.

    Scheduled ones that begin before `since`, the start of the newer change, stand: it was written in
    the knowledge of them. Under the desk.
    """
    for found in on_the_way(at):
        if found.change.line != newer.change.line or found.change.pk == newer.change.pk:
            continue
        starts = found.content.starts_at
        stands = found.state(at) is ChangeState.SCHEDULED and since and starts and starts < since
        if not stands:
            suspend(found, Cause.OVERTAKEN, comment, at)


def scheduled_against(newer: Dossier, at: datetime.datetime) -> list[Dossier]:
    """The scheduled changes of other lines that would disagree with it: nobody approved that."""
    then, found = examined_with(newer, at)
    rivals = {
        one.id
        for clash in found.clashes_of(then)
        for one in clash.revisions
        if one.position is not then.position
    }
    changes = set(PositionRevision.objects.filter(pk__in=rivals).values_list("change_id", flat=True))
    return [
        one for one in on_the_way(at) if one.change.pk in changes and one.state(at) is ChangeState.SCHEDULED
    ]


def of_leavers(at: datetime.datetime, user: User | None = None) -> None:
    """Suspends changes whose author or approver holds the role no longer.

    `user`: only what hangs on this person, as they leave. Without: all, for whoever changes roles past
    the verb that tells us, by a bulk update for example.
    """
    if not _waiting_for(user, at):
        return
    with desk.taken():
        for found in _waiting_for(user, at):
            if leavers := gone(found, at):
                suspend(found, Cause.LEFT, f"{leavers[0].short_name} left that role.", at)


def when_somebody_leaves(user: User, at: datetime.datetime) -> None:
    """What the ground calls in the transaction that ends a role or an account."""
    of_leavers(at, user)


def _waiting_for(user: User | None, at: datetime.datetime) -> list[Dossier]:
    return [found for found in on_the_way(at) if user is None or user.pk in found.answerable]


def gone(found: Dossier, at: datetime.datetime) -> list[User]:
    """Those who must go on holding their roles for it, and do not."""
    approver = found.approval.made_by_id if found.approval else None
    return [
        user
        for user in User.objects.filter(pk__in=found.answerable).order_by("pk")
        if not staffing.may(
            user, Permission.APPROVE_POSITION if user.pk == approver else Permission.CHANGE_POSITION, at
        )
    ]
