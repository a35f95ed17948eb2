"""Whose messages leave: those of one batch after another's, where the store is quick.

Two batches that send at once share one processor and the same connections: each takes twice as long, more messages
are too late to begin, and then both write at once and nobody sends. A slow store is another matter: its connections
wait, and whoever has something to send should (docs/adr/0181).
"""

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from spine.sending.slots import clock

# Messages a second that a process sends at most: where connections would carry as many, they are not what is short.
MOST_A_SECOND = 2000
# A turn is a fence, decisions and a quarter of a second of messages. Whoever waits longer goes without one: it is about speed alone.
LONGEST_WAIT_SECONDS = 1.0


class Turn:
    """The right to begin messages; `over` gives it back, once, from any thread."""

    def __init__(self, lock: "threading.Lock | None") -> None:
        self._lock = lock
        self.began = clock()
        self._ended: float | None = None

    def over(self) -> None:
        """Says that all messages have begun, or must not any more."""
        if self._ended is None:
            self._ended = clock()
            if self._lock is not None:
                self._lock.release()

    def seconds_since(self, ready: float) -> float:
        """How long the messages took to begin, once they have; they were ready at that moment."""
        return (self._ended or clock()) - ready


class OneByOne:
    """For all batches of a process. What it learns is an estimate, and decides about speed alone."""

    def __init__(self, connections: int) -> None:
        self._lock = threading.Lock()
        self._quick_seconds = connections / MOST_A_SECOND
        self._quickest = math.inf
        self._is_quick = False

    def saw(self, seconds: float) -> None:
        """Notes how long the store took to answer a message. The quickest of a batch waited for nothing else."""
        self._quickest = min(self._quickest, seconds)

    def learn(self) -> None:
        """Goes by the answers since this was last called, if there were any."""
        quickest, self._quickest = self._quickest, math.inf
        if quickest < math.inf:
            self._is_quick = quickest < self._quick_seconds

    @contextmanager
    def turn(self, *, waits: bool) -> Iterator[Turn]:
        """Waits until the messages of the others have begun, where the store is quick and the batch `waits` at all.

        Taken before the fence: whoever waits holds nothing.
        """
        lock = self._lock if waits and self._is_quick else None
        if lock is not None and not lock.acquire(timeout=LONGEST_WAIT_SECONDS):
            lock = None
        turn = Turn(lock)
        try:
            yield turn
        finally:
            turn.over()
