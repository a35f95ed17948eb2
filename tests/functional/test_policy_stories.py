"""The switch, the answers to it and the stop, as people meet them in a browser."""

import datetime

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from boycott.dossier import dossier
from boycott.models import PolicyChange
from boycott.positions import Position
from carerecords.models import JobState, UploadJob
from carerecords.permissions import Role
from tests.browser import guard_over, look, shot
from tests.factories import decide, make_patient, make_practice, make_user
from tests.logging_in import PASSWORD, give_password
from tests.policy_factories import (
    REASON,
    answer,
    approve,
    make_motion,
    new_line,
    rival_position,
    start_boycott,
    submit,
    with_guidance,
)

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


def press(page, name):
    guard_over(page)
    page.get_by_role("button", name=name, exact=True).click()


def confirm_password(page):
    """What is asked of somebody whose log-in is old."""
    expect(page.get_by_role("heading", level=1)).to_have_text("Enter your password again")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Continue").click()


def write_change(page, motion):
    """The form, filled by somebody who leaves a field out first."""
    page.get_by_label(motion.title).check()
    page.get_by_label("Do not co-operate: no upload").check()
    page.get_by_label("The whole summary").check()
    page.get_by_label("Advice to members; practices decide").check()
    page.get_by_label("As soon as it is approved").check()
    page.get_by_label("Meant to last").fill("Until the independent evaluation is published")
    page.get_by_label("Reason for the change").fill(REASON)


def test_two_admins_start_a_boycott(page, live_server, log_in, policy_admin, gp, england):
    """The author tries to approve by screen and is refused; a colleague approves after typing the phrase."""
    motion, colleague = make_motion(policy_admin), give_password(make_user(Role.POLICY_ADMIN))
    log_in(policy_admin)
    page.goto(live_server.url + "/policy/")
    expect(strip(page)).to_contain_text("No BMA boycott in force. Uploads run for patients with consent.")
    look(page, "policy-none")
    page.get_by_role("link", name="Motions").click()
    look(page, "motions")
    page.get_by_role("link", name=motion.title).click()
    look(page, "motion")
    page.get_by_role("button", name="Record what became of it").click()
    look(page, "motion-form")
    page.goto(live_server.url + "/policy/changes/")
    look(page, "changes-none")
    page.get_by_role("button", name="Write a change").click()
    look(page, "change-form")
    page.get_by_role("button", name="Save draft and see what it would do").click()
    expect(page).to_have_title("Error: Write a change of policy - Care record upload consent")
    look(page, "change-form-errors")
    write_change(page, motion)
    press(page, "Save draft and see what it would do")
    expect(page.get_by_role("row", name="Patients whose uploads stop")).to_contain_text("3")
    look(page, "change-draft")
    at_change = page.url
    page.get_by_role("button", name="Write the guidance").click()
    page.get_by_label("Title").fill("Practical steps for GPs")
    page.get_by_label("Text", exact=True).fill("# Before you stop\n\n- [ ] Talk to all partners")
    expect(page.get_by_label("With the change: Do not co-operate")).to_be_checked()
    press(page, "Save draft")
    page.goto(at_change)
    press(page, "Send for approval")
    expect(page.get_by_text("You wrote or sent this change")).to_be_visible()
    look(page, "change-sent")
    page.goto(f"{at_change}approve/")
    expect(page.get_by_text("You cannot approve your own change")).to_be_visible()
    look(page, "change-own")

    log_in(colleague)
    page.goto(live_server.url + "/")
    look(page, "home-approver")
    page.get_by_role("link", name="Change of policy to approve").click()
    page.get_by_role("link", name="Do not co-operate: no upload").click()
    page.get_by_role("button", name="Check and approve").click()
    confirm_password(page)
    expect(page.get_by_role("heading", level=1)).to_have_text("Check before you stop uploads for 1 practice")
    look(page, "change-approve")
    page.get_by_label("Type START BOYCOTT to approve").fill("Start boycott")
    page.get_by_label("Comment").fill("As the meeting decided.")
    press(page, "Approve: stop uploads for 1 practice")
    expect(page.get_by_role("alert")).to_contain_text("Type START BOYCOTT to approve")
    assert page.get_by_label("Type START BOYCOTT to approve").input_value() == "Start boycott"
    look(page, "change-approve-error")
    page.get_by_label("Type START BOYCOTT to approve").fill("START BOYCOTT")
    press(page, "Approve: stop uploads for 1 practice")
    expect(page.get_by_role("alert")).to_contain_text("No upload has begun since")
    look(page, "policy-started")
    page.goto(at_change)
    look(page, "change-in-force")

    log_in(policy_admin)
    page.goto(live_server.url + "/")
    expect(page.get_by_text("It is in force.")).to_be_visible()
    look(page, "home-told")
    press(page, "I have read this")
    expect(page.get_by_text("It is in force.")).not_to_be_visible()
    log_in(gp)
    page.goto(live_server.url + "/policy/")
    expect(strip(page)).to_contain_text("Your practice follows it: uploads are stopped for 3 patients.")
    look(page, "policy-gp")


def test_all_by_keyboard_without_javascript_on_a_phone(
    page_without_javascript, live_server, log_in, policy_admin, england
):
    """A boycott that is scheduled, approved by keyboard alone at 320 pixels; then its end."""
    page, colleague = page_without_javascript, give_password(make_user(Role.NATIONAL_ADMIN))
    page.set_viewport_size({"width": 320, "height": 700})
    log_in(policy_admin, page)
    make_motion(policy_admin)
    page.goto(live_server.url + "/policy/changes/new/")
    for label in ("Centralised storage", "Do not co-operate: no", "The whole summary", "Advice to members"):
        page.get_by_label(label).focus()
        page.keyboard.press("Space")
    # Whatever the time of day, it is within the next 24 hours.
    starts = timezone.localtime() + datetime.timedelta(hours=5)
    page.get_by_label("On a date and time").focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    for number in (starts.day, starts.month, starts.year):
        page.keyboard.type(str(number))
        page.keyboard.press("Tab")
    page.keyboard.type(f"{starts:%H:%M}")
    page.get_by_label("Reason for the change").focus()
    page.keyboard.type(REASON)
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Write the guidance")).to_be_visible()
    sent = with_guidance(dossier(PolicyChange.objects.get()), policy_admin)
    page.reload()
    page.get_by_role("button", name="Send for approval").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("You wrote or sent this change")).to_be_visible()
    log_in(colleague, page)
    page.goto(f"{live_server.url}/policy/changes/{sent.change.public_id}/approve/")
    page.get_by_label("Password", exact=True).focus()
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_label("Type START BOYCOTT to approve").focus()
    page.keyboard.type("START BOYCOTT")
    page.keyboard.press("Tab")
    page.keyboard.type("As the meeting decided.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(strip(page)).to_contain_text("BMA boycott starts on")
    shot(page, "policy-scheduled-320")
    log_in(make_user(Role.GP, england), page)
    page.goto(live_server.url + "/")
    expect(page.get_by_text("Within 24 hours.")).to_be_visible()
    shot(page, "home-soon-320")


def test_a_conflict_and_a_change_that_is_suspended(page, live_server, log_in, policy_admin, england):
    colleague = make_user(Role.POLICY_ADMIN)
    sent = submit(policy_admin, starts_at=timezone.now() + datetime.timedelta(days=9))
    approve(sent, colleague)
    rival = submit(colleague, position=Position.COOPERATE, line=new_line())
    log_in(policy_admin)
    page.goto(f"{live_server.url}/policy/changes/{rival.change.public_id}/")
    expect(page.get_by_text("This change disagrees with")).to_be_visible()
    look(page, "change-conflict")
    approve(rival, make_user(Role.NATIONAL_ADMIN))
    page.goto(live_server.url + "/")
    expect(page.get_by_text("is suspended").first).to_be_visible()
    look(page, "home-suspended")
    page.goto(live_server.url + "/policy/changes/")
    look(page, "changes")
    page.get_by_role("link", name="Do not co-operate: no upload").click()
    expect(page.get_by_text("It takes no effect unless it is sent and approved again.")).to_be_visible()
    look(page, "change-suspended")
    page.get_by_role("link", name="Cancel the change").click()
    look(page, "change-cancel")
    page.get_by_label("Reason").fill("The committee will talk first.")
    press(page, "Cancel the change")
    expect(page.get_by_role("alert")).to_contain_text("The change is cancelled.")


def test_two_release_a_practice(page, live_server, log_in, gp, policy_admin, national_admin, england):
    give_password(national_admin)
    start_boycott()
    log_in(policy_admin)
    page.goto(live_server.url + "/policy/dispensations/new/")
    page.get_by_role("button", name="Ask for the dispensation").click()
    expect(page.get_by_role("alert")).to_contain_text("Select the position that they are released from")
    look(page, "dispensation-errors")
    page.get_by_label("Do not co-operate: no upload").check()
    page.get_by_label("Practices").fill(england.ods_code)
    last = page.get_by_role("group", name="Last day")
    for box, text in (("Day", "2"), ("Month", "3"), ("Year", "2099")):
        last.get_by_label(box).fill(text)
    page.get_by_label("Reason").fill("They take part in the evaluation itself.")
    press(page, "Ask for the dispensation")
    expect(page.get_by_text("so somebody else must agree")).to_be_visible()
    look(page, "dispensation-asked")

    log_in(national_admin)
    page.goto(live_server.url + "/policy/dispensations/")
    look(page, "dispensations")
    page.get_by_role("link", name=england.ods_code).click()
    expect(page.get_by_text("Uploads would start for 3 patients with consent.")).to_be_visible()
    page.get_by_label("Why do you agree?").fill("As the committee decided.")
    press(page, "Agree: release 1 practice")
    confirm_password(page)
    expect(page.get_by_label("Why do you agree?")).to_have_value("As the committee decided.")
    press(page, "Agree: release 1 practice")
    expect(page.get_by_role("alert")).to_contain_text("The dispensation is agreed.")
    look(page, "dispensation-agreed")

    log_in(gp)
    page.goto(live_server.url + "/policy/")
    expect(page.get_by_text("Your practice is released until the end of 2 March 2099")).to_be_visible()
    expect(strip(page)).to_contain_text("No BMA boycott in force")
    look(page, "policy-released")


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
    guard_over(page)
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
    second = give_password(make_user(Role.NATIONAL_ADMIN))
    log_in(national_admin)
    page.goto(live_server.url + "/policy/stop/")
    look(page, "stop")
    page.get_by_label("Reason").fill("wrong practice code in receipts")
    page.get_by_role("button", name="Stop all uploads now").click()
    expect(strip(page)).to_contain_text("Reason: wrong practice code in receipts.")
    look(page, "stop-stopped")
    page.get_by_label("Why may uploads run again?").fill("Codes corrected")
    press(page, "Ask to resume uploads")
    log_in(gp)
    page.goto(live_server.url + "/")
    expect(strip(page)).to_contain_text("All uploads were stopped at")
    look(page, "home-gp-stopped")
    log_in(second)
    page.goto(live_server.url + "/")
    look(page, "home-second")
    page.get_by_role("link", name="Request to resume uploads").click()
    look(page, "stop-second")
    page.get_by_label("Why do you agree?").fill("I checked ten receipts")
    press(page, "Resume uploads")
    confirm_password(page)
    expect(page.get_by_role("region", name="Important")).to_contain_text("Nothing has been done yet.")
    look(page, "stop-not-done")
    expect(page.get_by_label("Why do you agree?")).to_have_value("I checked ten receipts")
    press(page, "Resume uploads")
    expect(strip(page)).to_contain_text("No BMA boycott in force.")
    look(page, "stop-over")


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
