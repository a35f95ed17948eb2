"""The shape of a chart of shares over months, with a band, drawn on the server. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 640, 320
LEFT, RIGHT, TOP, BOTTOM = 72, 16, 12, 44
TICKS = (0, 25, 50, 75, 100)


@dataclass(frozen=True)
class LineChart:
    """Points as SVG writes them, in a box of `width` by `height`."""

    width: int
    height: int
    left: int
    right: int
    base: int
    upper: str
    line: str
    band: str
    ticks: list[tuple[float, str]]
    names: list[tuple[float, str]]


def line_chart(
    upper: Sequence[float], line: Sequence[float], low: Sequence[float], high: Sequence[float]
) -> LineChart:
    """All of equal length, shares from 0 to 1, one for each month from 0 on."""
    last = len(line) - 1
    band = [*_points(high), *reversed(_points(low))]
    return LineChart(
        width=WIDTH,
        height=HEIGHT,
        left=LEFT,
        right=WIDTH - RIGHT,
        base=HEIGHT - BOTTOM,
        upper=_path(_points(upper)),
        line=_path(_points(line)),
        band=_path(band),
        ticks=[(_up(tick / 100), f"{tick}%") for tick in TICKS],
        names=[(_along(month, last), f"{month}") for month in sorted({0, last // 3, 2 * last // 3, last})],
    )


def _points(shares: Sequence[float]) -> list[tuple[float, float]]:
    return [(_along(month, len(shares) - 1), _up(share)) for month, share in enumerate(shares)]


def _path(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x},{y}" for x, y in points)


def _along(month: int, last: int) -> float:
    return round(LEFT + (WIDTH - LEFT - RIGHT) * month / max(last, 1), 1)


def _up(share: float) -> float:
    return round(TOP + (HEIGHT - TOP - BOTTOM) * (1 - share), 1)
