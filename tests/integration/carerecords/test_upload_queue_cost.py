"""Asking for uploads costs what is asked for, however many jobs came in since they were last counted."""

import re

import pytest
from django.db import connection
from django.utils import timezone

from carerecords import upload_queue
from carerecords.models import JobState, Patient, UploadJob
from carerecords.models.upload_job import BUSY_STATES, OPEN_STATES
from tests.factories import make_patient, make_practice

WAITING, ASKED = 4000, 50
# Two index look-ups, each of a few pages.
PAGES_A_PATIENT = 10


@pytest.fixture
def patients(db):
    """Whose jobs came in after the planner had been told that there is none; half wait, half are held."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE carerecords_uploadjob")
        first = make_patient(make_practice())
        columns = [
            f'"{field.column}"'
            for field in Patient._meta.concrete_fields
            if field.column not in {"id", "public_id", "nhs_number"}
        ]
        copied = ", ".join(columns)
        cursor.execute(
            f"""INSERT INTO carerecords_patient (public_id, nhs_number, {copied})
            SELECT gen_random_uuid(), '9' || lpad(n::text, 9, '0'), {copied}
            FROM carerecords_patient, generate_series(1, %s) AS n WHERE id = %s""",
            [WAITING, first.pk],
        )
        cursor.execute(
            """INSERT INTO carerecords_uploadjob (public_id, patient_id, practice_id, kind, state, cause, headline,
                requested_at, due_at, reasons)
            SELECT gen_random_uuid(), id, practice_id, 'UPLOAD', CASE WHEN id % 2 = 0 THEN 'WAITING' ELSE 'HELD' END,
                'DECISION', '', now(), now(), '{}' FROM carerecords_patient"""
        )
    return list(Patient.objects.order_by("-pk").values_list("pk", flat=True)[:ASKED])


def plan_of(statement, values):
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS) {statement}", values)
        return "\n".join(line for (line,) in cursor.fetchall())


def reads_only_what_is_asked_for(plan):
    removed = [int(count) for count in re.findall(r"Rows Removed by Filter: (\d+)", plan)]
    pages = max(int(count) for count in re.findall(r"-> .*\n +(?:.*\n)*? +Buffers: shared hit=(\d+)", plan))
    return sum(removed) <= ASKED and pages <= ASKED * PAGES_A_PATIENT


@pytest.mark.parametrize(
    "statement", [upload_queue._OPEN, upload_queue._LEFT_LAST], ids=["open", "left last"]
)
def test_no_job_of_another_patient_is_read(patients, statement):
    left = [state.value for state in [*BUSY_STATES, JobState.ACCEPTED]]
    plan = plan_of(statement, {"patients": patients, "left": left})
    assert reads_only_what_is_asked_for(plan), plan


@pytest.mark.parametrize(
    "statement", [upload_queue._CANCEL, upload_queue._ASK_AGAIN], ids=["cancel", "ask again"]
)
def test_no_job_is_read_but_those_that_change(patients, statement):
    jobs = list(UploadJob.objects.filter(patient__in=patients).values_list("pk", flat=True))
    plan = plan_of(statement, {"jobs": jobs, "at": timezone.now(), "reasons": [upload_queue.SUPERSEDED]})
    assert reads_only_what_is_asked_for(plan), plan


@pytest.mark.parametrize("statement", [upload_queue._OPEN, upload_queue._CANCEL], ids=["found", "changed"])
def test_what_is_cancelled_is_what_the_model_calls_open(statement):
    [named] = re.findall(r"state IN \((.*?)\)", statement)
    assert named.replace("'", "").split(", ") == [state.value for state in OPEN_STATES]
