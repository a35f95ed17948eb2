"""The port through which this floor learns what a change would do; a higher floor fills it.

`boycott` may know neither patients' consent nor the gate, and an approval must rest on the gate's own
answer and on nobody's word for it (docs/adr/0063-impact-comes-through-a-port.md). Without a measure
nothing can be sent or approved.
"""

import datetime
from collections.abc import Callable, Sequence

from boycott.figures import Figures
from boycott.rules import Revision

# (the revisions that would stand, when) -> what would change compared with those that stand.
Measure = Callable[[Sequence[Revision], datetime.datetime], Figures]
_measures: list[Measure] = []


def provide(measure: Measure) -> None:
    """Called once, when the floor that can measure starts."""
    _measures[:] = [measure]


def measured(then: Sequence[Revision], at: datetime.datetime) -> Figures:
    """What the gate would answer otherwise, counted now. Raises `LookupError` if nobody can measure."""
    if not _measures:
        raise LookupError("No floor measures the impact of a change.")
    return _measures[0](then, at)
