"""Approving a change of policy, or rejecting it: by somebody else, on what it would do now.

All of four eyes stands here, below every screen: whoever calls gives the fingerprint of what they saw,
the phrase, a comment and a fresh proof of who they are, and the figures are computed here.
"""

import datetime
import time
from dataclasses import dataclass

from boycott import desk, guidance, steps, suspending
from boycott.actions import ChangeRefused
from boycott.change_states import Cause, Step
from boycott.dossier import Dossier, as_revision, dossier
from boycott.drafting import check_ready
from boycott.figures import Figures, drifted
from boycott.measured_change import figures_now, phrase_now
from boycott.models import PolicyChange, PositionRevision
from carerecords import confirmation, doorbell, quiet, staffing
from carerecords.confirmation import Confirmation
from carerecords.formats import nhs_datetime
from carerecords.models import Quieted, User
from carerecords.models.fact_clock import NATIONAL
from carerecords.permissions import Permission
from carerecords.quiet import Quiet

DRIFTED = "Figures changed by more than 5% since this was sent. Check them again"
OWN = "You cannot approve your own change"


@dataclass(frozen=True)
class Approved:
    """A change that has committed. `quiet`: since when no upload has begun under the old policy."""

    dossier: Dossier
    revision: PositionRevision
    quiet: Quiet


def approve_change(
    *,
    change: PolicyChange,
    seen: str,
    phrase: str,
    comment: str,
    confirmed: Confirmation | None,
    by: User,
    at: datetime.datetime,
    began: float | None = None,
) -> Approved:
    """Approves exactly what was seen, and puts it into force now or by the calendar.

    `seen` is the fingerprint of the writing that the approver had before them; `began` is `at` on the
    monotonic clock, where work went on since. Raises `NotPermitted`,
    `NotConfirmed` without a fresh proof, or `ChangeRefused` naming what is wrong: `state`, `own`,
    `seen`, `comment`, `phrase`, `figures` (they drifted; asked again, which is itself a step), or a
    field of the change that no longer stands. Waits for the sends in flight, for one send time-out at most.
    """
    began = time.monotonic() if began is None else began
    staffing.require(by, Permission.APPROVE_POSITION, at)
    with desk.taken():
        found = dossier(change)
        _check_person(found, Step.APPROVED, by, at)
        confirmation.check(confirmed, by, at)
        steps.check_seen(found, seen)
        _check_sent(found)
        comment = steps.checked_comment(comment, "Enter a comment")
        check_ready(found, at)
        asked = phrase_now(found, at)
        if asked and phrase.strip() != asked:
            raise ChangeRefused("phrase", f"Type {asked} to approve")
        if leavers := suspending.gone(found, at):
            suspending.suspend(found, Cause.LEFT, f"{leavers[0].short_name} left that role.", at)
        elif (figures := _figures(found, by, at)) is not None:
            return _put_into_force(found, comment, figures, by, at, began)
    # What was written above stays, so the refusal comes after the commit.
    if leavers:
        raise ChangeRefused("state", "This change is suspended. Somebody who sent it left that role")
    raise ChangeRefused("figures", DRIFTED)


def reject_change(*, change: PolicyChange, comment: str, by: User, at: datetime.datetime) -> Dossier:
    """Sends it back with a comment; its authors are told. Raises `NotPermitted` or `ChangeRefused`."""
    staffing.require(by, Permission.APPROVE_POSITION, at)
    comment = steps.checked_comment(comment, "Enter a reason")
    with desk.taken():
        found = dossier(change)
        _check_person(found, Step.REJECTED, by, at)
        steps.take(found, Step.REJECTED, by=by, at=at, comment=comment)
        text = f"{by.short_name} rejected {steps.name_of(found)}: {comment}"
        steps.tell(found, found.authors, text, at)
    return found


def _check_person(found: Dossier, kind: Step, by: User, at: datetime.datetime) -> None:
    """The state, and that it is somebody else's, whatever role they come in."""
    steps.check_state(found, kind, at)
    if by.pk in found.authors:
        raise ChangeRefused("own", OWN if kind is Step.APPROVED else "Cancel your own change instead")


def _check_sent(found: Dossier) -> None:
    """That all is as it was sent, what lies outside the writing included."""
    if found.submission is None or found.submission.content_hash != found.fingerprint:
        raise ChangeRefused("seen", "This change was edited since it was sent. Its author must send it again")


def _figures(found: Dossier, by: User, at: datetime.datetime) -> Figures | None:
    """The figures as they are, or None where they moved since this person was shown them.

    Then that they were is a step, so the next try compares with what they have seen by then.
    """
    now, shown = figures_now(found, at), found.last_shown_to(by.pk)
    if shown is None or drifted(Figures.from_json(shown.figures or {}), now):
        steps.take(found, Step.ASKED_AGAIN, by=by, at=at, figures=now)
        return None
    return now


def _publish_guidance(found: Dossier, by: User, at: datetime.datetime) -> None:
    """With the change or not at all. What a change published before it was written again is out already."""
    draft = guidance.draft_of(found.change)
    if draft is None:
        return
    try:
        guidance.publish(revision=draft, change=found.change, by=by, at=at)
    except guidance.GuidanceRefused as refusal:
        raise ChangeRefused("guidance", str(refusal)) from None


def _put_into_force(
    found: Dossier, comment: str, figures: Figures, by: User, at: datetime.datetime, began: float
) -> Approved:
    against = suspending.scheduled_against(found, at)
    sender = found.submission
    then, content = as_revision(found, at), found.content
    with quiet.changing(NATIONAL, at, began=began) as silence:
        revision = PositionRevision.objects.create(
            line=then.line,
            number=then.number,
            body=content.motion.body,
            position=content.position,
            strength=content.strength,
            data_scope=content.data_scope,
            region_codes=content.region_codes,
            icb_codes=content.icb_codes,
            ods_codes=content.ods_codes,
            exempt_ods_codes=content.exempt_ods_codes,
            text=content.text,
            effective_from=then.effective_from,
            effective_to=content.ends_at,
            end_condition=content.end_condition,
            review_on=content.review_on,
            reason=content.reason,
            motion=content.motion,
            change=found.change,
            made_at=at,
            made_by=sender.made_by if sender else by,
        )
        steps.take(found, Step.APPROVED, by=by, at=at, comment=comment, figures=figures)
        _publish_guidance(found, by, at)
        later = content.starts_at is not None
        if not later:
            silence.store(Quieted.Kind.CHANGE, found.change.pk)
        steps.take(found, Step.SCHEDULED if later else Step.TOOK_EFFECT, by=by, at=at)
        name = steps.name_of(found)
        suspending.overtaken_by(found, f"{name} was approved.", at, revision.effective_from)
        for rival in against:
            suspending.suspend(rival, Cause.CONFLICT, f"That is {name}.", at)
        when = f"It starts on {nhs_datetime(content.starts_at)}." if later else "It is in force."
        steps.tell(found, found.authors, f"{by.short_name} approved {name}. {when}", at)
        doorbell.ring_after_commit()
    return Approved(found, revision, silence)
