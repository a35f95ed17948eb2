"""Fills the port by which policy learns what a change would do: the gate's own answers, counted."""

import datetime
from collections.abc import Sequence

from boycott.figures import Figures
from boycott.rules import Revision
from spine.impact import PositionImpact, impact_of


def measure(then: Sequence[Revision], at: datetime.datetime) -> Figures:
    """The figures of a set of revisions that would stand instead of those that do."""
    return figures_of(impact_of(then, at))


def figures_of(impact: PositionImpact) -> Figures:
    """The totals of an impact, as steps keep them."""
    return Figures(
        practices=impact.practices,
        patients=impact.effect.patients,
        stop=impact.effect.stop,
        start=impact.effect.start,
        waiting=impact.waiting,
        in_flight=impact.in_flight,
        copies=impact.copies,
    )
