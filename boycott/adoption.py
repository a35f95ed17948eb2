"""How many practices answer what to BMA policy, by region: as a table from which no few can be told."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Count, OuterRef, Subquery, Sum

from boycott.models import StanceRevision
from boycott.positions import Stance
from carerecords.models import Practice
from carerecords.small_numbers import suppressed

# In the order in which they are shown; None: no answer, which is treated as following.
ANSWERS: tuple[Stance | None, ...] = (Stance.FOLLOW, None, Stance.DO_NOT_FOLLOW, Stance.HOLD)
ENGLAND = ""


@dataclass(frozen=True)
class Cell:
    """Practices with one answer, and the patients on their lists. Neither is shown of a hidden one."""

    practices: int = 0
    patients: int = 0
    hidden: bool = False


@dataclass(frozen=True)
class Place:
    """One region, or all England, with a cell for each of `ANSWERS`."""

    name: str
    cells: tuple[Cell, ...]

    @property
    def practices(self) -> int:
        return sum(cell.practices for cell in self.cells)

    @property
    def patients(self) -> int:
        return sum(cell.patients for cell in self.cells)


@dataclass(frozen=True)
class Adoption:
    """As it stands now. `following`: share of patients whose practice said that it follows."""

    england: Place
    regions: tuple[Place, ...]

    @property
    def following(self) -> float | None:
        """From 0 to 1; None where it would tell of fewer than five practices, or there are none."""
        cell = self.england.cells[0]
        return None if cell.hidden or not self.england.patients else cell.patients / self.england.patients


def adoption() -> Adoption:
    """One grouped query: a look-up along an index for each active practice."""
    latest = StanceRevision.objects.filter(practice=OuterRef("pk")).order_by("-pk").values("stance")[:1]
    rows = (
        Practice.objects.filter(status=Practice.Status.ACTIVE)
        .annotate(answer=Subquery(latest))
        .values_list("region_code", "region_name", "answer")
        .annotate(number=Count("pk"), on_lists=Sum("list_size"))
        .order_by()
    )
    names: dict[str, str] = {}
    counts: dict[tuple[str, Stance | None], tuple[int, int]] = {}
    for code, name, answer, practices, patients in rows:
        names[code] = name
        counts[code, Stance(answer) if answer else None] = practices, patients
    return arranged(names, counts)


def arranged(
    names: Mapping[str, str], counts: Mapping[tuple[str, Stance | None], tuple[int, int]]
) -> Adoption:
    """The table with what must be left out marked. `counts`: practices and patients by region and answer."""
    table = {(code, answer): counts.get((code, answer), (0, 0)) for code in names for answer in ANSWERS}
    for answer in ANSWERS:
        column = [table[code, answer] for code in names]
        # The line of totals is part of the table: a total leads back to what it adds up.
        table[ENGLAND, answer] = sum(one for one, _ in column), sum(two for _, two in column)
    hidden = suppressed({cell: practices for cell, (practices, _) in table.items()})

    def place(code: str, name: str) -> Place:
        cells = (Cell(*table[code, answer], hidden=(code, answer) in hidden) for answer in ANSWERS)
        return Place(name, tuple(cells))

    ordered = sorted(names.items(), key=lambda item: item[1])
    return Adoption(place(ENGLAND, "England"), tuple(place(code, name) for code, name in ordered))
