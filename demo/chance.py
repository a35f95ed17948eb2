"""Drawing lots, always from a generator that the caller seeded: the same seed, the same demo."""

import datetime
import random
import uuid
from collections.abc import Sequence
from itertools import accumulate
from typing import Generic, TypeVar

T = TypeVar("T")


class Lot(Generic[T]):
    """Things to draw, each with its weight."""

    def __init__(self, things: Sequence[T], weights: Sequence[float]) -> None:
        self._things = list(things)
        self._cumulative = list(accumulate(weights))

    def draw(self, rng: random.Random) -> T:
        return rng.choices(self._things, cum_weights=self._cumulative)[0]


def ranked(words: Sequence[str]) -> Lot[str]:
    """Words from frequent to rare: names follow roughly one over their rank."""
    return Lot(words, [1 / (rank + 8) for rank in range(len(words))])


def a_day(rng: random.Random, first: datetime.date, last: datetime.date) -> datetime.date:
    """A day from `first` to `last`; `first` where there is none between."""
    return first + datetime.timedelta(days=rng.randint(0, max((last - first).days, 0)))


def a_uuid(rng: random.Random) -> uuid.UUID:
    return uuid.UUID(int=rng.getrandbits(128), version=4)
