"""Taking back what was sent already, one patient's and many at once: acceptance test 5.

Real workers behind a real broker, and the store's own ledger as witness.
"""

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from carerecords.models import Patient
from consent.models import BulkRun, ConsentEvent
from spine.uploads.ledger import compare
from tests.browser import look
from tests.factories import decide, make_item, make_list, make_patient
from tests.localstore_process import fresh_nhs_number, running_store, wait_until
from tests.whole_product import bell, broker, whole_product  # noqa: F401

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(240)]


@pytest.fixture
def localstore():
    """A store that nobody else sends to, so that its whole ledger can be compared."""
    yield from running_store()


@pytest.fixture
def sent(practice, gp, localstore, whole_product):
    """Two patients who consented, and whose summaries the store has."""
    people = []
    for name in ("Adeyemi", "Brown"):
        patient = make_patient(practice, family_name=name, usual_gp=gp, nhs_number=fresh_nhs_number())
        make_item(patient)
        decide(patient, by=gp, at=timezone.now() - timezone.timedelta(hours=1))
        people.append(patient)
    wait_until(lambda: len(uploads(localstore)) == 2, 60)
    return people


def uploads(store):
    return [line for line in store.ledger() if line["kind"] == "upload"]


def last_of(store, patient):
    """What the store has of a patient: whether it is blank, or None for nothing."""
    lines = [line["is_blank"] for line in uploads(store) if line["nhs_number"] == patient.nhs_number]
    return lines[-1] if lines else None


def page_says(page, words):
    def there():
        page.reload()
        return words in page.locator("main").inner_text()

    wait_until(there, 60)


def test_5_undone_after_the_upload_was_accepted(
    page, live_server, log_in, localstore, sent, gp, manager, practice
):
    # One patient, while the store is away: it is told that it was sent, and what becomes of that.
    grace = sent[0]
    log_in(gp)
    page.goto(f"{live_server.url}/patients/{grace.public_id}/")
    page_says(page, "Uploaded on")
    localstore.stop()
    page.locator("#history ~ .care-timeline").get_by_role("button", name="Undo").click()
    expect(page.get_by_role("alert")).to_contain_text("Decision undone for ADEYEMI, Grace. It had been sent")
    expect(page.get_by_role("alert")).to_contain_text("removal from the Spine was asked for at")
    expect(page.get_by_text("Removal asked for at")).to_be_visible()
    look(page, "undone-after-sending")
    assert ConsentEvent.objects.filter(patient=grace).count() == 2
    localstore.start()
    page_says(page, "Removed from the Spine on")
    assert last_of(localstore, grace) is True
    look(page, "removed")

    # 260 at once, of whom one was sent: watched to the end, and taken back.
    make_list(practice, 258)
    log_in(manager)
    page.goto(f"{live_server.url}/patients/")
    page.get_by_role("link", name="Select all 260 matching").click()
    page.get_by_role("button", name="Record refusal").click()
    page.get_by_label("By phone").check()
    day = timezone.localdate()
    for box, number in (("Day", day.day), ("Month", day.month), ("Year", day.year)):
        page.get_by_label(box).fill(str(number))
    page.get_by_label("Reason for this change").fill("They rang after the notice in the paper")
    page.get_by_role("button", name="Check before you save").click()
    expect(page.get_by_text("1 patient consented before. Refusal would take the place")).to_be_visible()
    page.get_by_role("button", name="Record refusal for 260 patients").click()
    # Nothing is pressed: the page asks how far the worker is.
    expect(page.locator("#run")).to_contain_text("Finished. 260 patients changed", timeout=30_000)
    wait_until(lambda: last_of(localstore, sent[1]) is True, 60)
    page.get_by_role("button", name="Undo this change").click()
    page.get_by_role("button", name="Undo for 260 patients").click()
    expect(page.locator("#run")).to_contain_text("Undone for 260 patients.", timeout=30_000)
    assert BulkRun.objects.get().taken_back == 260
    assert Patient.objects.filter(consent_state="NONE").count() == 259
    # The consent that stood before holds again, so the summary goes again.
    wait_until(lambda: last_of(localstore, sent[1]) is False, 60)
    wait_until(lambda: compare(f"{localstore.base_url}/ledger").differences == [], 30)
