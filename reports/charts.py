"""Shapes of simple charts, worked out here so that pages draw them as SVG without scripts."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 720, 200
# Room for the numbers on the left, the names below, and half of the last name on the right.
LEFT, RIGHT, BOTTOM, TOP = 44, 32, 24, 8


@dataclass(frozen=True)
class Column:
    """One column: where it stands, how high it is, and its words."""

    x: float
    y: float
    width: float
    height: float
    label: str
    number: int
    # Not every column has room for its name below.
    named: bool
    # How many of the number are of a kind that stands out, at the column's foot, and how high that is.
    part: int = 0
    part_height: float = 0


@dataclass(frozen=True)
class Columns:
    """A column chart in a box of `width` by `height`, with lines at round numbers."""

    width: int
    height: int
    left: int
    right: int
    base: float
    columns: list[Column]
    lines: list[tuple[float, int]]


def columns(values: Sequence[tuple[str, int]], *, names: int = 8, parts: Sequence[int] = ()) -> Columns:
    """A chart of labelled numbers, with some `names` of the labels written below.

    `parts`: of each number, how many stand out.
    """
    top = _round_up(max((number for _, number in values), default=0))
    base, room = HEIGHT - BOTTOM, HEIGHT - BOTTOM - TOP
    step = (WIDTH - LEFT - RIGHT) / max(len(values), 1)
    every = max(-(-len(values) // names), 1)
    shapes = []
    for index, (label, number) in enumerate(values):
        height = room * number / top
        x = LEFT + index * step
        named = (len(values) - 1 - index) % every == 0
        part = parts[index] if parts else 0
        shapes.append(
            Column(
                x + 1, base - height, max(step - 2, 1), height, label, number, named, part, room * part / top
            )
        )
    lines = [(base - room * part / 2, round(top * part / 2)) for part in range(3)]
    return Columns(WIDTH, HEIGHT, LEFT, WIDTH - RIGHT, base, shapes, lines)


def _round_up(number: int) -> int:
    """The next number of the kind 2, 4, 10, 20, 40, 100 … so that its half is whole."""
    scale = 1
    while True:
        for step in (2, 4, 10):
            if number <= step * scale:
                return step * scale
        scale *= 10
