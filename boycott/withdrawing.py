"""Taking a scheduled revision back before it begins."""

import datetime

from boycott.actions import ChangeRefused
from boycott.change_states import ChangeState
from boycott.dossier import Dossier, revision_of
from boycott.models import PositionWithdrawal
from carerecords import doorbell, quiet
from carerecords.formats import nhs_datetime
from carerecords.models import User
from carerecords.models.fact_clock import NATIONAL


def take_back(found: Dossier, by: User | None, at: datetime.datetime) -> bool:
    """Withdraws what the change had scheduled; False where nothing was.

    Behind the fence, as every change of what will be in force. Raises `ChangeRefused` if it began
    while the fence was waited for: then it is in force, and only another change ends it.
    """
    if found.state(at) is not ChangeState.SCHEDULED:
        return False
    with quiet.changing(NATIONAL, at) as silence:
        revision = revision_of(found)
        if revision is None:
            return False
        if revision.effective_from <= silence.since:
            raise ChangeRefused(
                "state", f"This change took effect on {nhs_datetime(revision.effective_from)}"
            )
        PositionWithdrawal.objects.create(revision=revision, made_at=silence.since, made_by=by)
        doorbell.ring_after_commit()
    return True
