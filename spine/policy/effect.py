"""Fills the port by which policy learns what a change would do: the gate's own answers, counted."""

import datetime
from collections.abc import Sequence

from boycott.figures import Figures
from boycott.rules import Revision
from spine.policy.impact import PositionImpact, impact_of


def measure(then: Sequence[Revision], at: datetime.datetime) -> Figures:
    """The figures of a set of revisions that would stand instead of those that do."""
    return figures_of(impact_of(then, at))


def figures_of(impact: PositionImpact) -> Figures:
    """The totals of an impact, as steps keep them."""
    effect = impact.effect
    return Figures(
        practices=impact.practices,
        patients=effect.patients,
        stop=effect.stop,
        start=effect.start,
        shrink=effect.shrink,
        widen=effect.widen,
        held=effect.held,
        released=effect.released,
        in_flight=effect.in_flight,
        copies=effect.copies,
    )
