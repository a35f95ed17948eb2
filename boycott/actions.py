"""Changing the union's position and the answers to it.

Each change takes the fence of its scope: after it commits, no upload that it forbids begins.
"""

import datetime
import uuid
from contextlib import ExitStack
from dataclasses import dataclass

from django.utils import timezone

from boycott.models import GpStanceRevision, PositionRevision, StanceRevision
from boycott.positions import DataScope, GpStance, Phrase, Position, Stance, Strength
from boycott.queries import NATIONAL_LINE, latest_of
from carerecords import doorbell, fence, quiet
from carerecords.models import Patient, Practice, User
from carerecords.models.fact_clock import NATIONAL
from carerecords.quiet import Quiet

REASON_LENGTH = range(20, 1001)


class ChangeRefused(Exception):
    """The change cannot be made; `field` names what to mend, the message says how."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True)
class Changed:
    """A change of position that has committed, and since when no upload has begun."""

    revision: PositionRevision
    quiet: Quiet


def change_position(
    *,
    position: Position,
    text: str,
    reason: str,
    by: User,
    at: datetime.datetime,
    seen: int,
    phrase: str = "",
    body: str = "BMA",
    strength: Strength = Strength.ADVICE,
    data_scope: DataScope = DataScope.ALL,
    line: uuid.UUID = NATIONAL_LINE,
) -> Changed:
    """Appends the next revision of a line of policy, in force at once.

    `seen` is the number of the revision the admin was shown (0: none). `phrase` is what they
    typed; starting or ending a boycott asks for it here, so that the API and commands obey too
    (LaunchDarkly asks for one in its pages only). Raises `ChangeRefused` when `seen` is no longer
    the latest, when the position is that already, when the phrase is not typed exactly, or when
    the text is missing or the reason too short or too long. Waits for the sends in flight, for one
    send time-out at most.
    """
    if not text.strip():
        raise ChangeRefused("text", "Enter the words of the motion or statement")
    if len(reason.strip()) not in REASON_LENGTH:
        raise ChangeRefused("reason", "Reason must be between 20 and 1,000 characters")
    with quiet.changing(NATIONAL, at) as silence:
        latest = latest_of(line)
        number = latest.number if latest else 0
        if number != seen:
            raise ChangeRefused("seen", "The policy was changed while you were working. Check it again")
        before = Position(latest.position) if latest and latest.lasts_after(at) else None
        if before is position:
            raise ChangeRefused("position", "This is the position already")
        asked = phrase_for(before, position)
        if asked and phrase.strip() != asked:
            raise ChangeRefused("phrase", f"Type {asked} to confirm")
        revision = PositionRevision.objects.create(
            line=line,
            number=number + 1,
            body=body,
            position=position,
            strength=strength,
            data_scope=data_scope,
            text=text.strip(),
            effective_from=at,
            reason=reason.strip(),
            made_at=at,
            made_by=by,
        )
        doorbell.ring_after_commit()
    return Changed(revision, silence)


def phrase_for(before: Position | None, after: Position) -> Phrase | None:
    """What must be typed: only starting and ending a boycott asks for a phrase."""
    if before == after:
        return None
    if after is Position.NON_COOPERATION:
        return Phrase.START
    return Phrase.END if before is Position.NON_COOPERATION else None


def set_stance(
    *,
    practice: Practice,
    stance: Stance,
    agreed_by: str,
    agreed_on: datetime.date,
    by: User,
    at: datetime.datetime,
    note: str = "",
) -> StanceRevision:
    """Appends a practice's answer. Raises `ChangeRefused` when nobody is named as having agreed."""
    if not agreed_by.strip():
        raise ChangeRefused("agreed_by", "Enter who agreed this")
    if agreed_on > timezone.localdate(at):
        raise ChangeRefused("agreed_on", "Date it was agreed must be today or in the past")
    with fence.changing(practice.pk):
        revision = StanceRevision.objects.create(
            practice=practice,
            stance=stance,
            agreed_by=agreed_by.strip(),
            agreed_on=agreed_on,
            note=note,
            made_at=at,
            made_by=by,
        )
        doorbell.ring_after_commit()
    return revision


def set_gp_stance(
    *,
    gp: User,
    practice: Practice,
    stance: GpStance,
    at: datetime.datetime,
    note: str = "",
) -> GpStanceRevision:
    """Appends a GP's own answer for the patients whose usual GP they are, at whatever practice."""
    theirs = Patient.objects.filter(usual_gp=gp).values_list("practice_id", flat=True).distinct()
    with ExitStack() as fences:
        # In the order in which senders take them.
        for scope in sorted({practice.pk, *theirs}):
            fences.enter_context(fence.changing(scope))
        revision = GpStanceRevision.objects.create(
            gp=gp, practice=practice, stance=stance, note=note, made_at=at
        )
        doorbell.ring_after_commit()
    return revision
