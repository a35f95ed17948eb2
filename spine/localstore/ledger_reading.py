"""The ledger as lines of JSON, for a program that compares it with what was meant to be sent."""

from __future__ import annotations

from aiohttp import web
from psycopg_pool import AsyncConnectionPool

_LARGEST_PAGE = 10_000

# The lines are made by the database, so that reading a large ledger costs this process little.
_LINES = """
SELECT string_agg(row_to_json(line)::text || E'\\n', '')
FROM (
    SELECT sequence, received_at, accepted_at, kind, outcome, request_id, correlation_id, nhs_number,
           composition_id, replaced_id, encode(body_sha256, 'hex') AS body_sha256, is_blank, section_codes,
           permission, http_status, issue_code, issue_text
    FROM ledger WHERE sequence > %s ORDER BY sequence LIMIT %s
) AS line
"""


async def read_ledger(request: web.BaseRequest, readers: AsyncConnectionPool) -> web.Response:
    """Return `limit` ledger lines with a sequence above `after`, in order; 400 for anything else.

    Fewer lines than asked for means the end was reached. Lines appear in the order of their
    sequence and none is filled in later, so the last one read is a safe place to go on from.
    """
    after = _whole_number(request.query.get("after", "0"), 2**63 - 1)
    limit = _whole_number(request.query.get("limit", "1000"), _LARGEST_PAGE)
    if after is None or limit is None:
        text = f"after and limit must be whole numbers, limit at most {_LARGEST_PAGE}\n"
        return web.Response(status=400, text=text)
    async with readers.connection() as connection:
        row = await (await connection.execute(_LINES, [after, limit])).fetchone()
    lines: str = (row[0] if row else None) or ""
    uncached = {"Cache-Control": "no-store"}
    return web.Response(text=lines, content_type="application/x-ndjson", headers=uncached)


def _whole_number(text: str, largest: int) -> int | None:
    if text.isascii() and text.isdigit() and len(text) < 20 and int(text) <= largest:
        return int(text)
    return None
