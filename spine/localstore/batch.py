"""One batch of arrivals in one transaction: load what is held, decide each in order, write it all."""

from __future__ import annotations

import json
from datetime import UTC, datetime

from psycopg import AsyncConnection

from spine.localstore import arrivals as a
from spine.localstore.arrivals import Arrival, Verdict
from spine.localstore.decisions import Holdings, decide
from spine.localstore.fhir_json import storable

_LOAD = """
SELECT i.n, p.code, c.composition_id, s.composition_id IS NOT NULL, r.kind, r.body_sha256
FROM unnest(%b::text[], %b::text[], %b::uuid[]) WITH ORDINALITY AS i (number, composition, request, n)
LEFT JOIN permission p ON p.nhs_number = i.number
LEFT JOIN current_summary c ON c.nhs_number = i.number
LEFT JOIN stored_summary s ON s.nhs_number = i.number AND s.composition_id = i.composition
LEFT JOIN ledger r ON r.request_id = i.request AND r.outcome = 'accepted'
"""

# One text for all lines of a batch is cheaper to make here than an array for each column.
_WRITE_LEDGER = "INSERT INTO ledger SELECT * FROM json_populate_recordset(NULL::ledger, %s::json)"

_WRITE_SUMMARIES = """
INSERT INTO stored_summary (nhs_number, composition_id, sequence, body)
SELECT * FROM unnest(%b::text[], %b::text[], %b::bigint[], %b::bytea[])
"""

_SET_CURRENT = """
INSERT INTO current_summary (nhs_number, composition_id, sequence)
SELECT * FROM unnest(%b::text[], %b::text[], %b::bigint[])
ON CONFLICT (nhs_number) DO UPDATE SET composition_id = excluded.composition_id, sequence = excluded.sequence
"""

_SET_PERMISSION = """
INSERT INTO permission (nhs_number, code, sequence)
SELECT * FROM unnest(%b::text[], %b::text[], %b::bigint[])
ON CONFLICT (nhs_number) DO UPDATE SET code = excluded.code, sequence = excluded.sequence
"""


async def process(connection: AsyncConnection, batch: list[Arrival], last_sequence: int) -> list[Verdict]:
    """Decide, write and commit `batch`; return the verdicts in order.

    The lines get the sequence numbers after `last_sequence`. Raises what psycopg raises: nothing is
    stored then, unless the connection is lost as well, when the outcome is unknown. The statements go
    out in two bunches (a pipeline), so a batch costs two round trips whatever its size.
    """
    async with connection.pipeline():
        await connection.execute("BEGIN")
        held = await _load(connection, batch)
        verdicts = [decide(arrival, held) for arrival in batch]
        numbers = range(last_sequence + 1, last_sequence + 1 + len(batch))
        lines = list(zip(numbers, batch, verdicts, strict=True))
        await _write(connection, lines)
        await connection.execute("COMMIT")
    return verdicts


async def _write(connection: AsyncConnection, lines: list[tuple[int, Arrival, Verdict]]) -> None:
    now = datetime.now(UTC).isoformat()
    rows = [_row(sequence, arrival, verdict, now) for sequence, arrival, verdict in lines]
    await connection.execute(_WRITE_LEDGER, [json.dumps(rows)])
    accepted = [(n, arrival) for n, arrival, verdict in lines if verdict.outcome == a.ACCEPTED]
    await _write_summaries(connection, [(n, x) for n, x in accepted if x.kind == a.UPLOAD])
    await _write_permissions(connection, [(n, x) for n, x in accepted if x.kind == a.PERMISSION])
    if not accepted:
        # Reads and refusals wait for no disk; an accepted line always does.
        await connection.execute("SET LOCAL synchronous_commit = off")


async def _load(connection: AsyncConnection, batch: list[Arrival]) -> Holdings:
    asked = [arrival for arrival in batch if arrival.refusal is None]
    held = Holdings()
    if not asked:
        return held
    numbers = [arrival.nhs_number or "" for arrival in asked]
    compositions = [arrival.composition_id or "" for arrival in asked]
    requests = [arrival.request_id for arrival in asked]
    cursor = await connection.execute(_LOAD, [numbers, compositions, requests], binary=True)
    for n, permission, current, is_stored, kind, sha256 in await cursor.fetchall():
        arrival = asked[n - 1]
        number = arrival.nhs_number or ""
        if permission is not None:
            held.permissions[number] = permission
        if current is not None:
            held.current[number] = current
        if is_stored:
            held.stored.add((number, arrival.composition_id or ""))
        if kind is not None:
            held.requests[arrival.request_id] = (kind, sha256)
    return held


def _row(sequence: int, arrival: Arrival, verdict: Verdict, now: str) -> dict[str, object]:
    refusal = verdict.refusal
    return {
        "sequence": sequence,
        "received_at": arrival.received_at.isoformat(),
        "accepted_at": now if verdict.outcome == a.ACCEPTED else None,
        "kind": arrival.kind,
        "outcome": verdict.outcome,
        "request_id": str(arrival.request_id),
        "correlation_id": str(arrival.correlation_id),
        "nhs_number": storable(arrival.nhs_number, 40),
        "composition_id": storable(arrival.composition_id, 80),
        "replaced_id": storable(arrival.replaced_id, 80),
        "body_sha256": None if arrival.body_sha256 is None else f"\\x{arrival.body_sha256.hex()}",
        "is_blank": arrival.is_blank,
        "section_codes": _storable_codes(arrival.section_codes),
        "permission": arrival.permission,
        "http_status": verdict.status,
        "issue_code": None if refusal is None else refusal.code,
        "issue_text": None if refusal is None else storable(refusal.text),
    }


def _storable_codes(codes: tuple[str, ...] | None) -> list[str | None] | None:
    return None if codes is None else [storable(code, 80) for code in codes[:100]]


async def _write_summaries(connection: AsyncConnection, stored: list[tuple[int, Arrival]]) -> None:
    if not stored:
        return
    numbers = [arrival.nhs_number for _, arrival in stored]
    compositions = [arrival.composition_id for _, arrival in stored]
    sequences = [sequence for sequence, _ in stored]
    bodies = [arrival.body for _, arrival in stored]
    await connection.execute(_WRITE_SUMMARIES, [numbers, compositions, sequences, bodies])
    latest = {arrival.nhs_number: (arrival.composition_id, sequence) for sequence, arrival in stored}
    await _upsert(connection, _SET_CURRENT, latest)


async def _write_permissions(connection: AsyncConnection, changed: list[tuple[int, Arrival]]) -> None:
    latest = {arrival.nhs_number: (arrival.permission, sequence) for sequence, arrival in changed}
    if latest:
        await _upsert(connection, _SET_PERMISSION, latest)


async def _upsert(
    connection: AsyncConnection, statement: str, latest: dict[str | None, tuple[str | None, int]]
) -> None:
    # One row a patient and in one order, as ON CONFLICT asks.
    numbers = sorted(number for number in latest if number)
    values = [latest[number] for number in numbers]
    await connection.execute(statement, [numbers, [text for text, _ in values], [n for _, n in values]])
