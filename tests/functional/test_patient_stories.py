"""The patient's page and what leads off it, in a browser: acceptance tests 8, 9, 10, 12 and 23."""

import datetime
import logging

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from carerecords.models import AccessEvent, Patient, UploadJob
from carerecords.permissions import Role
from consent.codes import Preference, Source
from consent.letters import letters_sent
from consent.models import ConsentEvent, NoticeLetter
from tests.browser import guard_over, look, shot
from tests.factories import decide, make_item, make_patient, make_user
from tests.policy_factories import start_boycott

pytestmark = pytest.mark.django_db(transaction=True)
BEFORE = timezone.now() - datetime.timedelta(days=3)


@pytest.fixture
def grace(practice, gp):
    patient = make_patient(practice, family_name="Adeyemi", usual_gp=gp, nhs_number="9991234578")
    make_item(patient)
    make_item(patient, kind="REPEAT_MEDICATION", code="1", term="Ramipril 5mg capsules", detail="One a day")
    make_item(patient, kind="PROBLEM", code="3", term="Asthma")
    make_item(patient, kind="PROBLEM", code="4", term="Sensitive matter", is_sensitive=True)
    return patient


def address(live_server, patient, end=""):
    return f"{live_server.url}/patients/{patient.public_id}/{end}"


def test_8_a_receptionist_tries_to_record_additional_information(screen, live_server, staff, grace):
    """By an answer that the form does not offer: told who can, nothing saved, the attempt logged."""
    screen.as_(staff)
    screen.goto(address(live_server, grace))
    expect(screen.get_by_label("Consents: core and additional")).to_have_count(0)
    today = timezone.localdate()
    cookie = {one["name"]: one["value"] for one in screen.context.cookies()}
    token = screen.locator("input[name=csrfmiddlewaretoken]").first.input_value()
    answer = screen.request.post(
        address(live_server, grace, "consent/new/"),
        form={
            "csrfmiddlewaretoken": token,
            "preference": "EXPRESS_ADDITIONAL",
            "source": "IN_PERSON",
            "decided_on_day": str(today.day),
            "decided_on_month": str(today.month),
            "decided_on_year": str(today.year),
            "reference": "L 1",
        },
        headers={"Referer": address(live_server, grace)},
    )
    assert cookie and answer.status == 403
    assert "This can be done by: GP." in answer.text()
    assert not ConsentEvent.objects.exists() and not UploadJob.objects.exists()
    assert AccessEvent.objects.get(kind="REFUSED").detail == "record_consent_additional"


def test_9_a_number_is_found_however_it_is_typed(screen, live_server, gp, grace, caplog):
    """From the home page, and shown one way; it is in no address and in no line of the log."""
    screen.as_(gp)
    caplog.set_level(logging.DEBUG)
    asked = []
    screen.on("request", lambda request: asked.append(request.url))
    ways = ["999-123-4578", "999 123 4578", "9991234578"]
    for typed in ways:
        screen.goto(live_server.url)
        screen.get_by_label("Find a patient").fill(typed)
        screen.get_by_role("button", name="Search").click()
        expect(screen.get_by_role("heading", name="Consent and uploads")).to_be_visible()
        expect(screen.locator(".care-banner")).to_contain_text("999 123 4578")
    # The log of the test keeps SQL; the server's own lines are all others.
    lines = [one.getMessage() for one in caplog.records if not one.name.startswith("django.db")]
    assert asked and lines
    assert not [one for one in asked + lines if any(typed in one for typed in ways)]


def test_10_a_wrong_check_digit_is_told_and_kept(screen, live_server, gp, grace):
    screen.as_(gp)
    screen.goto(f"{live_server.url}/patients/")
    screen.get_by_label("Find a patient").fill("999 123 4579")
    screen.get_by_role("button", name="Search").click()
    expect(screen).to_have_title("Error: Patients - Care record upload consent")
    words = "Check the NHS number – it is not one that can exist"
    expect(screen.get_by_role("alert")).to_contain_text(words)
    expect(screen.get_by_label("Find a patient")).to_have_value("999 123 4579")
    look(screen, "story-10-search-error")


def test_12_a_patient_who_died(screen, live_server, gp, practice, grace):
    dead = make_patient(practice, family_name="Ingram", usual_gp=gp, died_on=datetime.date(2026, 1, 4))
    screen.as_(gp)

    def banner_of(patient):
        screen.goto(address(live_server, patient))
        style = "el => { const s = getComputedStyle(el); return [s.backgroundImage, s.borderTopStyle]; }"
        on_screen = screen.locator(".care-banner").evaluate(style)
        screen.emulate_media(media="print")
        on_paper = screen.locator(".care-banner").evaluate(style)
        screen.emulate_media(media="screen")
        return on_screen, on_paper

    living, died = banner_of(grace), banner_of(dead)
    # A pattern on the screen, another border on paper: neither needs a colour.
    assert "gradient" in died[0][0] and living[0][0] == "none"
    assert died[1][1] == "double" and living[1][1] == "solid"
    expect(screen.locator(".care-banner")).to_contain_text("Age at Death")
    expect(screen.get_by_role("button", name="Save decision")).to_have_count(0)
    expect(screen.get_by_text("Died on 4 January 2026. No decision can be recorded")).to_be_visible()
    look(screen, "story-12-died")
    screen.goto(f"{live_server.url}/patients/{dead.public_id}/upload/")
    expect(screen.get_by_role("heading", name="Nothing will be sent")).to_be_visible()


def test_23_why_is_my_record_not_uploaded(screen, live_server, gp, grace, policy_admin):
    decide(grace, by=gp, at=BEFORE)
    start_boycott(policy_admin, timezone.now())
    Patient.objects.filter(pk=grace.pk).update(identity="MISMATCH")
    screen.as_(gp)
    screen.goto(address(live_server, grace))
    card = screen.locator(".care-section", has=screen.get_by_role("heading", name="Upload", exact=True))
    told = screen.request.get(f"{live_server.url}/api/v1/patients/{grace.public_id}/explain/").json()
    assert len(told["reasons"]) >= 2
    for one in told["reasons"]:
        expect(card).to_contain_text(one["sentence"])
        expect(card).to_contain_text(f"Who can act: {one['who_acts']}")
    look(screen, "story-23-reasons")
    screen.get_by_role("link", name="See what an upload would contain").click()
    expect(screen.get_by_role("heading", name="Nothing is sent now")).to_be_visible()
    for one in told["reasons"]:
        expect(screen.locator("main")).to_contain_text(one["sentence"])
    look(screen, "story-23-preview")
    screen.get_by_role("link", name="Back to consent and uploads").click()
    screen.get_by_role("link", name="Letter to the patient").click()
    letter = screen.get_by_role("article", name="The letter")
    expect(letter).to_contain_text("It has asked surgeries not to send records for now.")
    expect(letter).to_contain_text("Please ask us about this.")
    look(screen, "story-23-letter")
    screen.emulate_media(media="print")
    expect(screen.get_by_role("heading", name="Letter to the patient")).to_be_hidden()
    expect(screen.locator(".care-strip")).to_be_hidden()
    shot(screen, "story-23-letter-print")
    screen.emulate_media(media="screen")
    with screen.expect_download() as file:
        screen.get_by_role("button", name="Download the letter (PDF)").click()
    assert file.value.suggested_filename == "letter.pdf"


def test_mark_an_old_decision_as_invalid(screen, live_server, gp, grace):
    event = decide(grace, by=gp, at=BEFORE).event
    screen.as_(gp)
    screen.goto(address(live_server, grace))
    screen.get_by_role("link", name="Mark as invalid").click()
    screen.get_by_role("button", name="Continue").click()
    expect(screen.get_by_role("alert")).to_contain_text("Enter why this decision is not right")
    look(screen, "invalid-error")
    screen.get_by_label("Why is this decision not right?").fill("It was for the sister, <b>Ann</b>")
    guard_over(screen)
    screen.get_by_role("button", name="Continue").click()
    expect(screen.get_by_role("heading", name="Check and confirm")).to_be_visible()
    look(screen, "invalid-check")
    screen.get_by_role("button", name="Mark as invalid").click()
    expect(screen.get_by_role("alert")).to_contain_text("marked as recorded in error for ADEYEMI, Grace")
    expect(screen.locator("s", has_text=event.get_preference_display())).to_be_visible()
    expect(screen.get_by_text("It was for the sister, <b>Ann</b>")).to_be_visible()
    look(screen, "invalid-done")
    screen.goto(address(live_server, grace, "history/"))
    expect(screen.get_by_text("Marked as recorded in error", exact=True)).to_be_visible()
    look(screen, "history")


def test_settle_a_conflict(screen, live_server, gp, staff, grace):
    decide(grace, by=gp, reference="L 7")
    decide(grace, Preference.EXPRESS_DISSENT, by=staff, source=Source.PHONE)
    screen.as_(gp)
    screen.goto(address(live_server, grace))
    expect(screen.get_by_role("heading", name="Decisions that disagree")).to_be_visible()
    look(screen, "conflict")
    screen.get_by_role("button", name="Confirm this decision").nth(1).click()
    expect(screen.get_by_role("alert")).to_contain_text("Consent refused recorded for ADEYEMI, Grace.")
    expect(screen.get_by_role("heading", name="Decisions that disagree")).to_have_count(0)
    assert Patient.objects.get(pk=grace.pk).consent_state == "EXPRESS_DISSENT"
    screen.get_by_role("alert").get_by_role("button", name="Undo").click()
    expect(screen.get_by_role("heading", name="Decisions that disagree")).to_be_visible()


def answer(page, preference, source, note=""):
    """Fills the decision form in and sends it."""
    today = timezone.localdate()
    page.get_by_label(preference, exact=True).check()
    page.get_by_label(source, exact=True).check()
    for box, number in (("Day", today.day), ("Month", today.month), ("Year", today.year)):
        page.get_by_label(box).fill(str(number))
    page.get_by_label("Note (optional)").fill(note)
    page.get_by_role("button", name="Save decision").click()


def test_a_stale_tab_and_two_gps_at_once(screen, live_server, gp, practice, grace):
    """Both answers are shown, and none is lost."""
    screen.as_(gp)
    screen.expected_statuses = {409}
    screen.goto(address(live_server, grace))
    other_tab = screen.context.new_page()
    other_tab.goto(address(live_server, grace))
    answer(other_tab, "Refuses", "By phone")
    expect(other_tab.get_by_role("alert")).to_contain_text("Consent refused recorded")
    answer(screen, "Consents: core only", "In person", "Came with her daughter")
    heading = screen.get_by_role("heading", name="This record changed while you were working")
    expect(heading).to_be_visible()
    for words in ("Express dissent (opt out)", "By phone", "Consents: core only", "Came with her daughter"):
        expect(screen.locator("main")).to_contain_text(words)
    look(screen, "changed-meanwhile")
    screen.get_by_role("button", name="Keep theirs").click()
    expect(screen.locator(".care-section").first).to_contain_text("Consent refused")
    assert ConsentEvent.objects.count() == 1

    # The next time another GP is first, and this one's answer is the right one.
    second = make_user(Role.GP, practice, family_name="Khan")
    decide(Patient.objects.get(pk=grace.pk), Preference.EXPRESS_DISSENT, by=second)
    answer(screen, "Consents: core only", "In person", "Came with her daughter")
    expect(screen.get_by_text("Dr A Khan recorded Consent refused at")).to_be_visible()
    screen.get_by_role("button", name="Use mine").click()
    screen.get_by_role("button", name="Continue anyway").click()
    expect(screen.get_by_role("alert")).to_contain_text("Consent given recorded for ADEYEMI, Grace.")
    history = screen.locator("#history ~ .care-timeline")
    expect(history.locator("li")).to_have_count(3)
    expect(history.get_by_text("Came with her daughter")).to_be_visible()


def test_a_letter_comes_back(screen, live_server, staff, grace):
    day = timezone.localdate() - datetime.timedelta(days=20)
    letters_sent(patient_ids=[grace.pk], sent_on=day, reference="Autumn", by=staff, at=timezone.now())
    screen.as_(staff)
    screen.goto(address(live_server, grace))
    screen.get_by_role("button", name="Came back undelivered").click()
    expect(screen.get_by_text("Letter came back undelivered", exact=True)).to_be_visible()
    look(screen, "letter-back")
    assert NoticeLetter.objects.filter(kind="RETURNED").count() == 1


def test_who_has_looked(screen, live_server, privacy_officer, grace, gp):
    AccessEvent.objects.bulk_create(
        AccessEvent(at=BEFORE, user=gp, role="GP", practice=grace.practice, patient=grace, kind="VIEWED")
        for _ in range(60)
    )
    screen.as_(privacy_officer)
    screen.goto(address(live_server, grace))
    screen.get_by_role("link", name="Show everybody who has looked").click()
    expect(screen.get_by_role("heading", name="Who has looked at this record")).to_be_visible()
    expect(screen.locator("tbody tr")).to_have_count(50)
    look(screen, "access")
    screen.get_by_role("link", name="Older").click()
    expect(screen.locator("tbody tr")).to_have_count(12)
    screen.goto(address(live_server, grace, "access/"))
    screen.get_by_role("link", name="Show all on one page, for printing").click()
    expect(screen.locator("tbody tr")).to_have_count(65)
    screen.emulate_media(media="print")
    expect(screen.get_by_role("navigation", name="Menu")).to_be_hidden()


def test_preview_by_role(screen, live_server, gp, staff, grace):
    decide(grace, Preference.EXPRESS_ADDITIONAL, by=gp, at=BEFORE)
    screen.as_(gp)
    screen.goto(address(live_server, grace, "upload/"))
    expect(screen.get_by_role("heading", name="This is what will be sent")).to_be_visible()
    expect(screen.get_by_role("cell", name="Ramipril 5mg capsules")).to_be_visible()
    expect(screen.get_by_role("button", name="Send")).to_have_count(0)
    look(screen, "preview")
    screen.as_(staff)
    screen.goto(address(live_server, grace, "upload/"))
    expect(screen.get_by_text("Ramipril")).to_have_count(0)
    look(screen, "preview-counts")


def test_a_child_and_who_decided(screen, live_server, gp, practice):
    child = make_patient(
        practice,
        family_name="Jones",
        usual_gp=gp,
        born_on=timezone.localdate() - datetime.timedelta(days=4000),
    )
    screen.as_(gp)
    screen.goto(address(live_server, child))
    today = timezone.localdate()
    screen.get_by_label("Refuses").check()
    screen.get_by_label("In person").check()
    for box, number in (("Day", today.day), ("Month", today.month), ("Year", today.year)):
        screen.get_by_label(box).fill(str(number))
    screen.get_by_label("A person with parental responsibility").check()
    screen.get_by_label("Name of the person who decided").fill("Ann Jones")
    screen.get_by_role("button", name="Save decision").click()
    expect(screen.get_by_role("heading", name="Check and confirm")).to_be_visible()
    expect(screen.get_by_text("Ann Jones (Parental responsibility)")).to_be_visible()
    look(screen, "child-check")
    screen.get_by_role("button", name="Confirm and save").click()
    expect(screen.get_by_text("Decided by Ann Jones (Parental responsibility)").first).to_be_visible()
    screen.goto(address(live_server, child, "letter/"))
    expect(screen.get_by_text("Dear parent or carer")).to_be_visible()
