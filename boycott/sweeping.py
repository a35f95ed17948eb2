"""What is looked after every half minute, so that nothing that was done past our verbs goes unseen."""

import datetime

from boycott import desk, steps, suspending
from boycott.change_states import ChangeState, Step
from boycott.dossier import Dossier, dossier, last_steps
from boycott.models import ChangeStep
from carerecords.formats import nhs_datetime


def sweep(at: datetime.datetime) -> None:
    """Notes what began by the calendar, then suspends what leavers left behind.

    One query where there is nothing to do. In this order, since what has begun is in force.
    """
    if _begun(at):
        with desk.taken():
            for step in _begun(at):
                _note(dossier(step.change))
    suspending.of_leavers(at)


def _begun(at: datetime.datetime) -> list[ChangeStep]:
    """What is in force by the calendar, with no row that says so yet."""
    return [step for step in last_steps({Step.SCHEDULED}) if step.state(at) is ChangeState.IN_FORCE]


def _note(found: Dossier) -> None:
    """A row for the trail, of the moment that the calendar named."""
    starts = found.content.starts_at
    assert starts is not None, "what is scheduled has a start"
    concerned = found.answerable
    steps.append(found, Step.TOOK_EFFECT, by=None, at=starts)
    steps.tell(found, concerned, f"{steps.name_of(found)} took effect on {nhs_datetime(starts)}.", starts)
