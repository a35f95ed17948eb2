"""Whoever writes of many patients keeps them still in one order, so that two people never wait for each other.

The second of two patients is first in every list here. Somebody locks the first, then the second, as all
who change patients do; a list that is written meanwhile must not hold the second and wait for the first.
"""

import threading
from functools import partial

import pytest
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from carerecords.models import Patient
from consent import bulk_runs, deferrals
from consent.codes import BulkKind
from consent.imports.actions import approve
from consent.models import Deferral
from tests.factories import make_patient
from tests.integration.consent.importing import MAY, csv_of, decision, staged
from tests.integration.consent.sheets import make_sheet
from tests.launcher import wait_for

pytestmark = pytest.mark.django_db(transaction=True)
NOW = timezone.now()
TODAY = timezone.localdate(NOW)


def a_bulk_run_is_frozen(first, second, by):
    return partial(
        bulk_runs.freeze,
        practice=first.practice,
        kind=BulkKind.LETTER,
        patients=Patient.objects.order_by("family_name"),
        by=by,
        at=NOW,
        day=TODAY,
    )


def an_import_is_approved(first, second, by):
    made = staged(first.practice, by, csv_of([decision(second), decision(first)]))
    return partial(approve, made=made, by=by, may=MAY, at=NOW)


def a_sheet_is_begun(first, second, by):
    return partial(make_sheet, by, [second, first])


def deferrals_are_ended(first, second, by):
    for patient in (second, first):
        deferrals.defer(patient_ids=[patient.pk], until=TODAY, reason="Asked again", by=by, at=NOW)
    ids = list(Deferral.objects.values_list("pk", flat=True))
    return partial(deferrals.end_deferrals, deferral_ids=ids, today=TODAY, by=by, at=NOW)


LISTS = [a_bulk_run_is_frozen, an_import_is_approved, a_sheet_is_begun, deferrals_are_ended]


@pytest.mark.parametrize("prepare", LISTS)
def test_a_list_written_while_others_change_its_patients_waits_for_them_and_blocks_nobody(
    practice, manager, prepare
):
    first = make_patient(practice, family_name="Zacharias")
    second = make_patient(practice, family_name="Abbott")
    write, errors = prepare(first, second, manager), []

    def written():
        try:
            write()
        except OperationalError as error:
            errors.append(error)
        finally:
            connection.close()

    beside = threading.Thread(target=written)
    with transaction.atomic():
        Patient.objects.lock().get(pk=first.pk)
        beside.start()
        wait_for(_somebody_waits_for_us, seconds=10)
        Patient.objects.lock().get(pk=second.pk)
    beside.join(30)
    assert errors == []


def _somebody_waits_for_us():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
        )
        (waiting,) = cursor.fetchone()
    return waiting > 0
