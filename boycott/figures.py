"""What a change of policy would do, in figures, and whether they drifted since they were shown. Pure."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

# A change this large, in hundredths, since the figures were last shown asks for another look.
DRIFT_PERCENT = 5


@dataclass(frozen=True)
class Figures:
    """Counts as the gate would decide.

    Of patients: those whose uploads `stop`, `start`, `shrink` to the core or `widen` from it. Of uploads:
    those that would be `held` or `released`, and those `in_flight` already of patients whose uploads stop,
    as are the `copies` of summaries at the store.
    """

    practices: int = 0
    patients: int = 0
    stop: int = 0
    start: int = 0
    shrink: int = 0
    widen: int = 0
    held: int = 0
    released: int = 0
    in_flight: int = 0
    copies: int = 0

    @property
    def as_json(self) -> dict[str, int]:
        return asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        return cls(**{field.name: int(stored.get(field.name, 0)) for field in fields(cls)})


# What sending itself moves, uploads that wait or are on their way and copies there, is shown and does
# not count: it moves by the minute.
WEIGHED = ("practices", "patients", "stop", "start", "shrink", "widen")


def differing(before: Figures, now: Figures) -> frozenset[str]:
    """The names of all figures that are not what they were."""
    return frozenset(field.name for field in fields(Figures) if _pair(before, now, field.name)[2])


def drifted(before: Figures, now: Figures) -> bool:
    """Whether one that counts has moved by more than five in a hundred, up or down."""
    return any(
        difference * 100 > DRIFT_PERCENT * was
        for was, _, difference in (_pair(before, now, name) for name in WEIGHED)
    )


def _pair(before: Figures, now: Figures, name: str) -> tuple[int, int, int]:
    was, is_now = getattr(before, name), getattr(now, name)
    return was, is_now, abs(is_now - was)
