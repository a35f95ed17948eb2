"""A patient refuses and later consents, in a browser with real workers: removal, No, Ask, upload."""

import datetime

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from consent.codes import Preference
from spine.models import PermissionMismatch
from tests.browser import look
from tests.factories import decide, make_item, make_patient
from tests.localstore_process import fresh_nhs_number, running_store, wait_until
from tests.whole_product import bell, broker, whole_product  # noqa: F401

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(240)]


@pytest.fixture
def localstore():
    yield from running_store()


def said(store, patient):
    """What reached the store of a patient, in order."""
    lines = [line for line in store.ledger() if line["nhs_number"] == patient.nhs_number]
    kinds = {
        "upload": lambda line: "blank" if line["is_blank"] else "record",
        "permission": lambda line: line["permission"],
    }
    return [
        kinds[line["kind"]](line) for line in lines if line["kind"] in kinds and line["outcome"] == "accepted"
    ]


def test_a_patient_who_refused_consents_again(
    page, live_server, log_in, practice, gp, localstore, whole_product
):
    patient = make_patient(practice, family_name="Adeyemi", usual_gp=gp, nhs_number=fresh_nhs_number())
    make_item(patient)
    today, hour = timezone.localdate(), datetime.timedelta(hours=1)
    for ago, preference, wanted in ((2, Preference.EXPRESS_CORE, 1), (1, Preference.EXPRESS_DISSENT, 2)):
        day = today - datetime.timedelta(days=ago)
        decide(patient, preference, by=gp, at=timezone.now() - hour, decided_on=day)
        wait_until(lambda wanted=wanted: len(said(localstore, patient)) == wanted, 60)
    assert said(localstore, patient) == ["record", "blank"]
    wait_until(lambda: PermissionMismatch.objects.filter(ended_at=None).exists(), 30)

    log_in(gp)
    page.goto(f"{live_server.url}/")
    page.get_by_role("link", name="Patient of whom the Spine holds a different decision").click()
    look(page, "permission-differences")
    page.get_by_role("link", name="ADEYEMI").click()
    expect(page.get_by_text("The patient refused here, and the Spine does not say No.").first).to_be_visible()
    look(page, "permission-refused")
    page.get_by_role("button", name="Set the Spine to No").click()
    expect(page.get_by_text("The permission at the Spine is set to No.")).to_be_visible()
    assert said(localstore, patient) == ["record", "blank", "No"]

    decide(patient, Preference.EXPRESS_CORE, by=gp, at=timezone.now() - hour, decided_on=today)
    wait_until(lambda: PermissionMismatch.objects.filter(ended_at=None, kind="STORE_REFUSES").exists(), 60)
    assert said(localstore, patient) == ["record", "blank", "No"], "held, and not even tried"
    page.goto(f"{live_server.url}/patients/{patient.public_id}/")
    expect(page.get_by_text("The Spine holds a different decision. Uploads are held.")).to_be_visible()
    look(page, "permission-patient")
    page.get_by_role("link", name="Permission at the Spine").click()
    page.get_by_role("button", name="Set the Spine to Ask").click()
    expect(page.get_by_text("The permission at the Spine is set to Ask.")).to_be_visible()
    look(page, "permission-history")
    wait_until(lambda: said(localstore, patient)[-1] == "record", 60)
    assert said(localstore, patient) == ["record", "blank", "No", "Ask", "record"]
    page.goto(f"{live_server.url}/uploads/differences/?show=ended")
    expect(page.get_by_text("The permission was set at the Spine").first).to_be_visible()
    look(page, "permission-ended")
