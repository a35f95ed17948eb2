"""The gateway's limits in front of the store: so many requests a second, smoothed, and a minute. Pure.

The real service has a `SpikeArrest` of 5 a second, which smooths (about one each 200 ms), and a `Quota`
of 300 a minute, both for an application (API repository, proxies/live/apiproxy). What `SpikeArrest`
forgives is not published; here a request may come half an interval early, or 50 ms where that is
more, so that a network's own unevenness is no offence while the mean rate stays exact.
"""

from __future__ import annotations

import math
from collections import deque

_FORGIVEN_SECONDS = 0.05
_MINUTE = 60.0


class Limits:
    """Says of each request whether it is one too many. Without figures nothing ever is."""

    def __init__(self, per_second: float | None, per_minute: int | None) -> None:
        self._interval = 1 / per_second if per_second else 0.0
        self._forgiven = max(self._interval / 2, _FORGIVEN_SECONDS)
        self._per_minute = per_minute
        self._next = -math.inf
        self._minute: deque[float] = deque()
        self.refused = 0

    def admit(self, now: float) -> float | None:
        """Count a request at `now` (seconds on a steady clock).

        Returns None when it may pass, else the seconds to wait; what is refused counts for nothing.
        """
        wait = max(self._until_smooth(now), self._until_in_quota(now))
        if wait > 0:
            self.refused += 1
            return wait
        self._next = max(self._next, now) + self._interval
        if self._per_minute:
            self._minute.append(now)
        return None

    def _until_smooth(self, now: float) -> float:
        return self._next - self._forgiven - now if self._interval else 0.0

    def _until_in_quota(self, now: float) -> float:
        if not self._per_minute:
            return 0.0
        while self._minute and self._minute[0] <= now - _MINUTE:
            self._minute.popleft()
        return self._minute[0] + _MINUTE - now if len(self._minute) >= self._per_minute else 0.0
