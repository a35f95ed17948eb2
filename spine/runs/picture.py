"""The shape of a run's progress as one bar, drawn on the server. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from spine.runs.progress import Part

WIDTH, HEIGHT = 640, 32
# The thinnest that can be seen: one failure in ten thousand must not vanish.
THINNEST = 4.0


@dataclass(frozen=True)
class Stretch:
    """One part of the bar: where it begins and how wide it is, with its words."""

    key: str
    x: float
    width: float
    words: str


def stretches(parts: Sequence[Part]) -> list[Stretch]:
    """The parts side by side over the whole width, as wide as they are many."""
    total = sum(part.number for part in parts)
    widths = [max(THINNEST, WIDTH * part.number / total) for part in parts]
    scale = WIDTH / sum(widths) if widths else 0.0
    drawn, x = [], 0.0
    for part, width in zip(parts, widths, strict=True):
        drawn.append(
            Stretch(part.key, round(x, 1), round(width * scale, 1), f"{part.label}: {part.number:,}")
        )
        x += width * scale
    return drawn
