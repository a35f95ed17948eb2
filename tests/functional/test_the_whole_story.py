"""The main job from end to end: tick, upload, refusal, boycott, and its end.

Real pages, a real worker and clock behind a real broker, and the store's own ledger as witness.
"""

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from boycott.positions import Position
from carerecords.models import UploadJob
from carerecords.permissions import Role
from spine.uploads.ledger import compare
from tests.browser import axe, shot
from tests.factories import make_item, make_patient, make_user
from tests.localstore_process import fresh_nhs_number, running_store, wait_until
from tests.logging_in import PASSWORD, give_password
from tests.policy_factories import submit
from tests.whole_product import bell, broker, whole_product  # noqa: F401

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(240)]


@pytest.fixture
def localstore():
    """A store that nobody else sends to, so that its whole ledger can be compared."""
    yield from running_store()


@pytest.fixture
def patients(practice, gp):
    """Two patients with something to upload."""
    made = []
    for name in ("Adeyemi", "Brown"):
        patient = make_patient(
            practice, family_name=name, given_name="Grace", usual_gp=gp, nhs_number=fresh_nhs_number()
        )
        make_item(patient)
        made.append(patient)
    return made


class Story:
    """The steps, in the words of the people who take them."""

    def __init__(self, page, live_server, log_in, store):
        self.page, self.url, self.log_in, self.store = page, live_server.url, log_in, store

    def gp_finds(self, patient):
        """By the NHS number as it stands on a letter."""
        self.page.goto(self.url + "/patients/")
        number = patient.nhs_number
        self.page.get_by_label("Find a patient").fill(f"{number[:3]}-{number[3:6]}-{number[6:]}")
        self.page.get_by_role("button", name="Search").click()
        expect(self.page.get_by_text(f"{number[:3]} {number[3:6]} {number[6:]}")).to_be_visible()
        assert number not in self.page.url

    def gp_records(self, decision):
        self.page.get_by_label(decision, exact=True).check()
        self.page.get_by_label("In person").check()
        today = timezone.localdate()
        for label, value in (("Day", today.day), ("Month", today.month), ("Year", today.year)):
            self.page.get_by_label(label, exact=True).fill(str(value))
        self.page.get_by_role("button", name="Save decision").last.click()

    def uploads(self):
        return [line for line in self.store.ledger() if line["kind"] == "upload"]

    def store_has(self, count):
        wait_until(lambda: len(self.uploads()) >= count, 60)
        lines = self.uploads()
        assert len(lines) == count and all(line["outcome"] == "accepted" for line in lines)
        return lines[-1]

    def page_says(self, words):
        """After a look or two: the receipt is written a moment after the store has it."""

        def there():
            self.page.reload()
            return words in self.page.locator("main").inner_text()

        wait_until(there, 30)

    def admins_switch(self, sender, approver, position, phrase, button):
        """One has sent it; the other, who logged in long ago, approves it here."""
        sent = submit(sender, position=position)
        self.log_in(approver)
        self.page.goto(f"{self.url}/policy/changes/{sent.change.public_id}/approve/")
        if "confirm" in self.page.url:
            self.page.get_by_label("Password", exact=True).fill(PASSWORD)
            self.page.get_by_role("button", name="Continue").click()
        self.page.get_by_label(f"Type {phrase} to approve").fill(phrase)
        self.page.get_by_label("Comment").fill("As the meeting decided.")
        self.page.get_by_role("button", name=button).click()
        expect(self.page.get_by_role("alert")).to_be_visible()


def test_the_whole_story(page, live_server, log_in, whole_product, gp, policy_admin, patients, settings):
    story = Story(page, live_server, log_in, whole_product)
    first, second = patients

    # A GP ticks consent, and the record goes by itself.
    log_in(gp)
    story.gp_finds(first)
    story.gp_records("Consents: core only")
    expect(page.get_by_role("alert")).to_contain_text("Consent given recorded for ADEYEMI, Grace")
    assert story.uploads() == []
    assert story.store_has(1)["nhs_number"] == first.nhs_number
    story.page_says("Uploaded on")
    axe(page)
    shot(page, "story-uploaded")

    # The patient refuses, and the record is blanked there.
    story.gp_records("Refuses")
    blank = story.store_has(2)
    assert blank["is_blank"] and blank["nhs_number"] == first.nhs_number
    story.page_says("Removed from the Spine on")

    # The union asks for non-co-operation: a new consent is held, with the reason.
    approver = give_password(make_user(Role.POLICY_ADMIN))
    story.admins_switch(
        policy_admin,
        approver,
        Position.NON_COOPERATION,
        "START BOYCOTT",
        "Approve: stop uploads for 1 practice",
    )
    log_in(gp)
    story.gp_finds(second)
    story.gp_records("Consents: core only")
    wait_until(lambda: UploadJob.objects.filter(patient=second, state="HELD").exists(), 60)
    story.page_says("BMA boycott in force and this practice follows it.")
    shot(page, "story-held")
    assert len(story.uploads()) == 2

    # It ends, and what was held goes by itself.
    held_at = page.url
    story.admins_switch(
        policy_admin, approver, Position.COOPERATE, "END BOYCOTT", "Approve: end the boycott for 1 practice"
    )
    assert story.store_has(3)["nhs_number"] == second.nhs_number
    log_in(gp)
    page.goto(held_at)
    story.page_says("Uploaded on")

    # The store's ledger and our rows tell the same story.
    wait_until(lambda: not UploadJob.objects.filter(state__in=["SENDING", "IN_DOUBT"]).exists(), 30)
    compared = compare(f"{whole_product.base_url}/ledger")
    assert (compared.ledger_lines, compared.accepted_jobs, compared.differences) == (3, 3, [])
