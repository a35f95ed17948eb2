"""One answer for many patients in a browser: acceptance tests 13 and 14, progress, results and undo."""

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from carerecords.models import Patient
from consent import bulk_runs, bulk_work
from consent.codes import BulkKind, Preference
from consent.letters import letters_sent
from consent.models import BulkRun, ConsentEvent, NoticeLetter
from tests.browser import PHONE, guard_over, look
from tests.factories import decide, make_list, make_patient

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def today():
    return timezone.localdate()


def choose(page, live_server, kind, **filters):
    """From the filtered list, "all matching", to the questions for all of them."""
    page.goto(f"{live_server.url}/patients/")
    page.locator("summary", has_text="Filters").click()
    for label, value in filters.items():
        page.get_by_label(label, exact=True).select_option(value)
    page.get_by_role("button", name="Update results").click()
    page.get_by_role("link", name="Select all").click()
    page.get_by_role("button", name=kind, exact=True).click()


def fill_in_date(page, day):
    for box, number in (("Day", day.day), ("Month", day.month), ("Year", day.year)):
        page.get_by_label(box).fill(str(number))


def card(page, label):
    """One of the counts over a result."""
    return page.locator(".care-card", has_text=label)


def test_13_letters_to_all_1234_that_match(
    screen, live_server, manager, gp, staff, practice, today, monkeypatch
):
    """Filter, "Select all 1,234 matching", check, and ten who decide meanwhile are skipped and named;
    without scripts all of it on a small phone (24)."""
    everybody = make_list(practice, 1234)
    decide(make_patient(practice, family_name="Zebra"), by=gp)
    noted = [one.pk for one in everybody[:41]]
    letters_sent(patient_ids=noted, sent_on=today, reference="Spring", by=staff, at=timezone.now())
    page = screen
    if not page.scripts:
        page.set_viewport_size({"width": PHONE, "height": 640})
    page.as_(manager)
    page.goto(f"{live_server.url}/patients/")
    page.locator("summary", has_text="Filters").click()
    page.get_by_label("Decision", exact=True).select_option("No decision")
    page.get_by_role("button", name="Update results").click()
    expect(page.get_by_text("1,234 of 1,235 patients. Decision: No decision.")).to_be_visible()
    page.get_by_role("link", name="Select all 1,234 matching").click()
    expect(page.get_by_text("All 1,234 matching selected.")).to_be_visible()
    page.get_by_role("button", name="Mark letter sent").click()
    page.get_by_role("button", name="Check before you save").click()
    expect(page.get_by_role("alert")).to_contain_text("Enter the date the letters were sent")
    look(page, "bulk-letters-errors")
    fill_in_date(page, today)
    page.get_by_label("Which letter").fill("Spring")
    guard_over(page)
    page.get_by_role("button", name="Check before you save").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("Check before you change 1,234 patients")
    expect(card(page, "Will change")).to_contain_text("1,193")
    expect(card(page, "Already so")).to_contain_text("41")
    expect(card(page, "Skipped")).to_contain_text("0")
    meanwhile = everybody[100:110]
    for patient in meanwhile:
        decide(patient, by=gp)
    late = make_patient(practice, family_name="Yates")
    page.reload()
    expect(card(page, "Skipped")).to_contain_text("10")
    expect(page.get_by_text("Decided meanwhile: 10")).to_be_visible()
    look(page, "bulk-letters-check-skipped")
    page.get_by_role("button", name="Mark letter sent for 1,183 patients").click()

    # Over 200 a worker does it, and here there is none yet.
    expect(page.get_by_text("Waiting to start.")).to_be_visible()
    assert not NoticeLetter.objects.filter(run__isnull=False).exists()
    work(page, monkeypatch, BulkKind.LETTER)
    finished = "Finished. 1,183 patients changed, 41 already so, 10 skipped."
    if not page.scripts:
        page.get_by_role("link", name="Refresh").click()
    expect(page.locator("#run").get_by_text(finished)).to_be_visible()
    assert NoticeLetter.objects.filter(run__isnull=False).count() == 1183
    assert not NoticeLetter.objects.filter(patient__in=[*meanwhile, late]).exists()
    card(page, "Skipped").get_by_role("link").click()
    for patient in meanwhile:
        expect(page.get_by_role("link", name=patient.family_name.upper())).to_be_visible()
    expect(page.locator("tbody tr")).to_have_count(10)
    look(page, "bulk-skipped")


def work(page, monkeypatch, kind):
    """A worker does the run in three chunks; before the last the page says how far it is."""
    monkeypatch.setattr(bulk_runs, "CHUNK", 450)
    real, done = bulk_work.DO[kind], []

    def do(run, rows, at):
        if len(done) == 2:
            page.get_by_role("link", name="Refresh").click()
            expect(page.get_by_text("Running: 900 of 1,234.")).to_be_visible()
            expect(page.get_by_role("progressbar")).to_have_attribute("value", "900")
            look(page, "bulk-running")
        done.append(len(rows))
        return real(run, rows, at)

    monkeypatch.setitem(bulk_work.DO, kind, do)
    bulk_runs.work(BulkRun.objects.get().public_id, timezone.now)
    assert done == [450, 450, 334]


def test_14_consent_for_all_that_match_is_refused(screen, live_server, manager, practice):
    """With the number that is allowed and the way that is there instead; nothing is written."""
    make_list(practice, 1234)
    page = screen
    page.as_(manager)
    page.goto(live_server.url)
    page.get_by_label("Find a patient").fill("person")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("alert")).to_contain_text("More than 200 patients match.")
    look(page, "patients-too-many")
    choose(page, live_server, "Record consent", Decision="No decision")
    told = "You can record consent for up to 50 selected patients. Use an import with evidence for more."
    expect(page).to_have_title("Error: Patients (page 1 of 25) - Care record upload consent")
    expect(page.get_by_role("alert")).to_contain_text(told)
    expect(page.get_by_text("All 1,234 matching selected.")).to_be_visible()
    look(page, "bulk-consent-refused")
    assert not BulkRun.objects.exists() and not ConsentEvent.objects.exists()


def test_consent_for_those_picked_by_hand(page, live_server, log_in, manager, practice, today):
    """Core only, with a reference for each; children and who refuses are pointed out."""
    people = make_list(practice, 5)
    child = make_patient(practice, family_name="Akers", born_on=today.replace(year=today.year - 7, day=1))
    decide(people[0], Preference.EXPRESS_DISSENT)
    log_in(manager)
    page.goto(f"{live_server.url}/patients/")
    page.get_by_role("button", name="Record consent").click()
    expect(page.get_by_role("alert")).to_contain_text("Select at least one patient")
    look(page, "bulk-nobody-selected")
    page.get_by_label("Select all on this page").check()
    expect(page.get_by_text("6 selected")).to_be_visible()
    page.get_by_role("button", name="Record consent").click()
    page.get_by_role("button", name="Check before you save").click()
    for error in (
        "Select how the patients told you",
        "Enter the date of decision",
        "Type a reason for this change",
        "Enter a letter or form reference",
    ):
        expect(page.get_by_role("alert")).to_contain_text(error)
    look(page, "bulk-consent-errors")
    page.get_by_label("On a form").check()
    fill_in_date(page, today)
    page.get_by_label("Letter or form reference").fill("Box 4")
    page.get_by_label("Reason for this change").fill("Forms of the open day")
    guard_over(page)
    page.get_by_role("button", name="Check before you save").click()
    expect(page.get_by_text("1 patient refused before.")).to_be_visible()
    expect(page.get_by_text("Under 16: record one by one who decided: 1")).to_be_visible()
    look(page, "bulk-consent-check")
    page.get_by_role("button", name="Record consent for 5 patients").click()
    expect(page.get_by_text("Finished. 5 patients changed, 0 already so, 1 skipped.")).to_be_visible()
    assert Patient.objects.filter(consent_state="EXPRESS_CORE").count() == 5
    child.refresh_from_db()
    assert child.consent_state == "NONE"


def test_refusals_for_many_and_back_again(screen, live_server, manager, gp, practice, today):
    """The results leave in a file with a reason; undoing within a day leaves later decisions alone."""
    people = make_list(practice, 30)
    page = screen
    page.as_(manager)
    choose(page, live_server, "Record refusal", Decision="No decision")
    look(page, "bulk-refusal")
    page.get_by_label("By letter").check()
    fill_in_date(page, today - timezone.timedelta(days=1))
    page.get_by_label("Letter or form reference").fill("L 40")
    page.get_by_label("Reason for this change").fill("Letters that came in over Easter")
    page.get_by_role("button", name="Check before you save").click()
    look(page, "bulk-refusal-check")
    page.get_by_role("button", name="Record refusal for 30 patients").click()
    expect(page.get_by_text("Finished. 30 patients changed, 0 already so, 0 skipped.")).to_be_visible()
    result = page.url

    page.get_by_role("link", name="Export the results").click()
    page.get_by_role("button", name="Download CSV").click()
    expect(page.get_by_role("alert")).to_contain_text("Select why you need patient details")
    look(page, "bulk-export-error")
    page.get_by_label("To check decisions against paper or another system").check()
    guard_over(page)
    with page.expect_download() as file:
        page.get_by_role("button", name="Download CSV").click()
    lines = file.value.path().read_text(encoding="utf-8-sig").splitlines()
    assert len([line for line in lines if line.endswith(",Changed,")]) == 30
    assert "Note,Contains patient information" in lines

    decide(Patient.objects.get(pk=people[3].pk), by=gp)
    page.goto(result)
    page.get_by_role("button", name="Undo this change").click()
    expect(page.get_by_text("1 patient, left as they are")).to_be_visible()
    look(page, "bulk-undo")
    page.get_by_role("button", name="Undo for 29 patients").click()
    expect(page.get_by_text("Undone for 29 patients, 1 changed later and left as they are.")).to_be_visible()
    look(page, "bulk-undone")
    assert Patient.objects.filter(consent_state="NONE").count() == 29
    assert Patient.objects.get(consent_state="EXPRESS_CORE") == people[3]
    page.get_by_role("link", name="All changes to several patients").click()
    expect(page.get_by_role("row", name="Record refusal")).to_contain_text("Undone for 29 patients")
    look(page, "bulk-runs")


def test_put_off_and_a_list_that_grew_old(page, live_server, log_in, manager, practice, today, monkeypatch):
    """Half an hour after it was shown a check page is checked again; then the deferral is made."""
    make_list(practice, 3)
    log_in(manager)
    choose(page, live_server, "Defer", Decision="No decision")
    fill_in_date(page, today + timezone.timedelta(days=30))
    page.get_by_label("Reason for this change").fill("After the open day")
    page.get_by_role("button", name="Check before you save").click()
    monkeypatch.setattr("consent.views.bulk.CHECKED_FOR", timezone.timedelta(0))
    page.get_by_role("button", name="Defer 3 patients").click()
    expect(page.get_by_role("alert")).to_contain_text("This list is over 30 minutes old. Check it again.")
    look(page, "bulk-check-old")
    monkeypatch.undo()
    guard_over(page)
    page.get_by_role("button", name="Defer 3 patients").click()
    expect(page.get_by_text("Finished. 3 patients changed, 0 already so, 0 skipped.")).to_be_visible()
