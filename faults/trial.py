"""One scenario with one seed: where it happens, what it threw at the product, and what it measured."""

import random
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

from faults.check import Baseline, baseline
from faults.site import Site


class NotRun(Exception):
    """This machine cannot show the fault; the message says why."""


@dataclass
class Trial:
    """`size`: 1 for the whole run; less for a short one, as when a planted fault has to be found."""

    site: Site
    dice: random.Random
    size: float = 1.0
    before: Baseline = field(default_factory=Baseline)
    injected: list[str] = field(default_factory=list)
    figures: list[str] = field(default_factory=list)
    misses: list[str] = field(default_factory=list)

    def times(self, whole: int, *, least: int = 1) -> int:
        """So many in the whole run, fewer in a short one."""
        return max(least, round(whole * self.size))

    def inject(self, what: str) -> None:
        """Says what was done to the product, with its count."""
        self.injected.append(what)

    def figure(self, text: str) -> None:
        """Says what was measured and has no limit."""
        self.figures.append(text)

    def within(self, what: str, value: float, limit: float, unit: str = "s") -> None:
        """Says what was measured; above the limit it is a miss, and the run fails."""
        said = f"{what} {value:,.2f} {unit} (at most {limit:,.2f})"
        self.figures.append(said)
        if value > limit:
            self.misses.append(said)

    def must(self, holds: object, what: str) -> None:
        """Notes a miss unless it holds."""
        if not holds:
            self.misses.append(what)

    def keep(self) -> None:
        """Notes what is in the tables that only grow, to be compared at the end. In the middle of things."""
        self.before = baseline(self.site)


def spread(values: Sequence[float], unit: str = "s") -> str:
    """The middle and the largest."""
    if not values:
        return "none"
    return f"{statistics.median(values):.2f} {unit}, at most {max(values):.2f}"
