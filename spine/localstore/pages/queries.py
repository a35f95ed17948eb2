"""What the pages read from the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

from psycopg import AsyncConnection
from psycopg.rows import class_row

PAGE_SIZE = 25


@dataclass(frozen=True, slots=True)
class Line:
    """One ledger line as the pages show it."""

    sequence: int
    received_at: datetime
    kind: str
    outcome: str
    nhs_number: str | None
    composition_id: str | None
    replaced_id: str | None
    is_blank: bool | None
    section_codes: list[str] | None
    permission: str | None
    http_status: int
    issue_text: str | None


_LINES: LiteralString = """
SELECT sequence, received_at, kind, outcome, nhs_number, composition_id, replaced_id, is_blank,
       section_codes, permission, http_status, issue_text
FROM ledger
"""

_FILTERED: LiteralString = """
WHERE (%(before)s::bigint IS NULL OR sequence < %(before)s) AND (%(kind)s::text IS NULL OR kind = %(kind)s)
"""

# Each spelled out, so that the planner can use the index made for it.
_OUTCOMES: dict[str, LiteralString] = {
    "": "",
    "accepted": "AND outcome = 'accepted'",
    "refused": "AND outcome = 'refused'",
    "replayed": "AND outcome = 'replayed'",
    "read": "AND outcome = 'read'",
    "blank": "AND is_blank AND outcome = 'accepted'",
}


async def newest(
    connection: AsyncConnection, *, outcome: str, kind: str, before: int | None
) -> tuple[list[Line], bool]:
    """Return a page of ledger lines, newest first, and whether older ones follow."""
    query = _LINES + _FILTERED + _OUTCOMES[outcome] + " ORDER BY sequence DESC LIMIT %(limit)s"
    values = {"before": before, "kind": kind or None, "limit": PAGE_SIZE + 1}
    lines = await _fetch(connection, query, values)
    return lines[:PAGE_SIZE], len(lines) > PAGE_SIZE


async def line(connection: AsyncConnection, sequence: int) -> Line | None:
    """Return one ledger line, or None when there is none of that sequence."""
    found = await _fetch(connection, _LINES + "WHERE sequence = %(sequence)s", {"sequence": sequence})
    return found[0] if found else None


async def lines_of(connection: AsyncConnection, nhs_number: str, limit: int = 100) -> list[Line]:
    """Return the newest ledger lines about one patient, newest first."""
    query = _LINES + "WHERE nhs_number = %(number)s ORDER BY sequence DESC LIMIT %(limit)s"
    return await _fetch(connection, query, {"number": nhs_number, "limit": limit})


async def current(connection: AsyncConnection, nhs_number: str) -> tuple[int | None, str]:
    """Return (sequence of the current summary or None, permission) of one patient."""
    query = """
        SELECT (SELECT sequence FROM current_summary WHERE nhs_number = %(number)s),
               coalesce((SELECT code FROM permission WHERE nhs_number = %(number)s), 'Ask')
    """
    row = await (await connection.execute(query, {"number": nhs_number})).fetchone()
    assert row is not None
    return row[0], row[1]


async def body(connection: AsyncConnection, shown: Line) -> bytes | None:
    """Return the body stored with an accepted upload, or None."""
    query = "SELECT body FROM stored_summary WHERE nhs_number = %s AND composition_id = %s AND sequence = %s"
    values = [shown.nhs_number, shown.composition_id, shown.sequence]
    row = await (await connection.execute(query, values)).fetchone()
    return row[0] if row else None


async def _fetch(
    connection: AsyncConnection, query: LiteralString, values: Mapping[str, object]
) -> list[Line]:
    async with connection.cursor(row_factory=class_row(Line)) as cursor:
        await cursor.execute(query, values)
        return await cursor.fetchall()
