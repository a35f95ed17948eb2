"""What silence means, changed by two national admins in a browser."""

import pytest
from playwright.sync_api import expect

from carerecords.permissions import Role
from consent.models import ConsentModelRevision
from tests.browser import look
from tests.factories import make_user

pytestmark = pytest.mark.django_db(transaction=True)


def test_one_proposes_and_another_approves(screen, live_server, national_admin, gp):
    other = make_user(Role.NATIONAL_ADMIN)
    screen.as_(national_admin)
    screen.goto(f"{live_server.url}/consent/model/")
    screen.get_by_role("button", name="Send for approval").click()
    expect(screen.get_by_role("link", name="Select what counts as consent")).to_be_visible()
    look(screen, "consent-model-errors")
    screen.get_by_label("Implied consent for core", exact=True).check()
    screen.get_by_label("Reason").fill("Agreed with the profession in September.")
    screen.get_by_role("button", name="Send for approval").click()
    expect(screen.get_by_text("Another national admin has to approve your proposal.")).to_be_visible()
    assert screen.get_by_role("button", name="Approve").count() == 0
    screen.as_(other)
    screen.reload()
    look(screen, "consent-model-approve")
    screen.get_by_role("button", name="Approve: change what counts as consent").click()
    expect(screen.get_by_text("Implied consent for core from today.")).to_be_visible()
    assert ConsentModelRevision.objects.get().recorded_by == other
    screen.as_(gp)
    screen.reload()
    assert screen.get_by_role("button", name="Send for approval").count() == 0
    look(screen, "consent-model")
