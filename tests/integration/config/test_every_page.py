"""The menu and the strip on every page: by role, cheap, and never in the way."""

import pytest
from django.db import OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from boycott.positions import Stance
from carerecords.models import Patient
from config.context_processors import navigation
from spine.policy.actions import stop_uploads
from spine.policy.standing import how_it_stands
from spine.policy.strip import strip_for
from tests.factories import decide, make_patient
from tests.policy_factories import answer, rival_position, start_boycott

pytestmark = pytest.mark.django_db


def strip(client, address="/help/"):
    return client.get(address).content.decode()


@pytest.mark.parametrize(
    ("who", "labels"),
    [
        (
            "gp",
            [
                "Home",
                "Patients",
                "Consent sheet",
                "Imports",
                "Reports",
                "Uploads",
                "Policy",
                "Surveys",
                "Practice stance",
            ],
        ),
        (
            "manager",
            [
                "Home",
                "Patients",
                "Consent sheet",
                "Imports",
                "Reports",
                "Uploads",
                "Policy",
                "Practice stance",
            ],
        ),
        ("privacy_officer", ["Home", "Patients", "Reports", "Uploads", "Policy", "Practice stance"]),
        ("policy_admin", ["Home", "Reports", "Policy", "Surveys"]),
        ("national_admin", ["Home", "Reports", "Upload runs", "Policy"]),
        ("auditor", ["Home", "Reports", "Policy", "Surveys"]),
    ],
)
def test_menu_by_role(client, request, who, labels, monkeypatch):
    monkeypatch.setattr("config.context_processors._exists", lambda path, urlconf: True)
    client.force_login(request.getfixturevalue(who))
    menu = navigation(client.get("/policy/").wsgi_request)["navigation"]
    assert [label for label, _, _ in menu] == labels
    assert [label for label, _, active in menu if active] == ["Policy"]


@pytest.mark.parametrize(("address", "label"), [("/patients/", "Patients"), ("/consent/bulk/", "Patients")])
def test_where_we_are(client, manager, address, label):
    client.force_login(manager)
    menu = navigation(client.get(address).wsgi_request)["navigation"]
    assert [one for one, _, active in menu if active] == [label]


def test_pages_that_do_not_exist_are_not_in_the_menu(client, gp, monkeypatch):
    monkeypatch.setattr("config.context_processors._exists", lambda path, urlconf: path != "/uploads/")
    client.force_login(gp)
    assert "Uploads" not in [label for label, _, _ in navigation(client.get("/").wsgi_request)["navigation"]]


def test_nobody_is_shown_neither(client):
    page = strip(client)
    assert "Upload policy" not in page and 'aria-label="Menu"' not in page


def test_the_count_is_of_living_registered_patients_with_consent(client, practice, gp):
    start_boycott()
    for _ in range(3):
        decide(make_patient(practice))
    make_patient(practice)
    gone = decide(make_patient(practice)).event.patient
    Patient.objects.filter(pk=gone.pk).update(died_on="2026-01-01")
    client.force_login(gp)
    assert "uploads are stopped for 3 patients." in strip(client)


def test_every_page_says_the_same(client, practice, gp):
    start_boycott()
    answer(practice)
    client.force_login(gp)
    for address in ("/", "/policy/", "/uploads/", "/practice/stance/", "/privacy/", "/nowhere/"):
        assert "Your practice does not follow it: uploads continue" in strip(client, address), address


@pytest.mark.parametrize("who", ["policy_admin", "national_admin", "auditor"])
def test_national_roles_see_no_count(client, request, who):
    decide(make_patient())
    start_boycott()
    client.force_login(request.getfixturevalue(who))
    page = strip(client)
    assert "Uploads are stopped in the practices that follow it." in page and "patients." not in page


def test_a_stop_is_told_before_a_conflict(client, gp, national_admin):
    start_boycott()
    rival_position()
    client.force_login(gp)
    assert "BMA policy is conflicting" in strip(client)
    stop_uploads(reason="Wrong codes", by=national_admin, at=timezone.now())
    assert f"by {national_admin.short_name}. Reason: Wrong codes." in strip(client)


@pytest.mark.parametrize("stance", [None, *Stance])
@pytest.mark.parametrize("boycott", [True, False])
def test_one_query_until_a_fact_changes_and_five_then(practice, boycott, stance):
    if boycott:
        start_boycott()
    if stance:
        answer(practice, stance)
    for one in (practice, None):
        for most in (5, 2):
            with CaptureQueriesContext(connection) as queries:
                here = how_it_stands(one, timezone.now(), "/policy/")
                strip_for(here)
            # One more where it counts the patients who wait.
            assert len(queries) <= most - (here.patients is None)


def test_what_another_process_changes_shows_on_the_next_page(practice):
    """The clock alone says so: nothing of this process is told."""

    def standing():
        return {revision.id for revision in how_it_stands(practice, timezone.now(), "/policy/").in_force}

    assert standing() == set()
    revision = rival_position()
    assert standing() == {revision.pk}
    assert how_it_stands(practice, timezone.now(), "/policy/").stance is Stance.FOLLOW
    answer(practice, Stance.HOLD)
    assert how_it_stands(practice, timezone.now(), "/policy/").stance is Stance.HOLD


def test_what_is_rolled_back_is_not_kept(practice):
    def standing():
        return how_it_stands(practice, timezone.now(), "/policy/").in_force

    with transaction.atomic():
        rival_position()
        assert standing()
        transaction.set_rollback(True)
    assert not standing()
    rival_position()
    assert standing()


def test_a_database_that_is_away_breaks_no_page(client, gp, monkeypatch):
    def away(*args):
        raise OperationalError("away")

    monkeypatch.setattr("config.context_processors.how_it_stands", away)
    client.force_login(gp)
    response = client.get("/help/")
    assert response.status_code == 200
    assert "Upload policy" not in response.content.decode()
