"""Our rows against the store's ledger: the outside witness of what was sent.

The ledger is copied into a temporary table and compared there, set by set, so that memory stays
flat. Each difference is a sentence and the job's public id or the ledger's line; no patient data.
"""

import datetime
import json
import urllib.request
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from django.db import connection, transaction

PAGE = 5000
EXAMPLES = 10
# Intents are timed by the database's clock, whoever wrote them, and arrivals by the store's: so far those two may
# be apart. (`make faults` goes by the moment of the commit, on one machine, and forgives nothing.)
SKEW = "interval '1 second'"

_TABLE = """
CREATE TEMPORARY TABLE store_ledger (
    sequence bigint PRIMARY KEY, received_at timestamptz, accepted_at timestamptz, composition_id text,
    nhs_number text, body_sha256 text, is_blank boolean,
    -- Reached the store after our snapshot was taken, so our side of it is not in view.
    is_later boolean
) ON COMMIT DROP
"""

# What each comparison finds is one line for each difference: its sentence, and where to look.
_DIFFERENCES = {
    "accepted by the store, but nothing here meant to send it": """
        SELECT 'ledger line ' || l.sequence FROM store_ledger l
        WHERE NOT l.is_later AND NOT EXISTS (SELECT 1 FROM spine_uploadattempt a WHERE a.composition_id::text = lower(l.composition_id))
    """,
    "accepted more than once": """
        SELECT 'ledger line ' || max(sequence) FROM store_ledger GROUP BY lower(composition_id) HAVING count(*) > 1
    """,
    "reached the store before the intent to send it was recorded": f"""
        SELECT 'ledger line ' || l.sequence FROM store_ledger l
        JOIN spine_uploadattempt a ON a.composition_id::text = lower(l.composition_id)
        GROUP BY l.sequence, l.received_at HAVING min(a.at) > l.received_at + {SKEW}
    """,
    "accepted by the store, but not recorded as accepted here": """
        SELECT 'job ' || j.public_id FROM store_ledger l
        JOIN spine_uploadattempt a ON a.composition_id::text = lower(l.composition_id)
        JOIN carerecords_uploadjob j ON j.id = a.job_id
        WHERE NOT l.is_later AND j.state NOT IN ('SENDING', 'IN_DOUBT')
        GROUP BY j.id, j.public_id HAVING bool_and(j.state <> 'ACCEPTED')
    """,
    "recorded as accepted here, but not in the ledger": """
        SELECT 'job ' || j.public_id FROM carerecords_uploadjob j
        WHERE j.state = 'ACCEPTED' AND NOT EXISTS (
            SELECT 1 FROM spine_uploadattempt a JOIN store_ledger l ON lower(l.composition_id) = a.composition_id::text
            WHERE a.job_id = j.id)
    """,
    "another patient's number at the store than here": """
        SELECT 'job ' || j.public_id FROM store_ledger l
        JOIN spine_uploadattempt a ON a.composition_id::text = lower(l.composition_id)
        JOIN carerecords_uploadjob j ON j.id = a.job_id
        JOIN carerecords_patient p ON p.id = j.patient_id
        WHERE p.nhs_number <> l.nhs_number GROUP BY j.public_id
    """,
    "other bytes at the store than were sent": """
        SELECT 'job ' || j.public_id FROM store_ledger l
        JOIN spine_uploadattempt a ON a.composition_id::text = lower(l.composition_id)
        JOIN carerecords_uploadjob j ON j.id = a.job_id
        JOIN spine_receipt r ON r.job_id = j.id AND r.body_sha256 <> ''
        GROUP BY j.public_id HAVING bool_and(r.body_sha256 <> l.body_sha256)
    """,
    "blank at the store but not here, or the other way round": """
        SELECT 'job ' || j.public_id FROM store_ledger l
        JOIN spine_uploadattempt a ON a.composition_id::text = lower(l.composition_id)
        JOIN carerecords_uploadjob j ON j.id = a.job_id
        WHERE l.is_blank <> (a.scope = 'BLANK') GROUP BY j.public_id
    """,
    "another copy is current at the store than we noted": """
        SELECT 'copy of patient ' || p.public_id FROM (
            SELECT DISTINCT ON (nhs_number) nhs_number, is_later, lower(composition_id) AS composition_id
            FROM store_ledger ORDER BY nhs_number, sequence DESC) current
        JOIN carerecords_patient p ON p.nhs_number = current.nhs_number
        LEFT JOIN spine_storecopy c ON c.patient_id = p.id
        WHERE NOT current.is_later AND c.composition_id IS DISTINCT FROM current.composition_id
          AND NOT EXISTS (SELECT 1 FROM carerecords_uploadjob j
                          WHERE j.patient_id = p.id AND j.state IN ('SENDING', 'IN_DOUBT'))
    """,
}


@dataclass(frozen=True)
class Difference:
    """One kind of difference: how many, and the first few places to look."""

    sentence: str
    count: int
    examples: list[str]


@dataclass(frozen=True)
class Comparison:
    """What was compared, what is still on its way, and every difference."""

    ledger_lines: int
    accepted_jobs: int
    on_their_way: int
    differences: list[Difference]

    @property
    def total(self) -> int:
        return sum(difference.count for difference in self.differences)


def compare(ledger_url: str, token: str = "") -> Comparison:
    """Reads the whole ledger and compares; `OSError` when the store does not answer or let us read it.

    `token`: what the store lets its ledger be read with, where it asks for that. Jobs on their way or in doubt are counted apart: their end is not known yet. Nothing is written.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        # One snapshot of our rows for all comparisons. The ledger is read after it, and so holds
        # all that the snapshot says was accepted; lines later than the snapshot are marked.
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        cursor.execute("SELECT clock_timestamp()")
        (taken_at,) = cursor.fetchone()
        cursor.execute(_TABLE)
        lines = _copy_ledger(_read(ledger_url, token), taken_at)
        cursor.execute("ANALYZE store_ledger")
        found = [_difference(sentence, sql) for sentence, sql in _DIFFERENCES.items()]
        cursor.execute(
            "SELECT count(*) FILTER (WHERE state = 'ACCEPTED'), "
            "count(*) FILTER (WHERE state IN ('SENDING', 'IN_DOUBT')) FROM carerecords_uploadjob"
        )
        accepted, on_their_way = cursor.fetchone()
    return Comparison(lines, accepted, on_their_way, [one for one in found if one.count])


def _difference(sentence: str, sql: str) -> Difference:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*), (array_agg(place))[:{EXAMPLES}] FROM ({sql}) AS found (place)")
        count, examples = cursor.fetchone()
    return Difference(sentence, count, examples or [])


def _copy_ledger(entries: Iterable[dict], taken_at: datetime.datetime) -> int:
    lines = 0
    with connection.cursor() as cursor, cursor.copy("COPY store_ledger FROM STDIN") as copy:
        for entry in entries:
            copy.write_row(
                (
                    entry["sequence"],
                    entry["received_at"],
                    entry["accepted_at"],
                    entry["composition_id"],
                    entry["nhs_number"],
                    entry["body_sha256"],
                    entry["is_blank"],
                    datetime.datetime.fromisoformat(entry["received_at"]) > taken_at,
                )
            )
            lines += 1
    return lines


def _read(ledger_url: str, token: str) -> Iterator[dict]:
    """Every accepted upload of the ledger, page by page."""
    after = 0
    while True:
        request = urllib.request.Request(f"{ledger_url}?after={after}&limit={PAGE}")
        if token:
            # Never to wherever a redirection leads.
            request.add_unredirected_header("Authorization", f"Bearer {token}")
        with urllib.request.urlopen(request, timeout=30) as answer:
            page = [json.loads(line) for line in answer if line.strip()]
        yield from (e for e in page if e["kind"] == "upload" and e["outcome"] == "accepted")
        if len(page) < PAGE:
            return
        after = page[-1]["sequence"]
