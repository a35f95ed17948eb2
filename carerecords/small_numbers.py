"""Which figures of a table may be shown outside the practice: none of 1 to 4, and none that others give away.

Pure. The rule of the GP Patient Survey's analysis tool: suppress 1 to 4, then enough others that no row
or column leads back to them by subtraction. Where people can be counted twice in different company, figures
are rounded too, as NHS England rounds what it publishes of practices.
"""

from collections.abc import Mapping
from typing import TypeVar

Row = TypeVar("Row")
Column = TypeVar("Column")

SMALL = range(1, 5)
STEP = 5


def rounded(number: int) -> int:
    """To the nearest 5: so two totals of nearly the same people do not tell how few they differ by.

    Not for 1 to 4, which are not shown at all.
    """
    return (number + STEP // 2) // STEP * STEP


def suppressed(table: Mapping[tuple[Row, Column], int]) -> set[tuple[Row, Column]]:
    """The cells to leave out of a table that is shown with the totals of its rows and columns.

    In the end every row and every column has none of them, or at least two that count more than one
    each on average. Empty cells are shown: they are nobody's. Cells are taken in the order of their
    size, so that as little as may be is lost.
    """
    hidden = {cell for cell, count in table.items() if count in SMALL}
    while bare := _bare_line(table, hidden):
        left = [cell for cell in bare if table[cell] and cell not in hidden]
        hidden.add(min(left, key=lambda cell: (table[cell], str(cell))))
    return hidden


def _bare_line(
    table: Mapping[tuple[Row, Column], int], hidden: set[tuple[Row, Column]]
) -> list[tuple[Row, Column]]:
    """The cells of a row or column whose hidden ones could be worked out, while more could be hidden."""
    for axis in (0, 1):
        for key in sorted({cell[axis] for cell in hidden}, key=str):
            line = [cell for cell in table if cell[axis] == key]
            gone = [cell for cell in line if cell in hidden]
            more = any(table[cell] and cell not in hidden for cell in line)
            guessed = sum(table[cell] for cell in gone) <= len(gone)
            if more and (len(gone) == 1 or guessed):
                return line
    return []


def suppressed_in_column(column: Mapping[Row, tuple[int, int]]) -> set[Row]:
    """The rows to leave out of one column that is shown with its total. Each: the part and its whole.

    Small parts go, and parts that all but a few of a whole are; then, where one alone is gone or too few
    are to be nobody's in particular, the next smallest with it. Quick for thousands of rows.
    """
    hidden = {row for row, (part, whole) in column.items() if part in SMALL or whole - part in SMALL}
    spare = sorted(
        (row for row, (part, _) in column.items() if part and row not in hidden),
        key=lambda row: column[row][0],
    )
    while hidden and spare and (len(hidden) == 1 or sum(column[row][0] for row in hidden) <= len(hidden)):
        hidden.add(spare.pop(0))
    return hidden
