"""What feeding a run and laying aside cost: index look-ups, however long the run's list is."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from carerecords.models import Patient, UploadJob
from carerecords.permissions import Role
from spine.models import SendingRow
from spine.runs import actions, feeding, resting
from spine.runs.codes import RunKind
from spine.runs.forecast import forecast
from tests.factories import decide, make_patient, make_user
from tests.integration.spine.running import make_run
from tests.integration.spine.test_turns import copies_of

PATIENTS = 10_000


@pytest.fixture
def long_run(practice):
    """A run over a practice of ten thousand who consent, not fed yet."""
    patient = make_patient(practice, usual_gp=make_user(Role.GP, practice))
    decide(patient)
    copies_of(Patient.objects.get(pk=patient.pk), [practice.pk], PATIENTS)
    UploadJob.objects.all().delete()
    run = make_run(practice, RunKind.INITIAL)
    actions.start(run, by=run.made_by, at=timezone.now())
    return run


def plan_of(captured, table):
    """The plans of all statements that read a table."""
    plans = []
    for query in captured.captured_queries:
        sql = query["sql"]
        if f'FROM "{table}"' in sql and sql.startswith("SELECT"):
            with connection.cursor() as cursor:
                cursor.execute(f"EXPLAIN {sql}")
                plans.append("\n".join(line for (line,) in cursor.fetchall()))
    return plans


def test_a_long_list_is_fed_along_its_index(long_run, settings):
    settings.SPINE_REQUESTS_PER_SECOND = 5
    assert forecast(long_run, timezone.now()).go == PATIENTS + 1
    feeding.feed(long_run.public_id, timezone.now)
    assert SendingRow.objects.count() == PATIENTS + 1
    assert UploadJob.objects.count() == feeding.most_waiting(RunKind.INITIAL) == 150
    # Towards its end: most of it was asked for.
    last = SendingRow.objects.order_by("-pk").values_list("pk", flat=True)[200]
    SendingRow.objects.filter(pk__lt=last).update(why="job.open")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE spine_sendingrow")
    with CaptureQueriesContext(connection) as captured:
        feeding._next_patients(long_run, 100)
    [plan] = plan_of(captured, "spine_sendingrow")
    assert "sendingrow_to_ask" in plan and "Seq Scan" not in plan


def test_whose_run_rests_is_looked_up_by_job(long_run):
    import datetime

    from spine.sending.claims import claim

    feeding.feed(long_run.public_id, timezone.now)
    actions.pause(long_run, by=long_run.made_by, at=timezone.now())
    jobs = claim(limit=100, now=timezone.now(), lease=datetime.timedelta(seconds=60))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE spine_sendingrow, carerecords_uploadjob")
    with CaptureQueriesContext(connection) as captured:
        awake, rests = resting.apart(jobs, timezone.now())
    assert awake == [] and len(rests) == len(jobs) == 100
    assert len(captured) == 1
    [plan] = plan_of(captured, "spine_sendingrow")
    assert "Seq Scan on spine_sendingrow" not in plan, plan
