"""How a queue of many practices empties when they take turns. Pure; all in messages, which need no clock.

Each round takes one message of every practice that has any left (`spine.sending.claims`), so a practice of n
messages is done when each of the others had n turns or has no more. See docs/adr/0170.
"""

import bisect
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate


class Turns:
    """The queue as the numbers of messages of its practices, with what every question needs, worked out once."""

    def __init__(self, sizes: Iterable[int]) -> None:
        self._sizes = sorted(size for size in sizes if size > 0)
        self._sums = [0, *accumulate(self._sizes)]

    @property
    def total(self) -> int:
        return self._sums[-1]

    @property
    def practices(self) -> int:
        return len(self._sizes)

    def until(self, size: int) -> int:
        """How many messages have left when a practice of so many is done: its own included."""
        smaller = bisect.bisect_right(self._sizes, size)
        return self._sums[smaller] + size * (len(self._sizes) - smaller)

    def unfinished(self, sent: int) -> int:
        """How many practices have some left once so many messages have left."""
        done = bisect.bisect_right(self._sizes, sent, key=self.until)
        return len(self._sizes) - done


@dataclass(frozen=True)
class Moment:
    """The queue after a part of it has left."""

    sent: int
    left: int
    practices: int


def course(turns: Turns, steps: int = 10) -> Sequence[Moment]:
    """The queue from full to empty, in so many equal steps or one a message."""
    steps = max(1, min(steps, turns.total))
    marks = [turns.total * step // steps for step in range(steps + 1)]
    return [Moment(mark, turns.total - mark, turns.unfinished(mark)) for mark in marks]
