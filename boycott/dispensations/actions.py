"""Asking for a dispensation, deciding on it, ending it.

Freeing practices takes two, as a change of policy does; binding them again takes one, since it holds.
All takes the policy's desk and, where it changes what the gate answers, the fence of the practices.
"""

import datetime
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from boycott import desk
from boycott.actions import REASON_LENGTH, ChangeRefused
from boycott.dispensations.reading import Standing, standing_of
from boycott.dispensations.vocabulary import State, Step
from boycott.models import Dispensation, DispensationStep, PositionRevision
from boycott.positions import Position
from boycott.queries import open_revisions, place_of
from boycott.rules import Revision
from boycott.steps import checked_comment
from carerecords import confirmation, doorbell, quiet, staffing
from carerecords.confirmation import Confirmation
from carerecords.models import Practice, Quieted, User
from carerecords.models.fact_clock import NATIONAL
from carerecords.permissions import Permission
from carerecords.quiet import Quiet

# More practices than these take the nation's fence: one lock instead of as many.
MOST_FENCES = 20
_DONE = {Step.AGREED: "agreed", Step.REFUSED: "refused", Step.TAKEN_BACK: "taken back", Step.ENDED: "ended"}
OWN = "You asked for this dispensation, so somebody else must agree"
REVISED = "The position was changed since this was asked for. Ask for it again"


def ask(
    *,
    revision: int,
    ods_codes: Collection[str],
    starts_at: datetime.datetime,
    ends_at: datetime.datetime,
    reason: str,
    by: User,
    at: datetime.datetime,
) -> Dispensation:
    """Asks that practices be released from a position. Frees nobody before `agree`.

    `revision` is the id of one that stands. Raises `NotPermitted`, or `ChangeRefused` naming the field.
    """
    staffing.require(by, Permission.CHANGE_POSITION, at)
    with desk.taken():
        position = _open_revision(revision, at)
        if position is None:
            raise ChangeRefused("revision", "Select the position that they are released from")
        if position.position is Position.COOPERATE:
            raise ChangeRefused(
                "revision", "This position holds no upload, so nobody needs releasing from it"
            )
        _check_practices(position, ods_codes)
        if ends_at <= max(starts_at, at):
            raise ChangeRefused("ends_at", "Last day must be after the start and not in the past")
        if len(reason.strip()) not in REASON_LENGTH:
            raise ChangeRefused("reason", "Reason must be between 20 and 1,000 characters")
        return Dispensation.objects.create(
            revision=PositionRevision.objects.get(pk=revision),
            ods_codes=sorted(set(ods_codes)),
            starts_at=starts_at,
            ends_at=ends_at,
            reason=reason.strip(),
            made_at=at,
            made_by=by,
        )


def agree(
    *,
    dispensation: Dispensation,
    comment: str,
    confirmed: Confirmation | None,
    by: User,
    at: datetime.datetime,
) -> None:
    """The second of two: from now or from its day on the practices are free of the position.

    Raises `NotPermitted`, `NotConfirmed` without a fresh proof of the person, or `ChangeRefused` for
    one's own, for one decided already, and where the position or the asker's role are not what they were.
    """
    staffing.require(by, Permission.APPROVE_POSITION, at)
    with desk.taken():
        found = _found(dispensation, at)
        _check_state(found, Step.AGREED)
        if found.dispensation.made_by_id == by.pk:
            raise ChangeRefused("own", OWN)
        confirmation.check(confirmed, by, at)
        comment = checked_comment(comment, "Enter a reason")
        if not staffing.may(found.dispensation.made_by, Permission.CHANGE_POSITION, at):
            raise ChangeRefused("state", f"{found.dispensation.made_by.short_name} left that role")
        with _fenced(found.dispensation, at):
            _take(found, Step.AGREED, comment, by, at)


def refuse(*, dispensation: Dispensation, comment: str, by: User, at: datetime.datetime) -> None:
    """Says no. Raises `NotPermitted` or `ChangeRefused`, also for one's own: that is taken back."""
    staffing.require(by, Permission.APPROVE_POSITION, at)
    with desk.taken():
        found = _found(dispensation, at)
        _check_state(found, Step.REFUSED)
        if found.dispensation.made_by_id == by.pk:
            raise ChangeRefused("own", "Take your own request back instead")
        _take(found, Step.REFUSED, checked_comment(comment, "Enter a reason"), by, at)


def take_back(*, dispensation: Dispensation, comment: str, by: User, at: datetime.datetime) -> None:
    """Gives a request up before anybody agreed."""
    staffing.require(by, Permission.CHANGE_POSITION, at)
    with desk.taken():
        found = _found(dispensation, at)
        _check_state(found, Step.TAKEN_BACK)
        _take(found, Step.TAKEN_BACK, checked_comment(comment, "Enter a reason"), by, at)


def end(*, dispensation: Dispensation, comment: str, by: User, at: datetime.datetime) -> None:
    """Binds the practices again before its time; one person may. After it commits no upload begins
    that the position holds; how long that took is stored with it."""
    staffing.require(by, Permission.CHANGE_POSITION, at)
    with desk.taken():
        found = _found(dispensation, at)
        _check_state(found, Step.ENDED)
        comment = checked_comment(comment, "Enter a reason")
        with _fenced(found.dispensation, at) as silence:
            _take(found, Step.ENDED, comment, by, at)
            silence.store(Quieted.Kind.DISPENSATION, found.dispensation.pk)


def _found(dispensation: Dispensation, at: datetime.datetime) -> Standing:
    found = standing_of(dispensation.public_id, at)
    assert found is not None
    return found


def _check_state(found: Standing, step: Step) -> None:
    if found.state is State.LAPSED:
        raise ChangeRefused("state", REVISED)
    if not found.allows(step):
        state = found.state.label.lower()
        raise ChangeRefused("state", f"This dispensation is {state}, so it cannot be {_DONE[step]}")


def _open_revision(revision: int, at: datetime.datetime) -> Revision | None:
    """The position, if it is in force or still to come."""
    return next((one for one in open_revisions(at) if one.id == revision), None)


def _check_practices(position: Revision, ods_codes: Collection[str]) -> None:
    if not ods_codes:
        raise ChangeRefused("ods_codes", "Enter the practices that are released")
    known = {one.ods_code: one for one in Practice.objects.filter(ods_code__in=list(ods_codes))}
    if unknown := sorted(set(ods_codes) - known.keys()):
        raise ChangeRefused("ods_codes", f"There is no practice {', '.join(unknown)}")
    elsewhere = sorted(code for code, one in known.items() if not position.covers(place_of(one)))
    if elsewhere:
        raise ChangeRefused("ods_codes", f"This position is not about {', '.join(elsewhere)}")


@contextmanager
def _fenced(dispensation: Dispensation, at: datetime.datetime) -> Iterator[Quiet]:
    """Behind the fence of its practices, in the order in which senders take them."""
    practices = Practice.objects.filter(ods_code__in=dispensation.ods_codes)
    scopes = sorted(practices.values_list("pk", flat=True))
    with quiet.changing_all(scopes if len(scopes) <= MOST_FENCES else [NATIONAL], at) as silence:
        yield silence
        doorbell.ring_after_commit()


def _take(found: Standing, step: Step, comment: str, by: User, at: datetime.datetime) -> None:
    DispensationStep.objects.create(
        dispensation=found.dispensation, kind=step, comment=comment, made_at=at, made_by=by
    )
