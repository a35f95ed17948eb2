"""One batch of arrivals in one transaction: load what is held, decide each in order, write it all."""

from __future__ import annotations

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

_COPY_LEDGER = """
COPY ledger (sequence, received_at, accepted_at, kind, outcome, request_id, correlation_id, nhs_number,
             composition_id, replaced_id, body_sha256, is_blank, section_codes, permission, http_status,
             issue_code, issue_text)
FROM STDIN (FORMAT BINARY)
"""
_LEDGER_TYPES = (
    "int8 timestamptz timestamptz text text uuid uuid text text text bytea bool text[] text int2 text text"
).split()

_COPY_SUMMARY = "COPY stored_summary (nhs_number, composition_id, sequence, body) FROM STDIN (FORMAT BINARY)"

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
    """Decide and write `batch` inside the transaction of the caller; return the verdicts in order.

    The lines get the sequence numbers after `last_sequence`. Raises what psycopg raises; then
    nothing of the batch is stored once the caller rolls back.
    """
    held = await _load(connection, batch)
    verdicts = [decide(arrival, held) for arrival in batch]
    lines = list(zip(range(last_sequence + 1, last_sequence + 1 + len(batch)), batch, verdicts, strict=True))
    await _write_ledger(connection, lines)
    accepted = [(n, arrival) for n, arrival, verdict in lines if verdict.outcome == a.ACCEPTED]
    await _write_summaries(connection, [(n, x) for n, x in accepted if x.kind == a.UPLOAD])
    await _write_permissions(connection, [(n, x) for n, x in accepted if x.kind == a.PERMISSION])
    if not accepted:
        # Reads and refusals wait for no disk; an accepted line always does.
        await connection.execute("SET LOCAL synchronous_commit = off")
    return verdicts


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


async def _write_ledger(connection: AsyncConnection, lines: list[tuple[int, Arrival, Verdict]]) -> None:
    now = datetime.now(UTC)
    async with connection.cursor().copy(_COPY_LEDGER) as copy:
        copy.set_types(_LEDGER_TYPES)
        for sequence, arrival, verdict in lines:
            await copy.write_row(_row(sequence, arrival, verdict, now))


def _row(sequence: int, arrival: Arrival, verdict: Verdict, now: datetime) -> tuple[object, ...]:
    refusal = verdict.refusal
    return (
        sequence,
        arrival.received_at,
        now if verdict.outcome == a.ACCEPTED else None,
        arrival.kind,
        verdict.outcome,
        arrival.request_id,
        arrival.correlation_id,
        storable(arrival.nhs_number, 40),
        storable(arrival.composition_id, 80),
        storable(arrival.replaced_id, 80),
        arrival.body_sha256,
        arrival.is_blank,
        _storable_codes(arrival.section_codes),
        arrival.permission,
        verdict.status,
        None if refusal is None else refusal.code,
        None if refusal is None else storable(refusal.text),
    )


def _storable_codes(codes: tuple[str, ...] | None) -> list[str | None] | None:
    return None if codes is None else [storable(code, 80) for code in codes[:100]]


async def _write_summaries(connection: AsyncConnection, stored: list[tuple[int, Arrival]]) -> None:
    if not stored:
        return
    async with connection.cursor().copy(_COPY_SUMMARY) as copy:
        copy.set_types(["text", "text", "int8", "bytea"])
        for sequence, arrival in stored:
            await copy.write_row((arrival.nhs_number, arrival.composition_id, sequence, arrival.body))
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
