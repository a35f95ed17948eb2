"""Refusals that look like policy, in a browser: shown with evidence, turned into a stance, taken back."""

import datetime

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from boycott.positions import Stance
from boycott.queries import stance_of
from carerecords.models import Patient
from consent import bulk_runs
from consent.codes import BulkKind, ConsentState, Preference, Source
from consent.models import BulkRun, ConsentEvent
from tests.browser import guard_over, look
from tests.factories import decide, make_list
from tests.policy_factories import start_boycott

pytestmark = pytest.mark.django_db(transaction=True)
BEGAN = timezone.now() - datetime.timedelta(days=20)


@pytest.fixture
def refused(practice, gp, staff, policy_admin):
    """Thirty refused within five minutes, three days after a motion; the first two had consented. One
    of the others said nothing, and that was taken for consent."""
    *people, silent = make_list(practice, 40)
    Patient.objects.filter(pk=silent.pk).update(consent_state=ConsentState.IMPLIED_CORE)
    people = people[:30]
    for patient in people[:2]:
        before = BEGAN - datetime.timedelta(days=30)
        decide(patient, by=gp, at=before, decided_on=timezone.localdate(before))
    start_boycott(policy_admin, BEGAN - datetime.timedelta(days=3))
    for step, patient in enumerate(people):
        decide(
            patient,
            Preference.EXPRESS_DISSENT,
            by=staff,
            at=BEGAN + datetime.timedelta(seconds=10 * step),
            source=Source.LETTER,
            reference="BMA",
        )
    return people


def say_no_themselves(patient, gp):
    decide(Patient.objects.get(pk=patient.pk), Preference.EXPRESS_DISSENT, by=gp, source=Source.PHONE)


def states():
    return [state for (state,) in Patient.objects.order_by("family_name").values_list("consent_state")]


def test_nothing_to_see(page, live_server, log_in, gp):
    log_in(gp)
    page.goto(f"{live_server.url}/reports/refusals/")
    expect(page.get_by_text("None. No 20 refusals were recorded close upon one another.")).to_be_visible()
    look(page, "refusals-none")


def test_policy_written_into_records_is_found_and_put_right(
    screen, live_server, manager, gp, practice, refused, monkeypatch
):
    page = screen
    page.as_(manager)
    page.goto(live_server.url)
    page.get_by_role("link", name="Group of refusals that looks like policy").click()
    expect(page.get_by_text("30 refusals between")).to_be_visible()
    expect(page.get_by_text("This looks like policy, not like patients.")).to_be_visible()
    expect(page.get_by_text("1 patient said nothing after a letter, and implied consent was")).to_be_visible()
    page.locator("summary", has_text="The same as a table").click()
    look(page, "refusals")
    page.get_by_role("link", name="See the evidence").click()
    for evidence in (
        "30 refusals in one go. Otherwise the practice records fewer than 1 a month.",
        "One was recorded every 10 seconds: too fast to have asked each patient.",
        "All were recorded by the same person.",
        "All name the same source and reference.",
        "All follow the order of family names, as when a list is worked through.",
        "They are 75% of the practice's patients.",
        "A BMA position against uploads applied from",
    ):
        expect(page.locator("main")).to_contain_text(evidence)
    look(page, "burst")
    page.get_by_role("button", name="Turn into the practice's stance").click()
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("alert")).to_contain_text("Select what the practice says instead")
    look(page, "conversion-errors")
    page.get_by_label("Hold uploads whatever the policy").check()
    page.get_by_label("Who agreed this").fill("The partners")
    for box, number in (("Day", 2), ("Month", 3), ("Year", 2026)):
        page.get_by_label(box).fill(str(number))
    page.get_by_label("Why these refusals are not").fill("Typed in from a list after the vote.")
    guard_over(page)
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_text("30 refusals are marked as recorded in error.")).to_be_visible()
    look(page, "conversion-check")

    # One patient is asked while the page stands open, so the figures are checked again; another
    # before the worker comes, and is left alone and named.
    say_no_themselves(refused[5], gp)
    page.get_by_role("button", name="Turn 30 refusals into a stance").click()
    expect(page.get_by_role("alert")).to_contain_text("Decisions changed since this page was shown.")
    look(page, "conversion-check-changed")
    guard_over(page)
    page.get_by_role("button", name="Turn 29 refusals into a stance").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Refusals turned into a stance")
    look(page, "conversion-waiting")
    say_no_themselves(refused[6], gp)
    run = BulkRun.objects.get(kind=BulkKind.CONVERSION)
    bulk_runs.work(run.public_id, timezone.now)
    if not page.scripts:
        page.get_by_role("link", name="Refresh").click()
    finished = "Finished. 28 patients changed, 0 already so, 1 skipped."
    expect(page.locator("#run").get_by_text(finished)).to_be_visible()
    expect(page.get_by_role("listitem").filter(has_text="PERSON0007")).to_contain_text("decided meanwhile")
    look(page, "conversion-done")
    # Their own preference holds again, and nothing of it can leave: the practice holds uploads now.
    assert states()[:8] == ["EXPRESS_CORE"] * 2 + ["NONE"] * 3 + ["EXPRESS_DISSENT"] * 2 + ["NONE"]
    assert stance_of(practice)[0] is Stance.HOLD
    assert ConsentEvent.objects.filter(kind="INVALID").count() == 28
    expect(page.get_by_role("region", name="Upload policy")).to_contain_text("uploads")

    page.get_by_role("button", name="Put the refusals back").click()
    run.refresh_from_db()
    bulk_runs.work(run.public_id, timezone.now)
    page.reload()
    expect(page.locator("#run").get_by_text("Undone for 28 patients.")).to_be_visible()
    look(page, "conversion-undone")
    assert states()[:30] == ["EXPRESS_DISSENT"] * 30 and stance_of(practice)[0] is Stance.FOLLOW
