"""Moments at which requests to the store may leave: evenly spaced, on a clock of this process."""

import asyncio
import datetime
import math
import time
from collections.abc import Awaitable, Callable

MayBegin = Callable[[], bool]
# Waits for a slot of the rate: the right to begin in it, or None where there is none left.
Turn = Callable[[], Awaitable[MayBegin | None]]


def clock() -> float:
    """Seconds on a clock that does not stop while the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class Slots:
    """So many moments from `first` on, `interval` seconds apart; each serves one request.

    A request may leave up to `forgiven` seconds after its moment; a moment that is over by then is lost, so
    that lateness never adds up to a burst.
    """

    def __init__(
        self,
        first: float,
        count: float,
        interval: float,
        forgiven: float,
        end: datetime.datetime | None = None,
    ) -> None:
        self.first = first
        self.count = count
        self.interval = interval
        # Where they end by the database's clock, which knows nothing of ours.
        self.end = end
        self._forgiven = forgiven
        self._next = 0
        self._closed = False

    @staticmethod
    def unlimited() -> "Slots":
        """As many as are asked for, at once."""
        return _Unlimited(0.0, math.inf, 0.0, math.inf)

    @classmethod
    def none(cls) -> "Slots":
        return cls(clock(), 0, 0.0, 0.0)

    @property
    def unused(self) -> float:
        """How many at the end were not taken."""
        return self.count - self._next

    async def take(self) -> float | None:
        """Waits for the next moment. Returns until when its request may leave; None: there is none left."""
        while self._next < self.count:
            moment = self.first + self._next * self.interval
            self._next += 1
            wait = moment - clock()
            if wait < -self._forgiven:
                continue
            if wait > 0:
                await asyncio.sleep(wait)
            if self._closed:
                break
            return moment + self._forgiven
        return None

    def turn(self, may_begin: MayBegin) -> Turn:
        """Takes a slot, if one may begin at all; the right to begin is over with either."""

        async def turn() -> MayBegin | None:
            until = await self.take() if may_begin() else None
            return None if until is None else lambda: may_begin() and clock() <= until

        return turn

    def close(self) -> None:
        """No further request leaves, nor those that wait for their moment: the store asked to wait."""
        self.count = min(self.count, self._next)
        self._closed = True


class _Unlimited(Slots):
    """Nothing to wait for: no clock is read for each request, nor a right asked for that is asked for when it leaves."""

    async def take(self) -> float | None:
        return None if self._closed else math.inf

    def turn(self, may_begin: MayBegin) -> Turn:
        async def turn() -> MayBegin | None:
            return None if self._closed else may_begin

        return turn
