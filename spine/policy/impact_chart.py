"""The shape of a chart of what a change does in each region, drawn on the server. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from spine.policy.effects import Effect
from spine.policy.impact import RegionEffect

WIDTH, ROW, TOP, BAR = 640, 64, 4, 20

# What may become of patients' uploads, in the order in which the parts of a bar stand.
PARTS = {
    "stop": "stop",
    "start": "start",
    "shrink": "shrink to the core",
    "widen": "gain additional information",
}


@dataclass(frozen=True)
class BarPart:
    """Patients of one kind in a bar: where the part begins, and how wide it is."""

    kind: str
    x: float
    width: float


@dataclass(frozen=True)
class Bar:
    """One region: its name, its figures in words, and the parts of its bar."""

    label: str
    words: str
    text_y: int
    y: int
    parts: list[BarPart]


@dataclass(frozen=True)
class BarChart:
    """A box of `width` by `height`. `legend`: kind and words of every part that occurs."""

    width: int
    height: int
    bar: int
    bars: list[Bar]
    legend: list[tuple[str, str]]


def region_chart(regions: Sequence[RegionEffect]) -> BarChart:
    """A bar for each region, as long as its patients are many for whom anything would be otherwise."""
    longest = max((each.effect.changed for each in regions), default=0) or 1
    bars = [
        Bar(
            label=each.name,
            words=_words(each.effect),
            text_y=TOP + ROW * place + 22,
            y=TOP + ROW * place + 32,
            parts=_parts(each.effect, WIDTH / longest),
        )
        for place, each in enumerate(regions)
    ]
    legend = [
        (kind, words) for kind, words in PARTS.items() if any(getattr(each.effect, kind) for each in regions)
    ]
    return BarChart(WIDTH, TOP + ROW * len(bars), BAR, bars, legend)


def _parts(effect: Effect, scale: float) -> list[BarPart]:
    parts, x = [], 0.0
    for kind in PARTS:
        if number := getattr(effect, kind):
            parts.append(BarPart(kind, round(x, 1), round(number * scale, 1)))
            x += number * scale
    return parts


def _words(effect: Effect) -> str:
    told = [f"{getattr(effect, kind):,} {words}" for kind, words in PARTS.items() if getattr(effect, kind)]
    return ", ".join(told) or "nothing changes"
