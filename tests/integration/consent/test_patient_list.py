"""The patient list: whom it shows to whom, in which order and on which pages."""

import re
import uuid
from html import unescape

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from carerecords.models import AccessEvent, Patient, UploadJob
from consent.codes import Preference
from consent.patient_list import SIZE
from tests.factories import decide, make_patient
from tests.integration.consent.looking import LIST, fill, listed, rows_of, text, written

pytestmark = pytest.mark.django_db
TODAY = timezone.localdate


@pytest.mark.parametrize("who", ["gp", "staff", "manager", "privacy_officer", "api_client"])
def test_a_practice_sees_its_own_patients_and_nobody_elses(client, request, practice, who):
    make_patient(practice, family_name="Ours")
    make_patient(family_name="Theirs")
    client.force_login(request.getfixturevalue(who))
    assert listed(client) == ["Ours"]
    look = AccessEvent.objects.get()
    assert (look.kind, look.detail, look.rows) == ("LISTED", "patients", 1)


@pytest.mark.parametrize("who", ["policy_admin", "national_admin", "auditor"])
def test_national_roles_see_no_list(client, request, patient, who):
    client.force_login(request.getfixturevalue(who))
    before = written()
    for answer in (client.get(LIST), client.post(f"{LIST}search/", {"text": patient.family_name})):
        assert answer.status_code == 403 and patient.family_name not in answer.content.decode()
    assert written() == before
    assert set(AccessEvent.objects.values_list("kind", "rows")) == {("REFUSED", None)}


def test_a_stranger_finds_nobody_of_ours_by_any_fact(client, stranger, practice):
    patient = make_patient(practice, family_name="Adeyemi")
    client.force_login(stranger)
    for fact in (patient.family_name, patient.nhs_number, patient.postcode, "12 June 1970"):
        answer = client.post(f"{LIST}search/", {"text": fact}, follow=True)
        assert rows_of(answer) == [] and answer.redirect_chain[-1][0].startswith(f"{LIST}?s=")


def test_those_who_left_or_died_are_found_by_a_search_only(client, practice, gp):
    make_patient(practice, family_name="Here")
    make_patient(practice, family_name="Gone", left_on=TODAY())
    make_patient(practice, family_name="Dead", died_on=TODAY())
    client.force_login(gp)
    assert listed(client) == ["Here"]
    for name, why in (("Gone", "Left the practice on"), ("Dead", "Died on")):
        found = client.post(f"{LIST}search/", {"text": name}, follow=True)
        assert rows_of(found) == [name] and why in text(found) and "Record decision for" not in text(found)


@pytest.mark.parametrize(("who", "open_"), [("gp", True), ("privacy_officer", True), ("staff", False)])
def test_of_a_sensitive_record_only_some_see_the_decision(client, request, practice, gp, who, open_):
    patient = make_patient(practice, is_sensitive=True)
    decide(patient, Preference.EXPRESS_DISSENT, by=gp)
    client.force_login(request.getfixturevalue(who))
    told = text(client.get(LIST, {"decision": "EXPRESS_DISSENT"}))
    row = told[told.index(patient.nhs_number[:3]) :]
    assert ("Consent refused" in row) == open_ and ("Sensitive record" in row) != open_


def walk(client, address, way):
    """Every page along the links "next" or "prev", with the ids of its rows."""
    pages = []
    while address:
        answer = client.get(address)
        pages.append((answer, ids_of(answer)))
        address = link_to(answer, way)
        assert len(pages) < 60, "It goes round in circles."
    return pages


def link_to(answer, way):
    found = re.search(rf'href="([^"]*)"[^>]* rel="{way}"', answer.content.decode())
    return unescape(found[1]) if found else None


def ids_of(answer):
    return re.findall(r'<tbody[^>]* id="patient-([0-9a-f-]{36})"', answer.content.decode())


@pytest.mark.parametrize(
    ("asked", "order"),
    [
        ("", ["family_name", "given_name", "pk"]),
        ("sort=decided", [F("consent_decided_on").desc(nulls_last=True), "family_name", "given_name", "pk"]),
        ("decision=EXPRESS_CORE", ["family_name", "given_name", "pk"]),
    ],
    ids=["by name", "by date of decision", "filtered"],
)
def test_pages_show_every_row_once_in_order_forwards_and_back(client, gp, practice, asked, order):
    fill(practice, 190, half_decided=True)
    wanted = Patient.objects.of(practice).order_by(*order)
    if "decision" in asked:
        wanted = wanted.filter(consent_state="EXPRESS_CORE")
    wanted = [str(public_id) for public_id in wanted.values_list("public_id", flat=True)]
    client.force_login(gp)
    forwards = walk(client, f"{LIST}?{asked}", "next")
    assert [one for _, ids in forwards for one in ids] == wanted and len(wanted) > SIZE
    for number, (answer, _) in enumerate(forwards, 1):
        assert text(answer).lstrip().startswith(f"Patients (page {number} of {len(forwards)})")
    last = f"{LIST}?{asked}&after={forwards[-2][1][-1]}&page={len(forwards)}"
    backwards = walk(client, last, "prev")
    assert [ids for _, ids in backwards] == [ids for _, ids in forwards[::-1]]
    # Page 1 has an address of its own: nobody who was added since is missed there.
    assert link_to(backwards[-2][0], "prev") == f"{LIST}?{asked}".rstrip("?")


def test_a_page_goes_on_where_it_was_when_its_first_row_has_left_or_changed(client, gp, practice):
    fill(practice, 120, half_decided=True)
    client.force_login(gp)
    first = client.get(LIST, {"decision": "EXPRESS_CORE"})
    following = link_to(first, "next")
    expected = ids_of(client.get(following))
    last_row = ids_of(first)[-1]
    Patient.objects.filter(public_id=last_row).update(consent_state="NONE", left_on=TODAY())
    assert ids_of(client.get(following)) == expected != []


def test_a_page_that_is_gone_shows_the_first(client, gp, practice, stranger):
    fill(practice, 60)
    theirs = make_patient(stranger.assignments.get().practice)
    client.force_login(gp)
    first = ids_of(client.get(LIST))
    for place in (uuid.uuid4(), theirs.public_id):
        answer = client.get(LIST, {"after": place, "page": 7})
        assert ids_of(answer) == first and "Patients (page 1 of 2)" in text(answer)


def test_one_page_has_no_numbers(client, gp, patient):
    client.force_login(gp)
    told = text(client.get(LIST))
    assert "page 1" not in told and "1 of 1 patients" in told


def queries_of(client, address):
    client.get(address)  # the first visit also writes the session
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


@pytest.mark.parametrize("asked", ["", "decision=NONE&letter=no", "upload=WAITING", "sort=decided"])
def test_the_list_asks_as_often_for_a_thousand_rows_as_for_ten(client, gp, practice, asked):
    for _ in range(2):
        decide(make_patient(practice, usual_gp=gp), by=gp)
    fill(practice, 8)
    client.force_login(gp)
    few = queries_of(client, f"{LIST}?{asked}")
    fill(practice, 990, half_decided=True)
    for patient in Patient.objects.of(practice).order_by("family_name")[:20]:
        UploadJob.objects.create(
            patient=patient,
            practice=practice,
            kind="UPLOAD",
            cause="DECISION",
            requested_at=timezone.now(),
            due_at=timezone.now(),
        )
    assert queries_of(client, f"{LIST}?{asked}") == few <= 12


def test_a_search_asks_as_often_for_many_as_for_one(client, gp, practice):
    make_patient(practice, family_name="Fam")
    client.force_login(gp)
    address = client.post(f"{LIST}search/", {"text": "fam"})["Location"]
    few = queries_of(client, address)
    fill(practice, 150)
    assert queries_of(client, address) == few <= 12
