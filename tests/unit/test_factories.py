"""The factories and the fences that all other tests rest on."""

import datetime
import socket

import nhs_number
import pytest
from django.db import DatabaseError, connection

from carerecords.permissions import Role
from consent.codes import ConsentState, Preference, Source
from consent.models import ConsentEvent
from tests.factories import decide, make_item, make_patient, make_practice, make_user


def test_decide_records_and_asks(patient, gp):
    recorded = decide(patient, Preference.EXPRESS_CORE, by=gp)
    patient.refresh_from_db()
    assert patient.consent_state == ConsentState.EXPRESS_CORE
    assert recorded.job is not None
    seen = recorded.event.pk
    dissent = decide(
        patient, Preference.EXPRESS_DISSENT, by=gp, source=Source.LETTER, reference="L-1", seen=seen
    )
    assert dissent.job.kind == "WITHDRAWAL"


def test_rows_do_not_collide(db):
    practice = make_practice()
    patients = [make_patient(practice) for _ in range(30)]
    assert all(nhs_number.is_valid(patient.nhs_number) for patient in patients)
    assert make_user(Role.GP).gmc_number != make_user(Role.GP).gmc_number
    assert make_item(patients[0]).recorded_on < datetime.date.today()


def test_every_role_has_a_persona(
    gp, staff, manager, privacy_officer, policy_admin, national_admin, auditor, api_client, stranger
):
    people = [gp, staff, manager, privacy_officer, policy_admin, national_admin, auditor, api_client]
    assert [person.assignments.get().role for person in people] == list(Role)
    assert stranger.assignments.get().practice != gp.assignments.get().practice


def test_append_only_tables_still_refuse_change(patient):
    decide(patient)
    with pytest.raises(DatabaseError, match="only grows"), connection.cursor() as cursor:
        cursor.execute("UPDATE consent_consentevent SET note = 'x'")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("turn", ["first", "second"])
def test_a_transactional_test_leaves_nothing_not_even_in_append_only_tables(turn):
    assert not ConsentEvent.objects.exists()
    decide(make_patient())
    assert ConsentEvent.objects.count() == 1


@pytest.mark.parametrize("host", ["192.0.2.1", "example.org"])
def test_the_network_is_shut(host):
    with pytest.raises(RuntimeError, match="only this machine"):
        socket.create_connection((host, 80), timeout=1)
