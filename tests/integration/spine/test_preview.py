"""The upload preview: the very bytes that go, what is held back and why, who may read what."""

import datetime
import hashlib
import json
import urllib.request

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from carerecords.models import AccessEvent, Patient, UploadJob
from consent.actions import undo_decision
from consent.codes import Preference
from spine.models import Receipt
from spine.uploads.preview import Standing, preview
from tests.factories import decide, make_item, make_patient
from tests.integration.consent.looking import addresses, text
from tests.localstore_process import fresh_nhs_number
from tests.policy_factories import start_boycott

pytestmark = pytest.mark.usefixtures("one_clock")
DAY = datetime.timedelta(days=1)
NOON = datetime.datetime(2026, 11, 10, 12, tzinfo=datetime.UTC)
SEEN_BY_CLINICIANS = ("Allergy to penicillin", "Ramipril 5mg capsules", "Asthma", "Sensitive matter")


def address(patient):
    return f"/patients/{patient.public_id}/upload/"


@pytest.fixture
def full(patient):
    """A patient with something of each sort: sent, sensitive, additional, too old."""
    today = timezone.localdate()
    make_item(patient)
    make_item(
        patient, kind="REPEAT_MEDICATION", code="1", term="Ramipril 5mg capsules", detail="One a day <am>"
    )
    make_item(patient, kind="ACUTE_MEDICATION", code="2", term="Old course", recorded_on=today - 400 * DAY)
    make_item(patient, kind="PROBLEM", code="3", term="Asthma")
    make_item(patient, kind="PROBLEM", code="4", term="Sensitive matter", is_sensitive=True)
    return patient


# --- What is shown is what goes ------------------------------------------------------------------


@pytest.mark.parametrize("preference", [Preference.EXPRESS_CORE, Preference.EXPRESS_ADDITIONAL])
def test_the_preview_is_the_message_to_the_byte(sending, practice, gp, preference):
    with time_machine.travel(NOON, tick=False):
        patient = make_patient(practice, usual_gp=gp, nhs_number=fresh_nhs_number())
        make_item(patient)
        make_item(patient, kind="PROBLEM", code="3", term="Asthma")
        make_item(patient, kind="PROBLEM", code="4", term="Sensitive matter", is_sensitive=True)
        decide(patient, preference, by=gp)
    with time_machine.travel(NOON + DAY, tick=False):
        shown = preview(patient, timezone.now())
        assert shown.standing is Standing.GOES
        sending.all_due(windows_over=False)
        receipt = Receipt.objects.get(job__patient=patient)
        assert receipt.kind == "ACCEPTED"
        assert receipt.body_sha256 == hashlib.sha256(shown.body).hexdigest()
        [line] = sending.ledger(nhs_number=patient.nhs_number)
        assert line["body_sha256"] == receipt.body_sha256
        assert sections_at_the_store(sending, patient, receipt) == sections(shown.body)
        # And then there is nothing new to send; a new entry is, and takes the first one's place.
        assert preview(patient, timezone.now()).standing is Standing.UNCHANGED
        make_item(patient, term="Allergy to latex", code="5")
        again = preview(patient, timezone.now())
        assert again.standing is Standing.GOES
        assert again.message.replaces.lower() == str(receipt.composition_id)


def sections(body):
    return json.loads(body)["entry"][0]["resource"]["section"]


def sections_at_the_store(sending, patient, receipt):
    """What another clinician would fetch."""
    query = (
        f"composition.identifier={str(receipt.composition_id).upper()}"
        f"&composition.subject:Patient.identifier=https://fhir.nhs.uk/Id/nhs-number%7C{patient.nhs_number}"
    )
    request = urllib.request.Request(
        f"{sending.localstore.fhir_url}/Bundle?{query}", headers={"Authorization": "Bearer test"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        found = json.loads(answer.read())
    inner = found["entry"][0]["resource"]
    return inner["entry"][0]["resource"]["section"] if inner["resourceType"] == "Bundle" else inner["section"]


def test_a_removal_shows_the_blank_message_that_goes(sending, practice, gp):
    with time_machine.travel(NOON, tick=False):
        patient = make_patient(practice, usual_gp=gp, nhs_number=fresh_nhs_number())
        make_item(patient)
        event = decide(patient, by=gp).event
    with time_machine.travel(NOON + DAY, tick=False):
        sending.all_due(windows_over=False)
        undo_decision(event=event, by=gp, at=timezone.now())
        patient.refresh_from_db()
        shown = preview(patient, timezone.now())
        assert shown.standing is Standing.REMOVAL and shown.message.entries == 0
        assert "withdrawn" in " ".join(shown.message.sections[0].sentences)
        sending.all_due(windows_over=False)
        last = Receipt.objects.filter(job__patient=patient).latest("pk")
        assert last.body_sha256 == hashlib.sha256(shown.body).hexdigest()


# --- What is held back ---------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("preference", [Preference.EXPRESS_CORE, Preference.EXPRESS_ADDITIONAL])
def test_every_entry_is_sent_or_held_back_for_a_reason(full, gp, preference):
    decide(full, preference, by=gp)
    full.refresh_from_db()
    shown = preview(full, timezone.now())
    held = {entry.term for group in shown.held_back for entry in group.entries}
    sent = {cell for part in shown.message.sections for row in part.rows for cell in row}
    core_only = preference is Preference.EXPRESS_CORE
    assert held == {"Sensitive matter", "Old course"} | ({"Asthma"} if core_only else set())
    assert {"Allergy to penicillin", "Ramipril 5mg capsules", "One a day <am>"} <= sent
    assert ("Asthma" in sent) is not core_only and not sent & held
    assert "One or more entries have been deliberately withheld" in " ".join(
        shown.message.sections[0].sentences
    )


@pytest.mark.django_db
def test_each_standing(practice, gp, policy_admin):
    def shown(**fields):
        patient = make_patient(practice, **{"usual_gp": gp} | fields)
        make_item(patient)
        return patient, lambda: preview(Patient.objects.get(pk=patient.pk), timezone.now()).standing

    silent, of_silent = shown()
    assert of_silent() is Standing.NO_CONSENT
    decide(silent, Preference.EXPRESS_DISSENT, by=gp)
    UploadJob.objects.filter(patient=silent).delete()
    assert of_silent() is Standing.NO_CONSENT
    _, of_dead = shown(died_on=datetime.date(2026, 1, 4))
    assert of_dead() is Standing.OVER
    _, of_left = shown(left_on=datetime.date(2026, 1, 4))
    assert of_left() is Standing.OVER
    _, of_orphan = shown(usual_gp=None)
    assert of_orphan() is Standing.UNSIGNED
    asked, of_asked = shown()
    decide(asked, by=gp)
    assert of_asked() is Standing.GOES
    start_boycott(policy_admin, timezone.now())
    assert of_asked() is Standing.HELD


# --- The page ------------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("persona", ["gp", "privacy_officer", "staff", "manager", "api_client"])
def test_only_clinical_roles_read_entries(client, request, full, gp, persona):
    decide(full, Preference.EXPRESS_ADDITIONAL, by=gp)
    user = request.getfixturevalue(persona)
    client.force_login(user)
    page = client.get(address(full))
    said, clinical = text(page), persona in {"gp", "privacy_officer"}
    assert all((words in said) is clinical for words in SEEN_BY_CLINICIANS)
    assert ("What they say can be read by: GP, Privacy officer." in said) is not clinical
    assert "This is what will be sent" in said and "1 entry" in said
    look = AccessEvent.objects.get(kind="PREVIEWED")
    assert (look.patient, look.user) == (full, user)
    assert look.detail == ("upload preview" if clinical else "upload preview, counts only")
    assert not [one for one in addresses(page) if "upload" in one and one not in {"/uploads/"}]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("persona", "status"), [("stranger", 404), ("auditor", 403), ("national_admin", 403)]
)
def test_nobody_else_learns_anything(client, request, full, persona, status):
    client.force_login(request.getfixturevalue(persona))
    page = client.get(address(full))
    assert page.status_code == status and full.family_name not in text(page)
    assert not AccessEvent.objects.filter(kind="PREVIEWED").exists()


@pytest.mark.django_db
def test_a_sensitive_record_asks_for_a_reason_first(client, gp, staff, full):
    Patient.objects.filter(pk=full.pk).update(is_sensitive=True)
    client.force_login(gp)
    assert client.get(address(full)).url.endswith("/reason/")
    client.force_login(staff)
    assert client.get(address(full)).status_code == 403
    assert not AccessEvent.objects.filter(kind="PREVIEWED").exists()


@pytest.mark.django_db
def test_the_page_says_every_reason_as_the_api_does(client, gp, full, policy_admin):
    decide(full, by=gp)
    start_boycott(policy_admin, timezone.now())
    Patient.objects.filter(pk=full.pk).update(identity="MISMATCH")
    client.force_login(gp)
    said = text(client.get(address(full)))
    told = client.get(f"/api/v1/patients/{full.public_id}/explain/").json()["reasons"]
    assert {"policy.bma", "identity.unverified"} <= {one["code"] for one in told}
    for one in told:
        assert f"{one['sentence']} " in said and one["who_acts"] in said


@pytest.mark.django_db
def test_the_cost_does_not_grow_with_the_record(client, gp, full):
    decide(full, by=gp)
    client.force_login(gp)
    client.get(address(full))

    def cost():
        with CaptureQueriesContext(connection) as found:
            assert client.get(address(full)).status_code == 200
        return len(found)

    before = cost()
    for number in range(40):
        make_item(full, kind="PROBLEM", code=str(number), term=f"Problem {number}")
    assert cost() == before <= 32
