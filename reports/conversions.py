"""Turning refusals that were policy into the practice's own stance, and back."""

import datetime

from django.db import transaction

from boycott.actions import set_stance
from boycott.positions import Stance
from boycott.queries import stance_of
from carerecords.models import Practice, User
from consent import bulk_runs
from consent.codes import BulkKind
from reports.models import Conversion
from reports.refusal_signals import Burst
from reports.refusals import still_refusing


class ConversionRefused(Exception):
    """It cannot be done; the message says why."""


@transaction.atomic
def convert(
    *,
    practice: Practice,
    burst: Burst,
    stance: Stance,
    agreed_by: str,
    agreed_on: datetime.date,
    note: str,
    by: User,
    at: datetime.datetime,
) -> Conversion:
    """Sets the stance, then starts marking the burst's standing refusals as recorded in error.

    The stance comes first, in the same transaction: nothing that its patients' own earlier consent
    would let go can leave in between. Raises `ConversionRefused` for a stance under which it could.
    """
    if stance is Stance.DO_NOT_FOLLOW:
        raise ConversionRefused("Select a stance that holds uploads: the refusals did")
    _, before = stance_of(practice)
    revision = set_stance(
        practice=practice,
        stance=stance,
        agreed_by=agreed_by,
        agreed_on=agreed_on,
        note="In place of refusals that no patient made",
        by=by,
        at=at,
    )
    run = bulk_runs.freeze(
        practice=practice,
        kind=BulkKind.CONVERSION,
        patients=still_refusing(practice, burst),
        chosen=f"Refusals recorded in one go, {burst.refusals:,} of them",
        note=note,
        by=by,
        at=at,
    )
    bulk_runs.start(run=run, at=at)
    return Conversion.objects.create(
        practice=practice,
        run=run,
        stance=revision,
        stance_before=before,
        began_at=burst.began_at,
        ended_at=burst.ended_at,
        refusals=burst.refusals,
        made_at=at,
        made_by=by,
    )


@transaction.atomic
def turn_back(*, conversion: Conversion, by: User, at: datetime.datetime) -> None:
    """Lets the refusals stand again, and goes back to the stance before if nobody changed it since.

    A practice that had not answered goes back to following the policy, which is what no answer means.
    Raises `bulk_runs.RunRefused` when it is too late.
    """
    bulk_runs.undo(run=conversion.run, by=by, at=at)
    _, now = stance_of(conversion.practice)
    if now is None or now.pk != conversion.stance_id:
        return
    before = conversion.stance_before
    set_stance(
        practice=conversion.practice,
        stance=Stance(before.stance) if before else Stance.FOLLOW,
        agreed_by=before.agreed_by if before else conversion.stance.agreed_by,
        agreed_on=before.agreed_on if before else conversion.stance.agreed_on,
        note="Back to what it was before refusals were turned into a stance",
        by=by,
        at=at,
    )
