"""The shape of a chart of a queue that empties, drawn on the server as the page's table tells it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from spine.policy.draining import Moment

WIDTH, HEIGHT = 640, 320
LEFT, RIGHT, TOP, BOTTOM = 72, 16, 12, 44


@dataclass(frozen=True)
class DrainChart:
    """Points as SVG writes them: messages left as a line, practices with some left as a dashed one."""

    width: int
    height: int
    left: int
    right: int
    base: int
    line: str
    upper: str
    band: str
    ticks: list[tuple[float, str]]
    names: list[tuple[float, str]]


def drain_chart(moments: Sequence[Moment], names: Sequence[str]) -> DrainChart:
    """Both as shares of what there was at first. `names`: how each moment is called, below the chart."""
    last = len(moments) - 1
    first = moments[0]
    messages = [one.left / max(first.left, 1) for one in moments]
    practices = [one.practices / max(first.practices, 1) for one in moments]
    return DrainChart(
        width=WIDTH,
        height=HEIGHT,
        left=LEFT,
        right=WIDTH - RIGHT,
        base=HEIGHT - BOTTOM,
        line=_path(messages),
        upper=_path(practices),
        band=_area(messages),
        ticks=[(_up(tick / 100), f"{tick}%") for tick in (0, 50, 100)],
        names=[(_along(place, last), names[place]) for place in sorted({0, last // 2, last})],
    )


def _path(shares: Sequence[float]) -> str:
    return " ".join(f"{_along(place, len(shares) - 1)},{_up(share)}" for place, share in enumerate(shares))


def _area(shares: Sequence[float]) -> str:
    return f"{LEFT},{_up(0)} {_path(shares)} {WIDTH - RIGHT},{_up(0)}"


def _along(place: int, last: int) -> float:
    return round(LEFT + (WIDTH - LEFT - RIGHT) * place / max(last, 1), 1)


def _up(share: float) -> float:
    return round(TOP + (HEIGHT - TOP - BOTTOM) * (1 - share), 1)
