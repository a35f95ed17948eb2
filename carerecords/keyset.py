"""Paging by key: a page begins after a row, so that page 200 costs what page 1 costs.

The row's key is looked up inside the database, so an address names only the row's public id, and
the row comparison is one condition on one index (PostgreSQL, "Row Constructor Comparison").
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db.models import F, Func, IntegerField, Model, QuerySet, Subquery
from django.db.models.lookups import GreaterThan, LessThan

Record = TypeVar("Record", bound=Model)


class NewestFirst(Func):
    """A number that falls as a date rises, no date last: so one ascending index serves both.

    A row comparison needs all its columns to run the same way, and names run from A to Z.
    """

    template = "(DATE '9999-12-31' - COALESCE(%(expressions)s, DATE '0001-01-01'))"
    output_field = IntegerField()


class _Row(Func):
    """`(a, b, c)`, to be compared as one."""

    template = "(%(expressions)s)"
    output_field = IntegerField()


@dataclass(frozen=True)
class Start:
    """Where a page begins: after the row with this public id, or ends: before it."""

    row: uuid.UUID
    backwards: bool = False


@dataclass(frozen=True)
class Page(Generic[Record]):
    """The rows of one page, and whether there are others on either side."""

    rows: list[Record]
    has_previous: bool
    has_next: bool


def page_of(
    rows: QuerySet[Record],
    everything: QuerySet[Record],
    order: Sequence[str | Func],
    start: Start | None,
    size: int,
) -> Page[Record]:
    """One query. `order` ends with a unique column; `everything` is where the start row is found.

    A start that is not among them gives an empty page: the caller then shows the first.
    """
    backwards = start is not None and start.backwards
    key = [F(part) if isinstance(part, str) else part for part in order]
    ordered = rows.order_by(*(part.desc() if backwards else part.asc() for part in key))
    if start is not None:
        compare = LessThan if backwards else GreaterThan
        ordered = ordered.filter(compare(_Row(*key), _key_of(everything, start.row, key)))
    found = list(ordered[: size + 1])
    more, found = len(found) > size, found[:size]
    if backwards:
        return Page(found[::-1], has_previous=more, has_next=True)
    return Page(found, has_previous=start is not None, has_next=more)


def _key_of(everything: QuerySet[Any], row: uuid.UUID, key: Sequence[F | Func]) -> Subquery:
    named = {f"key_{number}": part for number, part in enumerate(key)}
    found = everything.filter(public_id=row).order_by().annotate(**named).values(*named)
    return Subquery(found, output_field=IntegerField())
