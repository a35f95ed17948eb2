"""A worker keeps its connection to the database from task to task, and notices when it is gone."""

import datetime

import pytest
from django.db import connection
from django.utils import timezone

from carerecords.models import UploadJob
from carerecords.permissions import Role
from tests.factories import decide, make_patient, make_practice, make_user
from tests.localstore_process import fresh_nhs_number, localstore, wait_until  # noqa: F401
from tests.whole_product import bell, broker, whole_product  # noqa: F401

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(240)]
OTHERS = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
# The clock has rung at least twice since.
OLD = f"{OTHERS} AND backend_start < clock_timestamp() - interval '6 seconds'"


def served(question):
    """The server's processes that serve the workers."""
    with connection.cursor() as cursor:
        cursor.execute(question)
        return {pid for (pid,) in cursor.fetchall()}


def test_it_stays_from_task_to_task_and_is_opened_again_when_it_was_cut(whole_product):
    practice = make_practice()
    gp = make_user(Role.GP, practice)

    def uploaded():
        patient = make_patient(practice, usual_gp=gp, nhs_number=fresh_nhs_number())
        decide(patient, by=gp, at=timezone.now() - datetime.timedelta(hours=1))
        job = UploadJob.objects.get(patient=patient)
        wait_until(lambda: UploadJob.objects.filter(pk=job.pk, state="ACCEPTED").exists(), seconds=60)

    uploaded()
    # One for each of the two worker processes.
    wait_until(lambda: len(served(OLD)) == 2, seconds=60)
    kept = served(OLD)
    uploaded()
    assert kept <= served(OTHERS)

    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_terminate_backend(pid) FROM ({OTHERS}) AS other")
    uploaded()
    assert not kept & served(OTHERS)
