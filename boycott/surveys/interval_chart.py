"""The shape of a chart of shares with their intervals, drawn on the server. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from boycott.surveys.tally import Share

WIDTH, ROW, TOP, BOTTOM, SIDE = 640, 64, 8, 32, 28
TICKS = (0, 25, 50, 75, 100)


@dataclass(frozen=True)
class IntervalRow:
    """One option: where its share and both ends of its interval stand, and how high."""

    label: str
    text_y: int
    y: int
    x: float
    low: float
    high: float
    words: str


@dataclass(frozen=True)
class IntervalChart:
    """A box of `width` by `height`, with a line for every quarter."""

    width: int
    height: int
    base: int
    rows: list[IntervalRow]
    ticks: list[tuple[float, str]]


def interval_chart(options: Sequence[tuple[str, Share, str]]) -> IntervalChart:
    """`options`: label, share, and the words that a pointer is shown."""
    height = TOP + ROW * len(options) + BOTTOM
    rows = [
        IntervalRow(
            label=label,
            text_y=TOP + ROW * place + 20,
            y=TOP + ROW * place + 42,
            x=_across(share.count / share.of),
            low=_across(share.interval.low),
            high=_across(share.interval.high),
            words=words,
        )
        for place, (label, share, words) in enumerate(options)
    ]
    ticks = [(_across(tick / 100), f"{tick}%") for tick in TICKS]
    return IntervalChart(WIDTH, height, height - BOTTOM, rows, ticks)


def _across(share: float) -> float:
    return round(SIDE + share * (WIDTH - 2 * SIDE), 1)
