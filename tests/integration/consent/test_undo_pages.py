"""Undoing by the pages: who may, for how long, what is told."""

import datetime

import pytest
from django.utils import timezone

from carerecords.models import AccessEvent
from consent.models import ConsentEvent
from tests.factories import decide, make_patient
from tests.integration.consent.looking import addresses, both_ways, page_of, text, undo_of, written

pytestmark = pytest.mark.django_db


@both_ways
@pytest.mark.parametrize(
    ("who", "may"),
    [
        ("gp", True),
        ("manager", True),
        ("privacy_officer", True),
        ("staff", False),
        ("policy_admin", False),
        ("national_admin", False),
        ("auditor", False),
    ],
)
def test_somebody_elses_decision_is_undone_by_some_roles_only(visit, patient, who, may, more):
    event = decide(patient).event
    client, before = visit(who), written()
    answer = client.post(undo_of(event), **more)
    assert (undo_of(event) in addresses(client.get(page_of(patient)))) is False
    if may:
        assert answer.status_code == (200 if more else 302)
        assert ConsentEvent.objects.get(reverses=event).recorded_by == answer.wsgi_request.user
        assert AccessEvent.objects.get(kind="UNDO").detail == "EXPRESS_CORE back to NONE"
    else:
        assert answer.status_code == 403 and written() == before


@pytest.mark.parametrize(("minutes", "undone"), [(14, True), (16, False)])
def test_staff_undo_their_own_while_the_upload_waits(visit, patient, staff, settings, minutes, undone):
    settings.UNDO_WINDOW_SECONDS = 900
    at = timezone.now() - datetime.timedelta(minutes=minutes)
    event = decide(patient, by=staff, at=at, reference="L 2").event
    client = visit("staff")
    assert (undo_of(event) in addresses(client.get(page_of(patient)))) == undone
    told = client.post(undo_of(event), follow=True)
    assert ConsentEvent.objects.filter(reverses=event).exists() == undone
    late = (
        "The time to undo this decision yourself has passed. This can still be done by: GP, Practice manager"
    )
    assert (late in text(told)) != undone


@both_ways
def test_undoing_twice_tells_who_was_first(visit, patient, gp, manager, more):
    event = decide(patient, by=gp).event
    visit("gp").post(undo_of(event))
    before = written()
    told = visit("manager").post(undo_of(event), follow=not more, **more)
    assert f"This decision was already undone by {gp.short_name} on" in text(told)
    reversal = ConsentEvent.objects.get(reverses=event)
    assert "cannot be undone" in text(visit("gp").post(undo_of(reversal), follow=True))
    assert written() == before


def test_undo_is_sent_and_never_a_link(visit, patient, gp):
    event = decide(patient, by=gp).event
    assert visit("gp").get(undo_of(event)).status_code == 405
    assert ConsentEvent.objects.count() == 1


def test_an_event_of_another_patient_is_not_found(visit, patient, practice, gp):
    event = decide(make_patient(practice), by=gp).event
    address = f"{page_of(patient)}consent/{event.public_id}/undo/"
    before = written()
    assert visit("gp").post(address).status_code == 404 and written() == before


def test_both_lines_stay_in_the_history(visit, patient, gp):
    event = decide(patient, by=gp).event
    client = visit("gp")
    client.post(undo_of(event))
    page = client.get(page_of(patient))
    assert f"<s>{event.get_preference_display()}</s>" in page.content.decode()
    assert "Decision undone" in text(page) and "No decision recorded" in text(page)
    assert undo_of(event) not in addresses(page)
