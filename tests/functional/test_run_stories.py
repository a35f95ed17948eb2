"""A manager's run of uploads in a browser: made, checked, started, paused, gone on with, cancelled."""

import datetime

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from boycott.actions import set_gp_stance
from boycott.positions import GpStance
from carerecords.models import UploadJob
from carerecords.permissions import Role
from consent.codes import Preference
from spine.models import SendingRun
from spine.runs import feeding
from tests.browser import PHONE, guard_over, look
from tests.factories import decide, make_patient, make_user
from tests.logging_in import PASSWORD, give_password

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def people(practice, gp):
    """Eight who consent, three of a GP who holds, two who refused and one who has not said."""
    holder = make_user(Role.GP, practice)
    set_gp_stance(gp=holder, practice=practice, stance=GpStance.HOLD, at=timezone.now())
    for number in range(14):
        patient = make_patient(practice, usual_gp=holder if number < 3 else gp)
        if number < 13:
            refuses = Preference.EXPRESS_DISSENT if number > 10 else Preference.EXPRESS_CORE
            decide(patient, refuses, by=gp)
    UploadJob.objects.all().delete()


def fed():
    run = SendingRun.objects.get()
    feeding.feed(run.public_id, timezone.now)
    return run


def row(page, label):
    return page.get_by_role("row", name=label)


def test_a_run_from_the_form_to_its_end(screen, live_server, manager, people):
    """By keyboard alone, on a phone without scripts, and with them on a desk."""
    page = screen
    if not page.scripts:
        page.set_viewport_size({"width": PHONE, "height": 640})
    page.as_(manager)
    page.goto(f"{live_server.url}/uploads/")
    page.get_by_role("link", name="Runs of uploads for many patients").press("Enter")
    expect(page.get_by_text("No run was made yet.")).to_be_visible()
    look(page, "runs-empty")
    page.get_by_role("button", name="Make a run").press("Enter")
    page.get_by_label("Between these times, every day").press("Space")
    page.get_by_label("End of sending").fill("soon")
    page.get_by_role("button", name="Check before you start").press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("Select what the run should do")
    expect(page.get_by_role("alert")).to_contain_text("End of sending must be a time, like 6am or 6:30pm")
    look(page, "run-new-errors")
    guard_over(page)
    page.get_by_label("First upload").press("Space")
    page.get_by_label("At any time").press("Space")
    page.get_by_label("End of sending").fill("7am")
    page.get_by_role("button", name="Check before you start").press("Enter")

    expect(page.get_by_role("heading", level=1)).to_have_text("Check before you start: first upload")
    for number, label in (("8", "Would be sent"), ("3", "Would be held"), ("3", "Would be left out")):
        expect(page.locator(".care-card", has_text=label)).to_contain_text(number)
    expect(page.get_by_text("3 patients: The patient's GP holds uploads for their patients.")).to_be_visible()
    expect(page.get_by_text("No decision recorded.")).to_be_visible()
    look(page, "run-check")
    assert not UploadJob.objects.exists()
    page.get_by_role("button", name="Start the run for 11 patients").press("Enter")

    expect(page.locator("#run").get_by_text("Running: its patients are being listed.")).to_be_visible()
    fed()
    UploadJob.objects.filter(pk__in=UploadJob.objects.values("pk")[:5]).update(
        state="ACCEPTED", finished_at=timezone.now(), due_at=None
    )
    if not page.scripts:
        page.get_by_role("link", name="Refresh").press("Enter")
    expect(page.locator("#run").get_by_text("Running: 8 of 14 done.")).to_be_visible(timeout=20_000)
    expect(row(page, "Accepted by the Spine")).to_contain_text("5")
    look(page, "run-running")

    page.get_by_role("button", name="Pause the run").press("Enter")
    expect(page.locator("#run").get_by_text("Paused: 8 of 14 done. Nothing of it is sent.")).to_be_visible()
    look(page, "run-paused")
    page.get_by_role("link", name="Waiting to be sent").press("Enter")
    expect(page.get_by_text("6 uploads. Newest first.")).to_be_visible()
    page.go_back()
    page.get_by_role("button", name="Resume the run").press("Enter")
    expect(page.locator("#run").get_by_text("Running: 8 of 14 done.")).to_be_visible()
    page.get_by_role("button", name="Cancel the run").press("Enter")
    expect(page.get_by_text("A cancelled run cannot go on")).to_be_visible()
    look(page, "run-cancel")
    page.get_by_role("button", name="Cancel the run").press("Enter")
    expect(
        page.locator("#run").get_by_text(
            "Cancelled: 5 of 14 went to the Spine, 6 stopped by cancelling it, 3 not sent for other reasons."
        )
    ).to_be_visible()
    expect(page.locator(".care-timeline__title")).to_have_text(
        ["Cancelled", "Resumed", "Paused", "Started", "Made"]
    )
    look(page, "run-cancelled")
    page.goto(f"{live_server.url}/uploads/runs/")
    expect(page.get_by_role("link", name="First upload")).to_be_visible()
    look(page, "runs")


def test_the_programme_starts_a_run_for_practices_by_name(
    page, live_server, log_in, national_admin, practice, people
):
    """After their password, since thousands of practices may be meant. The page names no patient."""
    give_password(national_admin)
    log_in(national_admin)
    page.goto(live_server.url)
    page.get_by_role("link", name="Upload runs").click()
    page.get_by_role("button", name="Make a run").click()
    page.get_by_label("Those that I name").check()
    page.get_by_label("Practices, if you name them").fill(practice.ods_code.lower())
    page.get_by_label("Consent migration").check()
    page.get_by_label("Between these times, and all day on Saturdays and Sundays").check()
    page.get_by_role("button", name="Check before you start").click()
    # How few refused is the practice's own.
    expect(page.locator(".care-card", has_text="Would be removed")).to_contain_text("fewer than 5")
    look(page, "run-national-check")
    SendingRun.objects.update(opens=datetime.time(0), closes=datetime.time(23, 59, 59))
    page.get_by_role("button", name="Start the run").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Enter your password again")
    assert SendingRun.objects.get().state == "DRAFT"
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Start the run").click()
    expect(page.locator("#run").get_by_text("Running: its patients are being listed.")).to_be_visible()
    fed()
    page.get_by_role("link", name="Refresh").click()
    expect(page.get_by_text("Patients of 1 of 1 practice are listed.")).to_be_visible()
    expect(row(page, "Waiting to be sent").get_by_role("link")).to_have_count(0)
    look(page, "run-national")
