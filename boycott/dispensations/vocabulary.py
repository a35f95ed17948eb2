"""Where a dispensation stands, and what was done with it. Pure."""

import datetime
from collections.abc import Mapping

from carerecords.vocabulary import Term


class Step(Term):
    """What was done with a dispensation after somebody had asked for it."""

    AGREED = "AGREED", "Agreed"
    REFUSED = "REFUSED", "Refused"
    TAKEN_BACK = "TAKEN_BACK", "Taken back"
    ENDED = "ENDED", "Ended before its time"


class State(Term):
    """Where it stands."""

    ASKED = "ASKED", "Waiting"
    REFUSED = "REFUSED", "Refused"
    TAKEN_BACK = "TAKEN_BACK", "Taken back"
    TO_COME = "TO_COME", "Agreed for later"
    IN_FORCE = "IN_FORCE", "In force"
    ENDED = "ENDED", "Ended early"
    OVER = "OVER", "Over"
    LAPSED = "LAPSED", "Lapsed"


# In which states each step can be taken.
ALLOWED: Mapping[Step, frozenset[State]] = {
    Step.AGREED: frozenset({State.ASKED}),
    Step.REFUSED: frozenset({State.ASKED}),
    Step.TAKEN_BACK: frozenset({State.ASKED}),
    Step.ENDED: frozenset({State.TO_COME, State.IN_FORCE}),
}


def state_of(
    taken: set[Step],
    starts_at: datetime.datetime,
    ends_at: datetime.datetime,
    at: datetime.datetime,
    *,
    stands: bool,
) -> State:
    """Where it is at a time. One that was agreed starts and is over by the calendar alone.

    `stands`: its position is in force or to come. One whose position was revised has lapsed.
    """
    for step, state in (
        (Step.REFUSED, State.REFUSED),
        (Step.TAKEN_BACK, State.TAKEN_BACK),
        (Step.ENDED, State.ENDED),
    ):
        if step in taken:
            return state
    if ends_at <= at:
        return State.OVER
    if not stands:
        return State.LAPSED
    if Step.AGREED not in taken:
        return State.ASKED
    return State.IN_FORCE if starts_at <= at else State.TO_COME
