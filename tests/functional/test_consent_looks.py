"""Every state of the consent pages: accessible, readable on a small phone, and a picture of each."""

import datetime

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from carerecords.models import JobState, Patient, UploadJob
from consent.codes import Preference, Source
from tests.browser import guard_over, look, shot
from tests.factories import decide, make_patient

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def surgery(practice, gp, staff):
    """Patients in every state that the list shows."""
    now = timezone.now()
    names = ["Adeyemi", "Brown", "Clarke-Featherstonehaugh", "Davies", "Evans", "Farrell", "Gupta", "Hughes"]
    people = {name: make_patient(practice, family_name=name, usual_gp=gp) for name in names}
    decide(people["Brown"], by=gp)
    decide(
        people["Clarke-Featherstonehaugh"],
        Preference.EXPRESS_DISSENT,
        by=staff,
        source=Source.LETTER,
        reference="L-17",
    )
    held = decide(people["Davies"], by=gp).job
    UploadJob.objects.filter(pk=held.pk).update(
        state=JobState.HELD,
        reasons=["policy.bma"],
        headline="BMA boycott in force and this practice follows it.",
    )
    sent = decide(
        people["Evans"], Preference.EXPRESS_ADDITIONAL, by=gp, at=now - datetime.timedelta(days=2)
    ).job
    UploadJob.objects.filter(pk=sent.pk).update(state=JobState.ACCEPTED, finished_at=now, due_at=None)
    Patient.objects.filter(pk=people["Farrell"].pk).update(is_sensitive=True, letter_sent_on="2026-03-02")
    earlier = now - datetime.timedelta(hours=2)
    that_day = timezone.localdate(earlier)
    decide(people["Gupta"], by=gp, at=earlier, decided_on=that_day)
    decide(people["Gupta"], Preference.EXPRESS_DISSENT, by=staff, decided_on=that_day)
    Patient.objects.filter(pk=people["Hughes"].pk).update(usual_gp=None)
    people["Died"] = make_patient(practice, family_name="Ingram", died_on=datetime.date(2026, 1, 4))
    people["Child"] = make_patient(practice, family_name="Jones", born_on=datetime.date(2020, 5, 4))
    return people


def address(patient):
    return f"/patients/{patient.public_id}/"


def test_list(page, live_server, log_in, gp, surgery):
    log_in(gp)
    page.goto(live_server.url + "/patients/")
    look(page, "patients")
    page.goto(live_server.url + "/patients/?decision=NONE&letter=no")
    look(page, "patients-filtered")
    page.goto(live_server.url + "/patients/?decision=LATER")
    look(page, "patients-none")
    page.get_by_label("Find a patient").fill("999 123 4560")
    page.get_by_role("button", name="Search").click()
    expect(page).to_have_title("Error: Patients - Care record upload consent")
    look(page, "patients-search-error")
    page.goto(live_server.url + "/patients/")
    page.get_by_label("Find a patient").fill("brown")
    page.get_by_role("button", name="Search").click()
    look(page, "patients-search")


def test_a_practice_that_begins(page, live_server, log_in, manager):
    """Nothing is there yet, and each page says what to do about it."""
    log_in(manager)
    for address, name, words in (
        ("/", "home", "Nothing needs doing. Last checked"),
        ("/patients/", "patients", "No patients yet."),
        ("/consent/sheet/", "sheet", "No patients without a decision."),
        ("/imports/", "imports", "No imports yet."),
        ("/imports/?show=ready", "imports-ready", "No imports to check."),
        ("/consent/bulk/", "bulk", "Nothing was done to several patients yet."),
    ):
        page.goto(live_server.url + address)
        expect(page.get_by_text(words)).to_be_visible()
        look(page, f"empty-{name}")
    page.goto(live_server.url + "/patients/")
    page.get_by_role("link", name="Import your list").click()
    expect(page.get_by_role("heading", name="Imports")).to_be_visible()


def test_on_paper(page, live_server, log_in, gp, surgery):
    """What holds and what happened; nothing that only a screen can do."""
    log_in(gp)
    page.goto(f"{live_server.url}/patients/?decision=NONE")
    page.emulate_media(media="print")
    expect(page.get_by_text("4 of 9 patients. Decision: No decision.")).to_be_visible()
    for control in ("Record decision for ADEYEMI", "Select ADEYEMI", "Find a patient", "Record refusal"):
        found = page.get_by_text(control).all()
        assert found and not any(one.is_visible() for one in found), control
    shot(page, "patients-print", 794)
    page.emulate_media(media="screen")
    page.goto(live_server.url + address(surgery["Brown"]))
    page.emulate_media(media="print")
    expect(page.get_by_role("region", name="Upload policy")).to_be_visible()
    expect(page.get_by_text("BROWN, Grace (Ms)")).to_be_visible()
    expect(page.get_by_role("heading", name="History")).to_be_visible()
    expect(page.get_by_role("heading", name="Record a decision")).to_be_hidden()
    shot(page, "patient-print", 794)


def test_decision_in_the_list(page, live_server, log_in, gp, surgery):
    log_in(gp)
    page.goto(live_server.url + "/patients/")
    page.get_by_role("link", name="Record decision for ADEYEMI").click()
    expect(page.get_by_role("heading", name="Decision for ADEYEMI")).to_be_focused()
    look(page, "patients-row-form")
    page.get_by_role("button", name="Save decision").click()
    expect(page.get_by_role("alert")).to_contain_text("Select what the patient decided")
    look(page, "patients-row-errors")
    guard_over(page)
    page.get_by_role("button", name="Use today’s date").click()
    expect(page.get_by_label("Year")).to_have_value(str(timezone.localdate().year))
    page.get_by_label("Consents: core only").check()
    page.get_by_label("In person").check()
    guard_over(page)
    page.get_by_role("button", name="Save decision").click()
    expect(
        page.get_by_text("Consent given recorded for ADEYEMI, Grace. Uploads wait until").first
    ).to_be_visible()
    look(page, "patients-row-saved")


def test_somebody_else_was_first_in_the_row(page, live_server, log_in, gp, staff, surgery):
    log_in(gp)
    page.goto(live_server.url + "/patients/")
    page.get_by_role("link", name="Record decision for HUGHES").click()
    expect(page.get_by_role("heading", name="Decision for HUGHES")).to_be_focused()
    decide(surgery["Hughes"], Preference.EXPRESS_DISSENT, by=staff)
    page.expected_statuses = {409}
    answer(page, "Consents: core only", "In person")
    expect(page.get_by_role("heading", name="This record changed while you were working")).to_be_focused()
    expect(page.locator(".care-under")).to_contain_text("Express dissent (opt out)")
    expect(page.locator(".care-under")).to_contain_text("Consents: core only")
    look(page, "patients-row-conflict")
    page.get_by_role("link", name="Keep theirs").click()
    row = page.locator("tbody", has_text="HUGHES")
    expect(row.locator(".nhsuk-tag").first).to_have_text("Consent refused")
    expect(page.locator(".care-under")).to_have_count(0)


def test_patient(page, live_server, log_in, gp, privacy_officer, surgery):
    log_in(gp)
    for name in ("Adeyemi", "Brown", "Clarke-Featherstonehaugh", "Davies", "Child"):
        page.goto(live_server.url + address(surgery[name]))
        look(page, f"patient-{name.lower()}")
    page.goto(live_server.url + address(surgery["Child"]))
    page.get_by_role("button", name="Save decision").click()
    look(page, "patient-errors")
    page.goto(live_server.url + address(surgery["Farrell"]))
    look(page, "patient-reason")
    page.get_by_label("I am treating this patient").check()
    page.get_by_role("button", name="Open the record").click()
    expect(page.get_by_text("Hidden: sensitive record")).to_be_visible()
    log_in(privacy_officer)
    page.goto(live_server.url + address(surgery["Brown"]))
    look(page, "patient-privacy-officer")


def test_asked_once_more(page, live_server, log_in, gp, surgery):
    log_in(gp)
    page.goto(live_server.url + address(surgery["Clarke-Featherstonehaugh"]))
    answer(page, "Consents: core only", "In person")
    look(page, "patient-check-refusal")
    page.get_by_role("button", name="Change the answers").click()
    expect(page.get_by_label("Consents: core only")).to_be_checked()
    page.goto(live_server.url + address(surgery["Adeyemi"]))
    answer(page, "Consents: core and additional", "In person")
    look(page, "patient-check-additional")


def test_refused(page, live_server, log_in, staff, surgery):
    log_in(staff)
    page.expected_statuses = {403}
    page.goto(live_server.url + address(surgery["Farrell"]))
    look(page, "patient-sensitive-refused")


def answer(page, preference, source):
    """Fills the form on a patient's page in and sends it."""
    today = timezone.localdate()
    page.get_by_label(preference).check()
    page.get_by_label(source, exact=True).check()
    for box, number in (("Day", today.day), ("Month", today.month), ("Year", today.year)):
        page.get_by_label(box).fill(str(number))
    page.get_by_role("button", name="Save decision").click()


def test_why_on_a_day_and_reports(page, live_server, log_in, gp, surgery):
    log_in(gp)
    page.goto(live_server.url + address(surgery["Brown"]))
    page.get_by_role("link", name="Why it was allowed or held on a day").click()
    page.get_by_role("button", name="Show why").click()
    expect(page.get_by_role("link", name="Enter the day you ask about")).to_be_visible()
    today = timezone.localdate()
    for part in ("day", "month", "year"):
        page.locator(f"[name=on_{part}]").fill(str(getattr(today, part)))
    page.get_by_role("button", name="Show why").click()
    expect(page.get_by_role("heading", name="Ask about another day")).to_be_visible()
    look(page, "why-on-a-day")
    page.get_by_role("link", name="Reports").first.click()
    expect(page.get_by_text("patients of")).to_be_visible()
    look(page, "reports")


def test_history_run_again(page, live_server, log_in, gp):
    log_in(gp)
    page.goto(live_server.url + "/reports/")
    page.get_by_role("link", name="History run again, from 2007 to 2026").click()
    look(page, "replays")
    page.locator("a[href*='june-2007']").click()
    expect(page.get_by_role("row", name="75 practices that follow")).to_be_visible()
    look(page, "replay")
