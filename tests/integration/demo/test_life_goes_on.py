"""Records of the demo change after their summaries were sent, and the copies are out of date until they are replaced."""

import datetime

import pytest
from django.utils import timezone

from carerecords.models import Cause, SummaryItem, UploadJob
from config import schedule
from consent.codes import Preference
from demo import later
from reports.staleness import staleness
from tests.factories import decide, make_patient
from tests.integration.spine.conftest import sending  # noqa: F401
from tests.localstore_process import fresh_nhs_number, localstore  # noqa: F401


@pytest.fixture
def patients(practice, gp, sending, monkeypatch):
    """Six whose summaries were sent, as the demo's are."""
    monkeypatch.setattr(later, "ONE_IN", 1)
    made = [make_patient(practice, usual_gp=gp, nhs_number=fresh_nhs_number()) for _ in range(6)]
    for patient in made:
        decide(patient, by=gp)
    UploadJob.objects.update(cause=Cause.DEMO)
    sending.all_due()
    assert set(UploadJob.objects.values_list("state", flat=True)) == {"ACCEPTED"}
    return made


def stale(practice):
    return staleness(practice, timezone.now()).all.stale


def test_copies_are_out_of_date_until_they_are_replaced(practice, patients, sending):
    assert stale(practice) == 0
    assert later.change_records(timezone.now()) == 6
    assert stale(practice) == 6
    kinds = set(SummaryItem.objects.values_list("kind", flat=True))
    assert kinds <= {"ALLERGY", "ADVERSE_REACTION", "REPEAT_MEDICATION"}
    assert set(SummaryItem.objects.values_list("recorded_on", flat=True)) == {timezone.localdate()}
    assert later.change_records(timezone.now()) == 0, "each once"
    sending.all_due(windows_over=False)
    assert stale(practice) == 3, "every other one waits for the evening"
    sending.all_due()
    assert stale(practice) == 0 and len(sending.ledger()) == 12
    assert later.change_records(timezone.now()) == 0


def test_some_at_a_time(practice, patients, monkeypatch):
    monkeypatch.setattr(later, "ONE_IN", 2)
    monkeypatch.setattr(later, "MOST", 2)
    assert [later.change_records(timezone.now()) for _ in range(3)] == [2, 1, 0]


def test_whoever_has_an_upload_to_come_is_left_alone(practice, patients):
    UploadJob.objects.filter(patient=patients[0]).update(
        state="WAITING", due_at=timezone.now(), finished_at=None
    )
    assert later.change_records(timezone.now()) == 5


@pytest.mark.parametrize("hour, day", [(9, 26), (19, 26), (20, 27), (23, 27)])
def test_the_evening_is_the_next(hour, day):
    at = timezone.make_aware(datetime.datetime(2026, 11, 26, hour, 30 if hour != 20 else 0))
    assert timezone.localtime(later._evening(at)) == timezone.make_aware(datetime.datetime(2026, 11, day, 20))


def test_whoever_refused_since_is_left_alone(practice, patients, gp):
    refused = patients[0]
    refused.refresh_from_db()
    decide(refused, Preference.EXPRESS_DISSENT, by=gp, seen=refused.consent_event_id)
    assert later.change_records(timezone.now()) == 5
    assert UploadJob.objects.get(patient=refused, state="WAITING").kind == "WITHDRAWAL"


def test_patients_who_are_not_the_demos_are_left_alone(practice, patients):
    UploadJob.objects.update(cause=Cause.DECISION)
    assert later.change_records(timezone.now()) == 0 and not SummaryItem.objects.exists()


def test_only_the_clock_of_the_demo_rings_for_it():
    assert set(schedule.OF_DEMO) <= set(schedule.entries(demo=True))
    assert not set(schedule.OF_DEMO) & set(schedule.entries(demo=False))
