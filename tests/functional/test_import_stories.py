"""Files sent in by a browser: from Excel's damage to the mended rows, and the same file twice."""

import pytest
from playwright.sync_api import expect

from carerecords.models import Patient
from consent.codes import ImportKind, Preference
from consent.models import ConsentEvent
from tests.browser import PHONE, look
from tests.factories import decide, make_patient, make_practice, nhs_number
from tests.integration.consent.importing import csv_of, decision, person, xlsx_of

pytestmark = pytest.mark.django_db(transaction=True)


def send(page, live_server, file, kind="Decisions", name="decisions.csv"):
    page.goto(live_server.url + "/imports/new/")
    page.get_by_label(kind, exact=True).check()
    content = file if isinstance(file, bytes) else file.getvalue()
    page.locator("input[type=file]").set_input_files(
        {"name": name, "mimeType": "application/octet-stream", "buffer": content}
    )
    page.get_by_role("button", name="Upload and check").click()


@pytest.fixture
def people(practice):
    names = ["Adeyemi", "Brown", "Clarke", "Davies", "Evans"]
    return [make_patient(practice, family_name=name) for name in names]


def test_16_and_17_a_spreadsheet_that_excel_has_damaged(screen, live_server, manager, gp, people):
    """Rows and causes are named, the mended rows go in without a repetition, and a file sent in twice
    adds nothing; without scripts all of it on a small phone (24)."""
    page = screen
    if not page.scripts:
        page.set_viewport_size({"width": PHONE, "height": 640})
    decide(people[3], Preference.EXPRESS_DISSENT, by=gp, decided_on=people[3].registered_on)
    page.as_(manager)
    rows = [decision(one) for one in people]
    rows[3] |= {"DECISION_DATE": "01/02/2024"}
    damaged = [
        row | ({"NHS_NUMBER": "9.99E+09"} if place in {1, 2} else {}) for place, row in enumerate(rows)
    ]
    send(page, live_server, xlsx_of(damaged), name="from-excel.xlsx")
    told = "NHS_NUMBER was changed by Excel to 9.99E+09. Format the column as text and save again."
    for number in (3, 4):
        row = page.get_by_role("row", name=f"Row {number}")
        expect(row).to_contain_text(told)
    expect(page.get_by_text("2 new, 1 changed, 0 already the same")).to_be_visible()
    look(page, "import-preview")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the rows with errors (CSV)").click()
    errors = download.value.path().read_text(encoding="utf-8-sig")
    assert errors.count("9.99E+09,") == 2 and told in errors
    page.get_by_role("button", name="Approve and import 3 records").click()
    expect(page.get_by_text("3 records imported.")).to_be_visible()
    look(page, "import-applied")

    mended = errors
    for place in (1, 2):
        mended = mended.replace("9.99E+09,", f"{people[place].nhs_number},", 1)
    send(page, live_server, mended.encode(), name="mended.csv")
    expect(page.get_by_text("2 new, 0 changed, 0 already the same")).to_be_visible()
    page.get_by_role("button", name="Approve and import 2 records").click()
    expect(page.get_by_text("2 records imported.")).to_be_visible()
    assert ConsentEvent.objects.filter(preference="EXPRESS_CORE").count() == 5

    send(page, live_server, mended.encode(), name="mended.csv")
    expect(page.get_by_text("0 new, 0 changed, 2 already the same")).to_be_visible()
    send(page, live_server, xlsx_of(rows), name="whole.xlsx")
    expect(page.get_by_text("0 new, 0 changed, 5 already the same")).to_be_visible()
    expect(page.get_by_text("There is nothing in this file to apply.")).to_be_visible()
    page.get_by_role("button", name="Cancel and delete upload").click()
    expect(page.get_by_role("alert")).to_contain_text("cancelled and deleted")
    look(page, "import-list")
    page.get_by_role("link", name="from-excel.xlsx").click()
    page.get_by_role("button", name="Undo this import").click()
    expect(page.get_by_text("3 records undone.")).to_be_visible()
    assert Patient.objects.get(pk=people[3].pk).consent_state == "EXPRESS_DISSENT"


def test_files_that_cannot_be_used(page, live_server, log_in, staff, people):
    log_in(staff)
    page.goto(live_server.url + "/imports/")
    page.get_by_role("button", name="Import a file").click()
    for name in ("Decisions", "Letters", "Patient list"):
        page.get_by_text(f"{name}: template and columns").click()
    look(page, "import-new-open")
    page.get_by_role("button", name="Upload and check").click()
    expect(page).to_have_title("Error: Import a file - Care record upload consent")
    expect(page.get_by_role("alert")).to_contain_text("Select what you want to import")
    expect(page.get_by_role("alert")).to_contain_text("Select a CSV or XLSX file")
    look(page, "import-errors")
    send(page, live_server, b"x" * (5 * 1024 * 1024 + 1))
    expect(page.get_by_role("alert")).to_contain_text("The selected file must be smaller than 5MB")
    expect(page.get_by_label("Decisions", exact=True)).to_be_checked()
    send(page, live_server, csv_of([decision(one) for one in people]), kind="Letters")
    expect(page.get_by_role("alert")).to_contain_text("must use the template. Row 1 has no SENT_ON")


def test_a_file_of_another_practice(page, live_server, log_in, manager):
    other = make_practice()
    log_in(manager)
    send(page, live_server, csv_of([decision(make_patient(other)) for _ in range(10)]))
    expect(page.get_by_text("10 of 10 rows were not found in your practice list.")).to_be_visible()
    look(page, "import-stopped")


def test_staff_send_and_a_gp_approves(page, live_server, log_in, staff, gp, people):
    log_in(staff)
    send(page, live_server, csv_of([decision(one, "9Ndn") for one in people]))
    expect(page.get_by_text("Your role cannot approve an import.")).to_be_visible()
    look(page, "import-staff")
    address = page.url
    log_in(gp)
    page.goto(live_server.url + "/imports/")
    page.get_by_role("link", name="decisions.csv").click()
    assert page.url == address
    page.get_by_role("button", name="Approve and import 5 records").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("5 records imported.")).to_be_visible()


def test_a_large_file_is_watched_until_a_worker_is_through(
    page, live_server, log_in, manager, people, monkeypatch
):
    monkeypatch.setattr("consent.views.imports.AT_ONCE", 0)
    log_in(manager)
    send(page, live_server, csv_of([decision(one, "refuse") for one in people]))
    expect(page.get_by_text("Checking 5 rows")).to_be_visible()
    look(page, "import-checking")
    from consent import tasks
    from consent.models import Import

    made = Import.objects.get()
    tasks.check_import(import_id=str(made.public_id))
    page.get_by_role("button", name="Approve and import 5 records").click()
    expect(page.get_by_text("0 of 5 records imported")).to_be_visible()
    look(page, "import-applying")
    made.refresh_from_db()
    tasks.work_bulk_run(run_id=str(made.run.public_id))
    expect(page.get_by_text("5 records imported.").first).to_be_visible()


def test_patients_move_here(page, live_server, log_in, manager):
    moved = make_patient(left_on="2020-01-01")
    log_in(manager)
    rows = [person(nhs_number()), person(moved.nhs_number), person(make_patient().nhs_number)]
    send(page, live_server, csv_of(rows, ImportKind.PATIENTS), kind="Patient list")
    expect(page.get_by_text("1 new, 1 changed, 0 already the same")).to_be_visible()
    look(page, "import-patients")
    page.get_by_role("button", name="Approve and import 2 records").click()
    expect(page.get_by_text("2 patients registered.")).to_be_visible()
