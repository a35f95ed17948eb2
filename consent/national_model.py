"""The nation's rule for patients who said nothing: proposed by one national admin, made by another.

What silence means concerns everybody at once, so it takes two, and it takes the nation's fence: no
upload begins under the old rule after the new one commits. A rule takes effect on the day it is
approved; nothing is ever dated back.
"""

import datetime

from django.utils import timezone

from carerecords import doorbell, quiet
from carerecords.models import User
from carerecords.models.fact_clock import NATIONAL
from carerecords.quiet import Quiet
from consent.codes import ConsentModel
from consent.models import ConsentModelProposal, ConsentModelRevision

REASON_LENGTH = range(20, 1001)
# The law's word for long enough: twelve weeks were the programme's (product page 3).
LETTER_WEEKS = range(1, 105)
# A proposal that nobody took up is forgotten: what it was judged by has moved on.
OPEN_FOR = datetime.timedelta(days=7)


class ModelRefused(Exception):
    """The rule was not changed; `field` names what to mend, the message says how."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def in_force(today: datetime.date) -> ConsentModelRevision | None:
    """The revision that holds on a day; None: express consent only, as nobody has said otherwise."""
    known = ConsentModelRevision.objects.filter(effective_from__lte=today)
    return known.select_related("recorded_by").order_by("-effective_from", "-pk").first()


def open_proposal(at: datetime.datetime) -> ConsentModelProposal | None:
    """The newest proposal, while nobody has approved it and it is not too old."""
    newest = ConsentModelProposal.objects.select_related("made_by").order_by("-pk").first()
    if newest is None or at - newest.made_at > OPEN_FOR:
        return None
    return None if ConsentModelRevision.objects.filter(proposal=newest).exists() else newest


def propose(
    *, model: ConsentModel, letter_weeks: int, reason: str, by: User, at: datetime.datetime
) -> ConsentModelProposal:
    """Writes down what is asked for; a newer proposal takes the place of an older one."""
    if letter_weeks not in LETTER_WEEKS:
        raise ModelRefused("letter_weeks", "Weeks must be a whole number between 1 and 104")
    if len(reason.strip()) not in REASON_LENGTH:
        raise ModelRefused("reason", "Reason must be between 20 and 1,000 characters")
    if _is_so_already(model, letter_weeks, at):
        raise ModelRefused("model", "This is the rule already")
    return ConsentModelProposal.objects.create(
        model=model, letter_weeks=letter_weeks, reason=reason.strip(), made_at=at, made_by=by
    )


def approve(*, proposal: ConsentModelProposal, by: User, at: datetime.datetime) -> Quiet:
    """Makes the proposed rule the nation's from today. Waits for the sends in flight."""
    with quiet.changing(NATIONAL, at) as silence:
        if open_proposal(at) != proposal:
            raise ModelRefused("", "This proposal is no longer open. Look at the newest one")
        if proposal.made_by_id == by.pk:
            raise ModelRefused("", "You cannot approve your own proposal. Ask another national admin")
        ConsentModelRevision.objects.create(
            model=proposal.model,
            effective_from=timezone.localdate(at),
            letter_weeks=proposal.letter_weeks,
            reason=proposal.reason,
            proposal=proposal,
            recorded_at=at,
            recorded_by=by,
        )
        doorbell.ring_after_commit()
    return silence


def history() -> list[ConsentModelRevision]:
    """Every rule there was, newest first."""
    rows = ConsentModelRevision.objects.select_related("recorded_by", "proposal__made_by")
    return list(rows.order_by("-pk")[:50])


def _is_so_already(model: ConsentModel, letter_weeks: int, at: datetime.datetime) -> bool:
    standing = in_force(timezone.localdate(at))
    if standing is None:
        return model is ConsentModel.EXPLICIT
    return (standing.model, standing.letter_weeks) == (model.value, letter_weeks)
