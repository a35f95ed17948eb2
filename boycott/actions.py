"""The answers of practices and GPs to the union's position; `drafting` and `approvals` change that.

Each takes the fence of its scope: after it commits, no upload that it forbids begins.
"""

import datetime
from contextlib import ExitStack

from django.utils import timezone

from boycott.models import GpStanceRevision, StanceRevision
from boycott.positions import GpStance, Stance
from carerecords import doorbell, fence, quiet
from carerecords.models import Patient, Practice, Quieted, User

REASON_LENGTH = range(20, 1001)


class ChangeRefused(Exception):
    """The change cannot be made; `field` names what to mend, the message says how."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


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
    with quiet.changing(practice.pk, at) as silence:
        revision = StanceRevision.objects.create(
            practice=practice,
            stance=stance,
            agreed_by=agreed_by.strip(),
            agreed_on=agreed_on,
            note=note,
            made_at=at,
            made_by=by,
        )
        silence.store(Quieted.Kind.STANCE, revision.pk)
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
