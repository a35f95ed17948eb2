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

# One statement, and so one transaction and one round trip. One text for all ledger lines is cheaper to
# make here than an array for each column. Reads and refusals wait for no disk; an accepted line does.
_WRITE = """
WITH line AS (
    INSERT INTO ledger SELECT * FROM json_populate_recordset(NULL::ledger, %(lines)s::json)
), summary AS (
    INSERT INTO stored_summary (nhs_number, composition_id, sequence, body)
    SELECT * FROM unnest(%(numbers)b::text[], %(ids)b::text[], %(sequences)b::bigint[], %(bodies)b::bytea[])
), newest AS (
    INSERT INTO current_summary (nhs_number, composition_id, sequence)
    SELECT DISTINCT ON (nhs_number) nhs_number, composition_id, sequence
    FROM unnest(%(numbers)b::text[], %(ids)b::text[], %(sequences)b::bigint[])
         AS sent (nhs_number, composition_id, sequence)
    ORDER BY nhs_number, sequence DESC
    ON CONFLICT (nhs_number) DO UPDATE
    SET composition_id = excluded.composition_id, sequence = excluded.sequence
), said AS (
    INSERT INTO permission (nhs_number, code, sequence)
    SELECT DISTINCT ON (nhs_number) nhs_number, code, sequence
    FROM unnest(%(asked)b::text[], %(codes)b::text[], %(said)b::bigint[]) AS said (nhs_number, code, sequence)
    ORDER BY nhs_number, sequence DESC
    ON CONFLICT (nhs_number) DO UPDATE SET code = excluded.code, sequence = excluded.sequence
)
SELECT CASE WHEN %(nothing_accepted)s THEN set_config('synchronous_commit', 'off', true) END
"""

_Line = tuple[int, Arrival, Verdict]


async def process(connection: AsyncConnection, batch: list[Arrival], last_sequence: int) -> list[Verdict]:
    """Decide, write and commit `batch`; return the verdicts in order.

    The lines get the sequence numbers after `last_sequence`. Raises what psycopg raises: nothing is
    stored then, unless the connection is lost as well, when the outcome is unknown. What is held is
    read outside the writing transaction: this connection holds the lock that makes it the only writer.
    """
    held = await _load(connection, batch)
    verdicts = [decide(arrival, held) for arrival in batch]
    numbers = range(last_sequence + 1, last_sequence + 1 + len(batch))
    await connection.execute(_WRITE, _values(list(zip(numbers, batch, verdicts, strict=True))))
    return verdicts


def _values(lines: list[_Line]) -> dict[str, object]:
    """Return what the writing statement is given for these lines."""
    now = datetime.now(UTC).isoformat()
    accepted = [(n, arrival) for n, arrival, verdict in lines if verdict.outcome == a.ACCEPTED]
    uploads = [(n, arrival) for n, arrival in accepted if arrival.kind == a.UPLOAD]
    permissions = [(n, arrival) for n, arrival in accepted if arrival.kind == a.PERMISSION]
    return {
        "lines": json.dumps([_row(n, arrival, verdict, now) for n, arrival, verdict in lines]),
        "numbers": [arrival.nhs_number for _, arrival in uploads],
        "ids": [arrival.composition_id for _, arrival in uploads],
        "sequences": [n for n, _ in uploads],
        "bodies": [arrival.body for _, arrival in uploads],
        "asked": [arrival.nhs_number for _, arrival in permissions],
        "codes": [arrival.permission for _, arrival in permissions],
        "said": [n for n, _ in permissions],
        "nothing_accepted": not accepted,
    }


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
