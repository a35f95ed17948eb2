"""What changes within a day, so that practices are told before and not after. Pure.

By the calendar alone: what the strip looks at is all that is looked at here.
"""

import datetime
from collections.abc import Iterator

from boycott.positions import DataScope, Position, Stance
from boycott.rules import Revision
from carerecords.formats import nhs_datetime
from spine.policy.strip import Here

# How long before practices are told (screens design, Policy).
BEFORE = datetime.timedelta(hours=24)


def told_before(here: Here) -> tuple[str, ...]:
    """A sentence or two for each position that starts or ends in the next day."""
    return tuple(f"{said} {_means(one, here.stance, begins)}".strip() for one, said, begins in _turns(here))


def _turns(here: Here) -> Iterator[tuple[Revision, str, bool]]:
    end_of_day = here.at + BEFORE
    for one in here.to_come:
        if one.effective_from <= end_of_day:
            yield one, f"{_named(one)} starts on {nhs_datetime(one.effective_from)}.", True
    for one in here.in_force:
        if one.effective_to is not None and one.effective_to <= end_of_day:
            yield one, f"{_named(one)} ends on {nhs_datetime(one.effective_to)}.", False


def _named(revision: Revision) -> str:
    part = " (additional information only)" if revision.data_scope is DataScope.ADDITIONAL_ONLY else ""
    return f"The BMA position “{revision.position.label}”{part}"


def _means(revision: Revision, stance: Stance | None, begins: bool) -> str:
    """What comes of it for a practice by its own answer."""
    if stance is None:
        return ""
    if stance is Stance.HOLD:
        return "Your practice holds uploads whatever the policy."
    if stance is Stance.DO_NOT_FOLLOW:
        return "Your practice does not follow BMA policy, so nothing changes here."
    if not begins or revision.position is not Position.NON_COOPERATION:
        return "Your practice follows BMA policy. Every upload is decided afresh then."
    if revision.data_scope is DataScope.ADDITIONAL_ONLY:
        return "Your practice follows it, so uploads have no additional information from then on."
    return "Your practice follows it, so its uploads stop then."
