"""The strip through its six states, and what a GP reads of the moment in which uploads became quiet."""

import datetime

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from boycott.positions import Stance
from carerecords.models import UploadJob
from spine.policy.actions import stop_uploads
from tests.browser import look
from tests.factories import decide, make_patient
from tests.integration.spine.test_quiet import sent
from tests.policy_factories import answer, end_boycott, rival_position, start_boycott

pytestmark = pytest.mark.django_db(transaction=True)


def test_one_boycott_from_nothing_to_the_emergency_stop(
    page, live_server, log_in, gp, manager, practice, national_admin
):
    """Each state by its words and by the shape of its mark, so that no colour is needed."""
    decide(make_patient(practice, usual_gp=gp), by=gp)
    seen = {}

    def state(name, *words):
        page.goto(live_server.url + "/help/")
        strip = page.get_by_role("region", name="Upload policy")
        for part in words:
            expect(strip).to_contain_text(part)
        seen[name] = strip.locator(".care-strip__mark").evaluate(
            "mark => { const style = getComputedStyle(mark);"
            " return [style.borderRadius, style.borderWidth, style.backgroundImage].join(); }"
        )
        look(page, f"strip-{name}")

    log_in(gp)
    state("off", "No BMA boycott in force. Uploads run for patients with consent.")
    start_boycott(starts_at=timezone.now() + datetime.timedelta(days=2))
    state("scheduled", "BMA boycott starts on", "Uploads run until then.")
    start_boycott()
    state("on-followed", "Your practice follows it: uploads are stopped for 1 patient.")
    answer(practice, Stance.DO_NOT_FOLLOW, by=manager)
    state("on-not-followed", "Your practice does not follow it: uploads continue")
    answer(practice, Stance.FOLLOW, by=manager)
    rival_position()
    state("conflict", "BMA policy is conflicting: 2 adopted positions disagree.")
    stop_uploads(reason="Wrong codes", by=national_admin, at=timezone.now())
    state("stop", "All uploads were stopped at", "Reason: Wrong codes.")
    assert seen["stop"] == seen["on-followed"], "A square: stopped"
    assert len(seen) == 6 and len(set(seen.values())) == 5


def test_a_gp_reads_which_uploads_were_in_flight(
    page, live_server, log_in, gp, manager, practice, policy_admin, national_admin
):
    for _ in range(3):
        sent(decide(make_patient(practice, usual_gp=gp), by=gp).job)
    sent(decide(make_patient()).job)
    start_boycott(policy_admin)
    answer(practice, Stance.HOLD, by=manager)
    log_in(gp)
    page.goto(live_server.url + "/policy/")
    expect(page.get_by_text("4 uploads were in flight and could not be recalled.")).to_be_visible()
    page.get_by_text("3 uploads of your practice in flight").click()
    look(page, "policy-quiet")
    page.goto(live_server.url + "/practice/stance/")
    page.get_by_text("3 uploads of your practice in flight").click()
    look(page, "stance-quiet")
    links = page.locator(".nhsuk-details__text a")
    shown = {link.get_attribute("href") for link in links.all()}
    ids = UploadJob.objects.filter(practice=practice).values_list("public_id", flat=True)
    assert shown == {f"/uploads/{one}/" for one in ids}
    links.first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("pload")
    log_in(policy_admin)
    page.goto(live_server.url + "/policy/changes/")
    page.get_by_role("link", name="Do not co-operate: no upload").click()
    look(page, "change-quiet")
    end_boycott(policy_admin)
    stop_uploads(reason="Wrong codes", by=national_admin, at=timezone.now())
    log_in(national_admin)
    page.goto(live_server.url + "/policy/stop/")
    look(page, "stop-quiet")
