"""Whether the store is so quick that this process is what is short, and not its connections (docs/adr/0193).

What it says decides about speed alone.
"""

import math

# Messages a second that a process sends at most: where connections would carry as many, they are not what is short.
MOST_A_SECOND = 2000


class Quickness:
    """Learns from each batch's answers. For several threads: what one misses the next batch says again."""

    def __init__(self, connections: int) -> None:
        self._quick_seconds = connections / MOST_A_SECOND
        self._quickest = math.inf
        self.is_quick = False

    def saw(self, seconds: float) -> None:
        """Notes how long the store took to answer a message. The quickest of a batch waited for nothing else."""
        self._quickest = min(self._quickest, seconds)

    def learn(self) -> None:
        """Goes by the answers since this was last called, if there were any."""
        quickest, self._quickest = self._quickest, math.inf
        if quickest < math.inf:
            self.is_quick = quickest < self._quick_seconds
