"""Whose messages leave: those of one batch after another's, where the store is quick.

Two batches that send at once share one processor and the same connections: each takes twice as long, more messages
are too late to begin, and then both write at once and nobody sends. A slow store is another matter: its connections
wait, and whoever has something to send should (docs/adr/0181).
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from spine.sending.slots import clock

# Messages a second from which on the store is quick: connections are then not what a batch waits for.
QUICK = 1000.0


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

    def __init__(self, fewest: int) -> None:
        """`fewest` messages say something of how quick the store is."""
        self._lock = threading.Lock()
        self._fewest = fewest
        self._is_quick = False

    def learn(self, messages: int, seconds: float) -> None:
        """Notes how long the messages of a batch took to begin."""
        if messages >= self._fewest:
            self._is_quick = messages >= QUICK * seconds

    @contextmanager
    def turn(self, *, sends: bool) -> Iterator[Turn]:
        """Waits until the messages of the others have begun; a batch that sends none waits for nobody.

        Taken before the fence: whoever waits holds nothing.
        """
        lock = self._lock if sends and self._is_quick else None
        if lock is not None:
            lock.acquire()
        turn = Turn(lock)
        try:
            yield turn
        finally:
            turn.over()
