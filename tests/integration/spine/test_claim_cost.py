"""What is due is found by index, however much waits, is held or is done."""

import pytest
from django.db import connection
from django.utils import timezone

from spine import claims
from tests.factories import make_patient, make_practice


@pytest.fixture
def many_jobs(db):
    """20,000 jobs: 100 due now, 5,000 later, 5,000 held, the rest done."""
    patient = make_patient(make_practice())
    columns = _columns("carerecords_patient", {"id", "public_id", "nhs_number"})
    with connection.cursor() as cursor:
        cursor.execute(
            f"""INSERT INTO carerecords_patient (public_id, nhs_number, {columns})
            SELECT gen_random_uuid(), '9' || lpad(n::text, 9, '0'), {columns}
            FROM carerecords_patient, generate_series(1, 20000) AS n WHERE id = %s""",
            [patient.pk],
        )
        cursor.execute(
            """INSERT INTO carerecords_uploadjob (public_id, patient_id, practice_id, kind, state, cause, headline, requested_at,
                due_at, attempt, failures, reasons, clock_seen, finished_at)
            SELECT gen_random_uuid(), id, practice_id, 'UPLOAD',
                CASE WHEN n <= 5100 THEN 'WAITING' WHEN n <= 10100 THEN 'HELD' ELSE 'ACCEPTED' END, 'DECISION', '',
                now(), CASE WHEN n <= 100 THEN now() - interval '1 minute' ELSE now() + interval '1 day' END,
                0, 0, '{}', 0, CASE WHEN n > 10100 THEN now() END
            FROM (SELECT id, practice_id, row_number() OVER (ORDER BY id) AS n FROM carerecords_patient) AS p"""
        )
        cursor.execute("ANALYZE carerecords_uploadjob, carerecords_factclock, carerecords_patient")


def _columns(table, but):
    with connection.cursor() as cursor:
        cursor.execute("SELECT column_name FROM information_schema.columns WHERE table_name = %s", [table])
        return ", ".join(f'"{name}"' for (name,) in cursor.fetchall() if name not in but)


@pytest.mark.parametrize("query", ["_DUE", "_HELD_BEFORE_NATIONAL_CHANGE", "_HELD_BEFORE_PRACTICE_CHANGE"])
def test_no_claim_reads_the_whole_table(many_jobs, query):
    with connection.cursor() as cursor:
        cursor.execute(
            "EXPLAIN (ANALYZE, BUFFERS, COSTS OFF) " + getattr(claims, query),
            {"now": timezone.now(), "limit": 100},
        )
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Seq Scan on carerecords_uploadjob job" not in plan, plan
    assert "Index" in plan
