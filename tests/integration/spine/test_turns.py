"""Practices take turns: one with thousands of uploads does not make one with three wait."""

import datetime

import pytest
from django.db import connection
from django.utils import timezone

from carerecords.models import UploadJob
from spine import claims
from tests.factories import make_patient, make_practice
from tests.integration.spine.test_claim_cost import rows_read

PRACTICES = 400
A_PRACTICE = 50


def copies_of(patient, practices, each):
    """So many patients at each practice, and a due upload for each; all by statement."""
    columns = ", ".join(
        f'"{field.column}"'
        for field in type(patient)._meta.concrete_fields
        if field.name not in {"id", "public_id", "nhs_number", "practice"}
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"""INSERT INTO carerecords_patient (public_id, nhs_number, practice_id, {columns})
            SELECT gen_random_uuid(),
                '9' || lpad(((SELECT count(*) FROM carerecords_patient) + row_number() OVER ())::text, 9, '0'),
                p, {columns}
            FROM carerecords_patient, unnest(%s::int[]) AS p, generate_series(1, %s) AS n WHERE id = %s""",
            [practices, each, patient.pk],
        )
        cursor.execute(
            """INSERT INTO carerecords_uploadjob (public_id, patient_id, practice_id, kind, state, cause, headline,
                requested_at, due_at, reasons)
            SELECT gen_random_uuid(), id, practice_id, 'UPLOAD', 'WAITING', 'DECISION', '', now(),
                now() - interval '1 day' + id * interval '1 ms', '{}'
            FROM carerecords_patient WHERE practice_id = ANY(%s) AND id <> %s""",
            [practices, patient.pk],
        )
        cursor.execute("ANALYZE carerecords_uploadjob, carerecords_patient, carerecords_practice")


def practices(count):
    with connection.cursor() as cursor:
        like = make_practice()
        columns = ", ".join(
            f'"{field.column}"'
            for field in like._meta.concrete_fields
            if field.name not in {"id", "ods_code"}
        )
        cursor.execute(
            f"""INSERT INTO carerecords_practice (ods_code, {columns})
            SELECT 'Z' || lpad(n::text, 5, '0'), {columns} FROM carerecords_practice, generate_series(1, %s) AS n
            WHERE id = %s RETURNING id""",
            [count, like.pk],
        )
        return [pk for (pk,) in cursor.fetchall()]


def take(limit):
    return claims.claim(limit=limit, now=timezone.now(), lease=datetime.timedelta(minutes=1))


@pytest.mark.parametrize("limit", [1, 2, 7, 40])
def test_a_practice_with_three_does_not_wait_for_one_with_thousands(db, limit):
    large, small = practices(2)
    patient = make_patient(make_practice())
    copies_of(patient, [large], 2000)
    copies_of(patient, [small], 3)
    taken = []
    while sum(job.practice_id == small for job in taken) < 3:
        taken += take(limit)
        assert len(taken) <= 6 * limit + 6, "the small practice waits"


def test_every_practice_has_its_turn_before_any_has_its_second(db):
    patient = make_patient(make_practice())
    them = practices(12)
    copies_of(patient, them, 3)
    order = [take(1)[0].practice_id for _ in range(36)]
    for round_ in (order[:12], order[12:24], order[24:]):
        assert sorted(round_) == sorted(them)
    assert take(1) == []


def test_withdrawals_go_before_any_upload(db):
    patient = make_patient(make_practice())
    large, small = practices(2)
    copies_of(patient, [large, small], 20)
    asked = UploadJob.objects.filter(practice=small).order_by("-pk")[:2].values_list("pk", flat=True)
    UploadJob.objects.filter(pk__in=list(asked)).update(kind="WITHDRAWAL")
    assert [job.kind for job in take(3)] == ["WITHDRAWAL", "WITHDRAWAL", "UPLOAD"]


def test_a_claim_reads_a_row_a_practice_and_what_it_takes(db):
    """However much waits: 20,000 jobs here."""
    copies_of(make_patient(make_practice()), practices(PRACTICES), A_PRACTICE)
    with connection.cursor() as cursor:
        cursor.execute(
            f"EXPLAIN (ANALYZE, COSTS OFF) {claims._DUE_UPLOADS}",
            {"now": timezone.now(), "limit": 10, "share": 1},
        )
        plan = "\n".join(line for (line,) in cursor.fetchall())
    print(plan)
    assert "Seq Scan on carerecords_uploadjob" not in plan, plan
    assert rows_read(plan) <= PRACTICES + 20, plan
