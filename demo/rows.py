"""Writes many rows by COPY, with ids taken from the tables' own sequences."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection, models


def take_ids(model: type[models.Model], count: int) -> list[int]:
    """So many fresh ids, rising."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)",
            [model._meta.db_table, count],
        )
        return [row[0] for row in cursor.fetchall()]


def copy(model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """Writes rows into the named columns; constraints and triggers hold as ever. Returns how many."""
    count = 0
    with connection.cursor() as cursor:
        statement = f'COPY "{model._meta.db_table}" ({", ".join(columns)}) FROM STDIN'
        with cursor.copy(statement) as written:
            for row in rows:
                written.write_row(row)
                count += 1
    return count
