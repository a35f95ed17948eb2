"""The page that says why a record was allowed or held on a day, as it was known then or later."""

import datetime

import pytest
import time_machine
from django.utils import timezone

from carerecords.models import AccessEvent
from consent.codes import Preference
from tests.factories import decide, make_patient
from tests.integration.consent.looking import text
from tests.policy_factories import start_boycott

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("one_clock")]
LONDON = timezone.get_default_timezone()


def noon(day):
    return datetime.datetime.fromisoformat(f"{day}T12:00").replace(tzinfo=LONDON)


def ask(client, patient, on="", known_on=""):
    parts = {}
    for name, day in (("on", on), ("known_on", known_on)):
        year, month, number = day.split("-") if day else ("", "", "")
        parts |= {f"{name}_day": number, f"{name}_month": month, f"{name}_year": year}
    return client.get(f"/patients/{patient.public_id}/why/", parts)


@pytest.fixture
def history(practice, gp, policy_admin):
    """Consent on 2 March; boycott on 1 April; told in July, a refusal of 10 March."""
    with time_machine.travel(noon("2026-02-02"), tick=False):
        patient = make_patient(practice, usual_gp=gp)
    with time_machine.travel(noon("2026-03-02"), tick=False):
        decide(patient, by=gp, at=timezone.now())
    with time_machine.travel(noon("2026-04-01"), tick=False):
        start_boycott(policy_admin, timezone.now())
    with time_machine.travel(noon("2026-07-01"), tick=False):
        refused = datetime.date(2026, 3, 10)
        decide(patient, Preference.EXPRESS_DISSENT, by=gp, at=timezone.now(), decided_on=refused)
    return patient


@pytest.mark.parametrize(
    ("on", "known_on", "says"),
    [
        ("2026-03-01", "", "The upload would have been held"),
        ("2026-03-20", "", "The record could have been uploaded"),
        ("2026-03-20", "2026-06-30", "The record could have been uploaded"),
        ("2026-03-20", "2026-07-01", "The patient refused on 10 March 2026"),
        ("2026-04-02", "", "BMA"),
    ],
)
def test_each_day_with_its_reasons(client, gp, history, on, known_on, says):
    client.force_login(gp)
    said = text(ask(client, history, on, known_on))
    assert says in said, said
    assert ("from what was recorded by then" in said) is not known_on
    assert "None: nothing had been sent from here" in said


def test_asking_is_in_the_access_log_and_the_empty_form_is_not(client, gp, history):
    client.force_login(gp)
    client.get(f"/patients/{history.public_id}/why/")
    assert not AccessEvent.objects.filter(detail="why on a day").exists()
    ask(client, history, "2026-03-20")
    assert AccessEvent.objects.filter(patient=history, detail="why on a day").count() == 1


@pytest.mark.parametrize(
    ("on", "known_on", "error"),
    [
        ("", "2026-07-01", "Enter the day you ask about"),
        ("2199-01-01", "", "Day you ask about must be today or in the past"),
        ("1801-01-01", "", "Day you ask about must be the same as or after"),
        ("2026-02-30", "", "Day you ask about must be a real date"),
        ("2026-03-20", "2026-13-01", "Day until which records count must be a real date"),
    ],
)
def test_a_wrong_day_is_named_and_kept(client, gp, history, on, known_on, error):
    client.force_login(gp)
    page = ask(client, history, on, known_on)
    assert error in text(page)
    assert "would have been" not in text(page) and "could have been" not in text(page)
    for day in filter(None, (on, known_on)):
        assert f'value="{day[:4]}"' in page.content.decode()
