"""The report on the age of copies as lines to show: all of one practice's own, and of others none of a few. Pure."""

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from carerecords.small_numbers import suppressed, suppressed_in_column
from reports.staleness import NAMES, Tally
from spine.uploads.copy_age import BANDS

Key = TypeVar("Key", bound=Hashable)
# Each figure and what it is a part of.
_WHOLES = {
    "copies": "copies",
    "stale": "copies",
    "allergies": "stale",
    "repeats": "stale",
    "missing": "stale",
    "noted": "stale",
}


@dataclass(frozen=True)
class Line:
    """The figures of one line, by name; None: too few to be shown, or one from which few could be told."""

    copies: int | None
    stale: int | None
    allergies: int | None
    repeats: int | None
    missing: int | None
    noted: int | None


def lines(rows: Mapping[Key, Tally], *, own: bool) -> dict[Key, Line]:
    """A line for each row. `own`: of the reader's own practice, where nothing is left out."""
    hidden: dict[str, set[Key]] = {name: set() for name in NAMES}
    if not own:
        for name, whole in _WHOLES.items():
            column = {key: (getattr(tally, name), getattr(tally, whole)) for key, tally in rows.items()}
            hidden[name] = suppressed_in_column(column)
    return {
        key: Line(**{name: None if key in hidden[name] else getattr(tally, name) for name in NAMES})
        for key, tally in rows.items()
    }


def by_region(practices: Iterable[tuple[int, str]], tallies: Mapping[int, Tally]) -> dict[str, Tally]:
    """Practices' tallies added up by their region's name, in its order. `practices`: id and region."""
    found: dict[str, Tally] = {}
    for pk, region in sorted(practices, key=lambda one: one[1]):
        if pk in tallies:
            found[region] = found.get(region, Tally()) + tallies[pk]
    return found


def ages_by_region(
    practices: Mapping[int, str], cells: Mapping[tuple[int, str], Tally]
) -> list[tuple[str, list[int | None]]]:
    """For each region the copies of each band, in the order of `BANDS`; None: not shown."""
    names = [name for _, name in BANDS]
    regions = sorted({practices[pk] for pk, _ in cells})
    table = {(region, name): 0 for region in regions for name in names}
    for (pk, name), tally in cells.items():
        table[practices[pk], name] += tally.copies
    hidden = suppressed(table)
    return [
        (region, [None if (region, name) in hidden else table[region, name] for name in names])
        for region in regions
    ]
