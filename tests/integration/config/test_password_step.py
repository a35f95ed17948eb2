"""A press that leads to the password step: whoever comes back reads that nothing was done."""

import pytest
from django.urls import reverse
from django.utils import timezone

from boycott.models.dispensation import DispensationStep
from carerecords.permissions import Role
from config.password_step import NOTHING_DONE
from spine.models import SendingRun
from spine.policy.actions import ask_to_resume, stop_uploads
from spine.policy.stopping import stopping
from tests.factories import make_user
from tests.logging_in import PASSWORD, give_password
from tests.policy_factories import make_dispensation, submit

pytestmark = pytest.mark.django_db
STOP = "/policy/stop/"
AGREED = {"do": "agree", "reason": "I checked ten receipts"}


@pytest.fixture
def asked(national_admin):
    stop_uploads(reason="Wrong codes", by=national_admin, at=timezone.now())
    ask_to_resume(reason="Corrected", by=national_admin, at=timezone.now())


def old_log_in(client, role):
    """Somebody who logged in long ago, and knows the password."""
    somebody = give_password(make_user(role))
    client.force_login(somebody)
    return somebody


def told(client, address):
    return NOTHING_DONE in client.get(address).content.decode()


def confirm(client, address, password=PASSWORD):
    return client.post(reverse("account_reauthenticate"), {"password": password, "next": address})


def test_the_stop_says_so_once_and_the_second_press_counts(client, asked):
    old_log_in(client, Role.NATIONAL_ADMIN)
    assert client.post(STOP, AGREED).url.startswith("/account/confirm/?next=")
    assert not told(client, "/account/confirm/?next=%2Fpolicy%2Fstop%2F")
    assert "Password is not right" in confirm(client, STOP, "another").content.decode()
    assert confirm(client, STOP).url == STOP
    page = client.get(STOP).content.decode()
    banner = page[page.index('<div class="nhsuk-notification-banner') : page.index("<h1")]
    assert NOTHING_DONE in banner and "Important" in banner
    assert AGREED["reason"] in page and stopping() is not None
    assert not told(client, STOP)
    done = client.post(STOP, AGREED, follow=True).content.decode()
    assert "Uploads run again" in done and NOTHING_DONE not in done and stopping() is None


def test_a_dispensation_says_so(client, practice):
    dispensation = make_dispensation([practice])
    address = reverse("spine:dispensation", args=[dispensation.public_id])
    old_log_in(client, Role.POLICY_ADMIN)
    client.post(address, {"do": "agree", "comment": "They were asked to by us"})
    assert confirm(client, address).url == address
    assert told(client, address) and not DispensationStep.objects.exists()


def test_an_approval_says_so_only_after_a_press(client, policy_admin):
    found = submit(policy_admin)
    address = reverse("spine:change_approve", args=[found.change.public_id])
    old_log_in(client, Role.POLICY_ADMIN)
    # Opening the page asks for the password too, and there nothing was pressed.
    assert client.get(address).url.startswith("/account/confirm/")
    assert confirm(client, address).url == address and not told(client, address)
    session = client.session
    session["account_authentication_methods"] = []
    session.save()
    client.post(address, {"seen": found.fingerprint, "phrase": "START BOYCOTT", "comment": "As decided"})
    assert confirm(client, address).url == address and told(client, address)


def test_no_other_page_says_so(client, asked):
    old_log_in(client, Role.NATIONAL_ADMIN)
    client.post(STOP, AGREED)
    confirm(client, "/policy/")
    assert not told(client, "/policy/") and not told(client, STOP)


def test_a_run_of_the_programme_says_so(client, practice):
    old_log_in(client, Role.NATIONAL_ADMIN)
    asked = {"kind": "INITIAL", "group": "ALL", "hours": "ANY", "opens": "7pm", "closes": "7am"}
    client.post(reverse("spine:run_new"), asked | {"where": "CODES", "ods_codes": practice.ods_code})
    run = SendingRun.objects.get()
    address = reverse("spine:run_check", args=[run.public_id])
    client.post(address, {"as_at": timezone.now().isoformat()})
    assert confirm(client, address).url == address and told(client, address)
    run.refresh_from_db()
    assert run.state == "DRAFT"
