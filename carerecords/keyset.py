"""Paging by key: a page begins after a row, so that page 200 costs what page 1 costs.

The row's key is looked up inside the database, so an address names only the row's public id, and
the row comparison is one condition on one index (PostgreSQL, "Row Constructor Comparison").
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from django.db.models import Func, IntegerField

Row = TypeVar("Row")


class NewestFirst(Func):
    """A number that falls as a date rises, no date last: so one ascending index serves both.

    A row comparison needs all its columns to run the same way, and names run from A to Z.
    """

    template = "(DATE '9999-12-31' - COALESCE(%(expressions)s, DATE '0001-01-01'))"
    output_field = IntegerField()


def newest_first(column: str) -> str:
    """`NewestFirst` as SQL."""
    return NewestFirst.template % {"expressions": column}


@dataclass(frozen=True)
class Start:
    """Where a page begins: after the row with this public id, or ends: before it."""

    row: uuid.UUID
    backwards: bool = False


@dataclass(frozen=True)
class Key:
    """What a list is ordered by: columns as SQL, all of them rising, the last unique."""

    columns: tuple[str, ...]

    def order(self, start: Start | None) -> str:
        """For ORDER BY. A page that ends before a row is read backwards."""
        falling = " DESC" if start is not None and start.backwards else ""
        return ", ".join(column + falling for column in self.columns)

    def beyond(self, start: Start, table: str, among: str) -> str:
        """A condition on rows of the page. It ends with a place for the start's public id, which is
        looked up where `among` holds; a start that is not there gives an empty page."""
        key, way = ", ".join(self.columns), "<" if start.backwards else ">"
        return f"({key}) {way} (SELECT {key} FROM {table} WHERE {among} AND {table}.public_id = %s)"


@dataclass(frozen=True)
class Page(Generic[Row]):
    """The rows of one page, and whether there are others on either side."""

    rows: Sequence[Row]
    has_previous: bool
    has_next: bool


def page_of(found: Sequence[Row], start: Start | None, size: int) -> Page[Row]:
    """The page, from up to one row more than it has, as they were read."""
    more, rows = len(found) > size, found[:size]
    if start is not None and start.backwards:
        return Page(rows[::-1], has_previous=more, has_next=True)
    return Page(rows, has_previous=start is not None, has_next=more)
