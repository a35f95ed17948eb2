"""Guidance as people meet it: written by one, published by another, acknowledged, printed, compared."""

import pytest
from playwright.sync_api import expect

from boycott.models import GuidanceAcknowledgement
from carerecords.permissions import Role
from tests.browser import guard_over, look, shot
from tests.factories import make_user
from tests.guidance_factories import GUIDANCE_SLUG, TEXT, make_guidance, publish_guidance

pytestmark = pytest.mark.django_db(transaction=True)


def test_written_published_acknowledged_and_printed(screen, live_server, policy_admin, manager, gp):
    screen.as_(policy_admin)
    screen.goto(live_server.url + "/policy/")
    screen.get_by_role("link", name="Write and publish guidance").click()
    look(screen, "guidance-none")
    screen.get_by_role("button", name="Write a new page").click()
    screen.get_by_role("button", name="Save draft").click()
    expect(screen).to_have_title("Error: Write a new page - Care record upload consent")
    look(screen, "guidance-edit-errors")
    screen.get_by_label("Title").fill("Practical steps for GPs")
    screen.get_by_label("Text", exact=True).fill(TEXT)
    screen.get_by_label("By itself, as soon as another policy admin publishes it").check()
    guard_over(screen)
    screen.get_by_role("button", name="Save draft").click()
    expect(
        screen.get_by_text("You wrote this draft, so another policy admin must publish it.")
    ).to_be_visible()

    screen.as_(make_user(Role.POLICY_ADMIN))
    screen.goto(f"{live_server.url}/policy/guidance/{GUIDANCE_SLUG}/draft/")
    look(screen, "guidance-draft")
    screen.get_by_role("button", name="Publish version 1").click()

    screen.as_(manager)
    screen.goto(live_server.url + "/")
    screen.get_by_role("link", name="Page of guidance to acknowledge").click()
    look(screen, "guidance-list")
    screen.get_by_role("link", name="Read Practical steps for GPs").click()
    look(screen, "guidance-page")
    screen.get_by_role("button", name="Acknowledge version 1").click()
    expect(screen.get_by_text("Your practice has acknowledged version 1.")).to_be_visible()
    assert GuidanceAcknowledgement.objects.get().made_by == manager

    screen.emulate_media(media="print")
    boxes = screen.locator(".care-step").evaluate_all(
        "steps => steps.map(step => getComputedStyle(step, '::before').width)"
    )
    assert boxes == ["20px", "20px"], "each step has a box on paper"
    expect(screen.get_by_text("Done by")).to_be_visible()
    expect(screen.get_by_role("button", name="Acknowledge version 1")).to_have_count(0)
    expect(screen.get_by_role("heading", name="Acknowledging this version")).to_be_hidden()
    shot(screen, "guidance-print")


def test_what_changed_and_who_may_say_so(page, live_server, log_in, gp):
    first = publish_guidance(make_guidance())
    text = (
        TEXT.replace("**all** partners", "all GPs of the practice") + "\n- [ ] Tell the Caldicott Guardian\n"
    )
    publish_guidance(make_guidance(page=first.page, text=text))
    log_in(gp)
    page.goto(f"{live_server.url}/policy/guidance/{GUIDANCE_SLUG}/")
    page.get_by_role("button", name="Acknowledge version 2").click()
    expect(page.get_by_role("alert")).to_contain_text(
        "Confirm that you are a partner, or ask one to acknowledge it"
    )
    look(page, "guidance-page-error")
    page.get_by_role("link", name="Earlier versions and what changed").click()
    expect(page.locator("ins", has_text="Tell the Caldicott Guardian")).to_be_visible()
    look(page, "guidance-versions")
