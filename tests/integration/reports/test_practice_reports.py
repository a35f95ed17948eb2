"""A practice in figures: each is the length of the list behind it, on the page and in the file."""

import datetime

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from carerecords.models import AccessEvent
from consent.codes import Preference
from consent.letters import letter_returned, letters_sent
from consent.models import NoticeLetter
from reports.practice_figures import figures_of
from spine.models import StoreCopy
from tests.factories import decide, make_patient, make_practice
from tests.integration.consent.looking import text

pytestmark = pytest.mark.django_db
WEEK = datetime.timedelta(weeks=1)


@pytest.fixture
def people(practice, gp, manager):
    """Five patients: two consent, one refused, two were written to and said nothing; one letter came back."""
    today = timezone.localdate()
    made = [make_patient(practice, usual_gp=gp) for _ in range(5)]
    for patient in made[:2]:
        decide(patient, by=gp)
    decide(made[2], Preference.EXPRESS_DISSENT, by=gp)
    sent = {"reference": "", "by": manager, "at": timezone.now()}
    letters_sent(patient_ids=[made[3].pk, made[4].pk], sent_on=today - 13 * WEEK, **sent)
    letter_returned(letter=NoticeLetter.objects.get(patient=made[4]), by=manager, at=timezone.now())
    StoreCopy.objects.create(patient=made[0], accepted_at=timezone.now(), composition_id="A", scope="CORE")
    StoreCopy.objects.create(patient=made[2], accepted_at=timezone.now(), composition_id="B", is_blank=True)
    make_patient(make_practice())
    return made


def numbers(figures):
    return {one.label: one.number for one in figures}


def test_figures(people, practice):
    found = figures_of(practice, timezone.localdate())
    assert (found.patients, found.decided) == (5, 3)
    assert numbers(found.decisions) == {"No decision": 2, "Consent given": 2, "Consent refused": 1}
    assert [one.number for one in found.copies] == [1, 1]
    assert [one.number for one in found.letters] == [1, 1, 1]
    assert len(found.months) == 12 and sum(number for _, number in found.months) == 0


def test_each_figure_is_the_length_of_the_list_it_leads_to(client, gp, people, practice):
    client.force_login(gp)
    for one in figures_of(practice, timezone.localdate()).decisions:
        assert f"{one.number} of 5 patients" in text(client.get(one.url)), one


def test_a_year_has_twelve_months_whatever_the_day(practice):
    for day in ("2026-01-31", "2026-12-31", "2024-02-29"):
        with time_machine.travel(f"{day}T12:00:00Z", tick=False):
            today = timezone.localdate()
            months = [month for month, _ in figures_of(practice, today).months]
            assert months[-1] == today.replace(day=1) and len(set(months)) == 12


def test_the_page_and_the_file_say_the_same(client, manager, people):
    client.force_login(manager)
    page = text(client.get("/reports/"))
    assert "3 of 5 patients of" in page and "No blocked uploads." in page
    answer = client.get("/reports/practice.csv")
    lines = b"".join(answer.streaming_content).decode().splitlines()
    assert "Consent,Registered patients,5" in lines and "Letters,No reply after 12 weeks,1" in lines
    assert AccessEvent.objects.filter(kind=AccessEvent.Kind.EXPORTED, user=manager).count() == 1
    assert not any(patient.family_name in "".join(lines) for patient in people)


def test_those_without_a_practice_find_the_nations_reports(client, policy_admin):
    client.force_login(policy_admin)
    page = text(client.get("/reports/"))
    assert "What the answers of GPs mean for coverage" in page and "Uploads blocked" not in page
    assert client.get("/reports/practice.csv").status_code == 404


def test_the_cost_does_not_grow_with_the_list(practice, gp, people):
    def cost():
        with CaptureQueriesContext(connection) as found:
            figures_of(practice, timezone.localdate())
        return len(found)

    few = cost()
    for _ in range(10):
        decide(make_patient(practice, usual_gp=gp), by=gp)
    assert cost() == few
