"""Practices take turns: one with thousands of uploads does not make one with three wait."""

import datetime

import pytest
from django.db import connection
from django.utils import timezone

from carerecords.many_rows import integers
from carerecords.models import UploadJob
from spine.gate import Kind
from spine.sending import claims, turns
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


def take(limit, queue=None):
    lease = datetime.timedelta(minutes=1)
    return claims.claim(limit=limit, now=timezone.now(), lease=lease, queue=queue)


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


def test_to_see_whose_turn_it_is_reads_a_row_a_practice(db):
    """However much waits: 20,000 jobs here."""
    copies_of(make_patient(make_practice()), practices(PRACTICES), A_PRACTICE)
    plan = explained(turns.WAITING[Kind.UPLOAD], now=timezone.now())
    assert "Seq Scan on carerecords_uploadjob" not in plan, plan
    assert rows_read(plan) <= PRACTICES + 20, plan


def test_a_claim_looks_into_no_more_practices_than_it_takes_from(db):
    """Hundreds wait: a claim of twenty jobs reads twenty."""
    them = practices(PRACTICES)
    copies_of(make_patient(make_practice()), them, A_PRACTICE)
    figures = {"now": timezone.now(), "limit": 20, "share": 2, "practices": integers(them)}
    assert rows_read(explained(claims._DUE_OF_KIND[Kind.UPLOAD], **figures)) == 20


def explained(query, **figures):
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, COSTS OFF) {query}", figures)
        return "\n".join(line for (line,) in cursor.fetchall())


@pytest.fixture
def looks(monkeypatch):
    """How often a process looked whose turn it is for an upload, since the last time that was asked."""
    seen, look = [], turns.Turns.look

    def noted(self, now):
        if self.kind is Kind.UPLOAD:
            seen.append(now)
        look(self, now)

    def since():
        count = len(seen)
        seen.clear()
        return count

    monkeypatch.setattr(turns.Turns, "look", noted)
    return since


def test_a_process_looks_once_for_many_claims(db, looks):
    them = practices(40)
    copies_of(make_patient(make_practice()), them, 5)
    queue = claims.Queue()
    order = [take(1, queue)[0].practice_id for _ in range(40)]
    assert sorted(order) == sorted(them), "each had its turn"
    assert looks() == 1
    again = [take(8, queue) for _ in range(5)]
    assert sorted(job.practice_id for batch in again for job in batch) == sorted(them)
    assert looks() == 1, "the list was used up"


def test_what_is_due_is_found_though_the_list_is_old(db, looks):
    one, other, later = practices(3)
    patient = make_patient(make_practice())
    copies_of(patient, [one, other], 1)
    queue = claims.Queue()
    assert len(take(1, queue)) == 1
    UploadJob.objects.filter(practice=other).update(due_at=timezone.now() + datetime.timedelta(days=1))
    copies_of(patient, [later], 1)
    assert [job.practice_id for job in take(1, queue)] == [later], "who is on the list has nothing by now"
    assert take(1, queue) == []


def test_a_new_practice_waits_a_second_at_most(db, monkeypatch):
    *many, new = practices(5)
    patient = make_patient(make_practice())
    copies_of(patient, many, 100)
    queue = claims.Queue()
    assert {job.practice_id for job in take(4, queue)} == set(many)
    copies_of(patient, [new], 1)
    monkeypatch.setattr(queue.uploads, "_good_until", 0.0)
    assert take(1, queue)[0].practice_id == new, "its turn was longest ago: never"


def test_two_threads_share_a_list_and_take_no_practice_twice(db):
    copies_of(make_patient(make_practice()), practices(30), 1)
    shared = turns.Turns(Kind.UPLOAD)
    shared.look(timezone.now())
    first, second = shared.take(10), shared.take(25)
    assert len(first) == 10 and len(second) == 20 and not set(first) & set(second)
    shared.give_back(second[5:])
    assert shared.take(100) == second[5:]


def test_no_claim_is_compiled_first(db):
    """On a server before PostgreSQL 18, 200 ms each time."""
    assert turns.in_index_order("SELECT current_setting('jit')", {}) == [("off",)]
