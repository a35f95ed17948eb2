"""The file of rows that could not be used: as they were typed, with the reason in the last column.

It opens in a spreadsheet without running anything, can be mended there, and sent in again.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from carerecords.identifiers import SEPARATORS, format_nhs_number
from consent.imports.layouts import ADDED, normal

# What a spreadsheet takes for the beginning of a formula (CWE-1236; ASVS 5.0, 1.2.10).
FORMULA = frozenset("=+-@\t\r\n\0")
MARK = "\ufeff"


def guarded(cell: str) -> str:
    """The cell so that a spreadsheet shows it and runs nothing: an apostrophe before it."""
    return f"'{cell}" if cell[:1] in FORMULA else cell


def unguarded(cell: str) -> str:
    """The cell as it was before it was guarded."""
    return cell[1:] if cell[:1] == "'" and cell[1:2] in FORMULA else cell


def error_file(heading: Sequence[str], rows: Iterable[tuple[int, Sequence[str], str]]) -> Iterator[str]:
    """The lines of the CSV: `rows` are number, cells as typed, and what is wrong."""
    kept = [place for place, name in enumerate(heading) if normal(name) not in ADDED]
    numbers = {place for place in kept if normal(heading[place]) == "NHS_NUMBER"}
    yield MARK + _line([*(guarded(heading[place]) for place in kept), *ADDED])
    for number, cells, problem in rows:
        # Cells beyond the heading are part of what is wrong, so they are shown with it.
        beyond = "".join(f" [{cell}]" for cell in cells[len(heading) :] if cell)
        shown = (_number(cells[place]) if place in numbers else guarded(cells[place]) for place in kept)
        yield _line([*shown, str(number), problem + beyond])


def _number(cell: str) -> str:
    """Grouped, so that a spreadsheet keeps it as text and does not make 9.99E+09 of it."""
    digits = SEPARATORS.sub("", cell)
    return (
        format_nhs_number(digits)
        if digits.isascii() and digits.isdigit() and len(digits) == 10
        else guarded(cell)
    )


def _line(cells: Sequence[str]) -> str:
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue()
