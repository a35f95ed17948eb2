"""The switch, the answers to it and the stop, as people meet them in a browser."""

import pytest
from playwright.sync_api import expect

from carerecords.models import JobState, UploadJob
from carerecords.permissions import Role
from tests.browser import look
from tests.factories import decide, make_patient, make_practice, make_user
from tests.policy_factories import MOTION, REASON, answer, rival_position, start_boycott

pytestmark = pytest.mark.django_db(transaction=True)


def strip(page):
    return page.get_by_role("region", name="Upload policy")


@pytest.fixture
def england(practice, gp):
    """The practice with patients who consent, and two others that answered differently."""
    for name in ("Adeyemi", "Brown", "Clarke"):
        decide(make_patient(practice, family_name=name, usual_gp=gp), by=gp)
    for _ in range(2):
        other = make_practice()
        answer(other)
        decide(make_patient(other))
    return practice


def test_admin_starts_and_ends_a_boycott(page, live_server, log_in, policy_admin, gp, england):
    log_in(policy_admin)
    page.goto(live_server.url + "/policy/")
    expect(strip(page)).to_contain_text("No BMA boycott in force. Uploads run for patients with consent.")
    look(page, "policy-none")
    page.get_by_role("button", name="Change the policy").click()
    look(page, "policy-change")
    page.get_by_role("button", name="Continue").click()
    expect(page).to_have_title("Error: Change the BMA policy - Care record upload consent")
    look(page, "policy-change-errors")
    page.get_by_label("Do not co-operate: no upload").check()
    page.get_by_label("Text of the motion or statement").fill(MOTION)
    page.get_by_label("Reason for the change").fill(REASON)
    page.wait_for_timeout(2000)  # the guard against a second press
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Check before you stop uploads for 1 practice")
    look(page, "policy-check")

    page.get_by_label("Type START BOYCOTT to confirm").fill("Start boycott")
    page.get_by_role("button", name="Stop uploads for 1 practice").click()
    expect(page.get_by_role("alert")).to_contain_text("Type START BOYCOTT to confirm")
    assert page.get_by_label("Type START BOYCOTT to confirm").input_value() == "Start boycott"
    look(page, "policy-check-error")
    page.get_by_label("Type START BOYCOTT to confirm").fill("START BOYCOTT")
    page.wait_for_timeout(2000)
    page.get_by_role("button", name="Stop uploads for 1 practice").click()
    expect(page.get_by_role("alert")).to_contain_text("No upload has begun since")
    look(page, "policy-started")

    log_in(gp)
    page.goto(live_server.url + "/policy/")
    expect(strip(page)).to_contain_text("Your practice follows it: uploads are stopped for 3 patients.")
    look(page, "policy-gp")

    log_in(policy_admin)
    page.goto(live_server.url + "/policy/change/")
    page.get_by_label("Co-operate", exact=True).check()
    page.get_by_label("Text of the motion or statement").fill("Co-operation is advised again.")
    page.get_by_label("Reason for the change").fill("The evaluation was published.")
    page.get_by_role("button", name="Continue").click()
    look(page, "policy-check-end")
    page.get_by_label("Type END BOYCOTT to confirm").fill("END BOYCOTT")
    page.get_by_role("button", name="End the boycott for 1 practice").click()
    expect(strip(page)).to_contain_text("No BMA boycott in force.")


def test_all_by_keyboard_without_javascript(
    page_without_javascript, live_server, log_in, policy_admin, england
):
    page = page_without_javascript
    log_in(policy_admin, page)
    page.goto(live_server.url + "/policy/change/")
    page.get_by_label("Co-operate", exact=True).focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    page.keyboard.type(MOTION)
    page.keyboard.press("Tab")
    page.keyboard.type(REASON)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.get_by_label("Type START BOYCOTT to confirm").focus()
    page.keyboard.type("START BOYCOTT")
    page.keyboard.press("Enter")
    expect(strip(page)).to_contain_text("BMA boycott in force since")


def test_manager_answers(page, live_server, log_in, manager, gp, england):
    start_boycott()
    log_in(manager)
    page.goto(live_server.url + "/practice/stance/")
    look(page, "stance")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("alert")).to_contain_text("Select how your practice responds")
    look(page, "stance-errors")
    page.get_by_label("Do not follow: uploads continue").check()
    page.get_by_label("Who agreed this?").fill("The partners")
    for box, text in (("Day", "2"), ("Month", "3"), ("Year", "2026")):
        page.get_by_label(box).fill(text)
    page.wait_for_timeout(2000)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("Uploads start for 3 patients of 3 with consent.")).to_be_visible()
    look(page, "stance-check")
    page.get_by_role("button", name="Start uploads for 3 patients").click()
    expect(strip(page)).to_contain_text("Your practice does not follow it")
    look(page, "stance-answered")

    log_in(gp)
    page.goto(live_server.url + "/practice/stance/")
    look(page, "stance-gp")
    page.get_by_role("link", name="Your answer for your own patients").click()
    look(page, "stance-mine")
    page.get_by_label("Hold uploads for my patients").check()
    page.get_by_role("button", name="Continue").click()
    look(page, "stance-mine-check")


def test_national_stop_and_resume(page, live_server, log_in, national_admin, gp, england):
    log_in(national_admin)
    page.goto(live_server.url + "/policy/stop/")
    look(page, "stop")
    page.get_by_label("Reason").fill("wrong practice code in receipts")
    page.get_by_role("button", name="Stop all uploads now").click()
    expect(strip(page)).to_contain_text("Reason: wrong practice code in receipts.")
    look(page, "stop-stopped")
    log_in(gp)
    page.goto(live_server.url + "/")
    expect(strip(page)).to_contain_text("All uploads were stopped at")
    look(page, "home-gp-stopped")
    log_in(make_user(Role.NATIONAL_ADMIN))
    page.goto(live_server.url + "/policy/stop/")
    look(page, "stop-resume")
    page.get_by_label("Why may uploads run again?").fill("Codes corrected")
    page.get_by_role("button", name="Resume uploads").click()
    expect(strip(page)).to_contain_text("No BMA boycott in force.")


def test_home_and_uploads(
    page, live_server, log_in, gp, manager, auditor, national_admin, policy_admin, england
):
    start_boycott(policy_admin)
    rival_position()
    held = UploadJob.objects.filter(practice=england).order_by("pk")
    first = held.first()
    UploadJob.objects.filter(pk=first.pk).update(
        state=JobState.HELD,
        reasons=["policy.conflict", "rollout.closed"],
        headline="BMA policy is conflicting: two positions in force disagree.",
    )
    make_patient(england)
    log_in(gp)
    page.goto(live_server.url + "/")
    look(page, "home-gp")
    page.get_by_role("link", name="Upload blocked").click()
    look(page, "uploads-filtered")
    page.get_by_role("link", name="Clear filters").click()
    look(page, "uploads")
    page.get_by_role("link", name="ADEYEMI").click()
    look(page, "upload")
    for name, person in (("policy-admin", policy_admin), ("national", national_admin), ("auditor", auditor)):
        log_in(person)
        page.goto(live_server.url + "/")
        look(page, f"home-{name}")
    page.goto(live_server.url + "/policy/")
    look(page, "policy-conflict")


@pytest.mark.parametrize("name", ["help", "accessibility", "privacy"])
def test_pages_for_everybody(page, live_server, name):
    page.goto(f"{live_server.url}/{name}/")
    look(page, name)
