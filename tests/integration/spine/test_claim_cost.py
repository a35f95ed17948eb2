"""What is due is found by index, however much waits, is held or is done."""

import re

import pytest
from django.db import connection
from django.utils import timezone

from carerecords.many_rows import integers
from carerecords.models import JobState, Practice, UploadJob
from spine.gate import Kind
from spine.sending import claims, settling, turns
from tests.factories import make_patient, make_practice

TAKEN = 100
UPLOADS = [turns.WAITING[Kind.UPLOAD], claims._DUE_OF_KIND[Kind.UPLOAD]]
WITHDRAWALS = [turns.WAITING[Kind.WITHDRAWAL], claims._DUE_OF_KIND[Kind.WITHDRAWAL]]


@pytest.fixture
def many_jobs(db):
    """20,000 jobs: 5,000 due now, 5,000 later, 5,000 held before a national change, the rest done."""
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
                CASE WHEN n <= 10000 THEN 'WAITING' WHEN n <= 15000 THEN 'HELD' ELSE 'ACCEPTED' END, 'DECISION', '',
                now(), now() + interval '1 day' + CASE WHEN n <= 5000 THEN interval '-2 days' ELSE '0' END
                    - n * interval '1 second',
                0, 0, '{}', n, CASE WHEN n > 15000 THEN now() END
            FROM (SELECT id, practice_id, row_number() OVER (ORDER BY id) AS n FROM carerecords_patient) AS p"""
        )
        cursor.execute(
            "INSERT INTO carerecords_factclock (scope, number) VALUES (0, 100000) "
            "ON CONFLICT (scope) DO UPDATE SET number = excluded.number"
        )
        cursor.execute("ANALYZE carerecords_uploadjob, carerecords_factclock, carerecords_patient")


def _columns(table, but):
    with connection.cursor() as cursor:
        cursor.execute("SELECT column_name FROM information_schema.columns WHERE table_name = %s", [table])
        return ", ".join(f'"{name}"' for (name,) in cursor.fetchall() if name not in but)


@pytest.mark.parametrize(
    "query",
    [*WITHDRAWALS, *UPLOADS, *claims._HELD],
    ids=["turns of withdrawals", "withdrawals", "turns of uploads", "uploads", "nation", "practice"],
)
def test_no_claim_reads_the_whole_table(many_jobs, query):
    plan = plan_of(query)
    assert "Seq Scan on carerecords_uploadjob" not in plan, plan
    assert "Index" in plan


def test_asking_again_reads_no_more_than_it_takes(many_jobs):
    plan = plan_of(claims._HELD_BEFORE_NATIONAL_CHANGE)
    assert "Sort" not in plan, plan
    assert rows_read(plan) <= TAKEN, plan


def test_a_claim_reads_what_it_takes(many_jobs):
    """And to see whose turn it is, an entry a practice: one here; `test_turns` has many."""
    whose, which = UPLOADS
    assert rows_read(plan_of(whose)) == 1
    assert rows_read(plan_of(which)) == TAKEN


PRACTICES = 400
# An index is walked down a few pages deep, for each practice and for each of its two jobs.
PAGES_A_PRACTICE = 20


@pytest.fixture
def many_at_once(db):
    """Two jobs of each of many practices, due since the planner was told that nothing is open."""
    patient = make_patient(make_practice())
    Practice.objects.bulk_create(
        Practice(ods_code=f"Z{number:05}", name="A practice", list_size=2) for number in range(PRACTICES)
    )
    columns = _columns("carerecords_patient", {"id", "public_id", "nhs_number", "practice_id"})
    with connection.cursor() as cursor:
        cursor.execute(
            f"""INSERT INTO carerecords_patient (public_id, nhs_number, practice_id, {columns})
            SELECT gen_random_uuid(), '9' || lpad((row_number() OVER ())::text, 9, '0'), practice.id,
                {", ".join(f"patient.{column}" for column in columns.split(", "))}
            FROM carerecords_patient AS patient, carerecords_practice AS practice, generate_series(1, 2)
            WHERE patient.id = %s AND practice.ods_code LIKE 'Z%%'""",
            [patient.pk],
        )
        cursor.execute(_JOBS, {"state": "ACCEPTED"})
        cursor.execute("ANALYZE carerecords_uploadjob, carerecords_patient, carerecords_practice")
        cursor.execute(_JOBS, {"state": "WAITING"})


_JOBS = """
INSERT INTO carerecords_uploadjob (public_id, patient_id, practice_id, kind, state, cause, headline, requested_at,
    due_at, finished_at, reasons)
SELECT gen_random_uuid(), id, practice_id, 'UPLOAD', %(state)s::text, 'DECISION', '', now(),
    CASE WHEN %(state)s = 'WAITING' THEN now() - interval '1 minute' END,
    CASE WHEN %(state)s = 'ACCEPTED' THEN now() END, '{}'
FROM carerecords_patient
"""


@pytest.mark.parametrize("query", UPLOADS, ids=["whose turn", "which jobs"])
def test_jobs_that_became_due_all_at_once_are_found_along_the_index(many_at_once, query):
    plan = plan_of(query)
    pages = int(re.search(r"Buffers: shared hit=(\d+)", plan)[1])
    assert pages <= PRACTICES * PAGES_A_PRACTICE, plan


def test_a_claim_beside_thousands_that_are_busy_compares_it_with_none(many_jobs):
    """As after an hour without the store, when the planner still believes that nobody is busy."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE carerecords_uploadjob SET state = 'IN_DOUBT' WHERE state = 'WAITING' AND due_at > now()"
        )
        assert cursor.rowcount == 5000
    for query in [claims._DUE_OF_KIND[Kind.UPLOAD], *claims._HELD]:
        plan = plan_of(query)
        assert "Index Cond: (patient_id = " in plan and "Removed by Join Filter" not in plan, plan


def test_settling_beside_thousands_that_are_open_compares_it_with_none(many_jobs):
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN " + settling._SETTLE, settling._columns([_accepted()], timezone.now()))
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Index Cond: (patient_id = new.patient_id)" in plan, plan


def _accepted():
    job = UploadJob.objects.filter(state="WAITING").first()
    return settling.Settled(job.pk, job.attempt, job.patient_id, JobState.ACCEPTED)


def rows_read(plan):
    """Rows read along the indexes of what is open."""
    found = re.findall(
        r"using uploadjob_(?:due|held)\w* on carerecords_uploadjob(?: \w+)? \(actual.* rows=(\d+)\S* loops=(\d+)",
        plan,
    )
    assert found, plan
    return sum(int(rows) * int(loops) for rows, loops in found)


def plan_of(query):
    rows = turns.in_index_order(
        f"EXPLAIN (ANALYZE, BUFFERS, COSTS OFF) {query}",
        {
            "now": timezone.now(),
            "limit": TAKEN,
            "share": TAKEN,
            "practices": integers(Practice.objects.values_list("pk", flat=True)),
        },
    )
    return "\n".join(line for (line,) in rows)
