"""The emergency stop: at once by one, resumed by another."""

from dataclasses import replace

import pytest
from django.utils import timezone

from carerecords.permissions import Role
from spine.actions import StopRefused, resume_uploads, stop_uploads
from spine.facts import load_one
from spine.gate import Kind, Outcome
from spine.gate import decide as gate
from spine.models import StopRevision
from spine.reasons import Reason
from tests.factories import decide, make_user

pytestmark = pytest.mark.django_db
STOP = "/policy/stop/"


def stop(by, reason="Wrong practice code in receipts"):
    return stop_uploads(reason=reason, by=by, at=timezone.now())


def resume(by, reason="Codes corrected and checked"):
    return resume_uploads(reason=reason, by=by, at=timezone.now())


def test_a_stop_holds_what_would_go(national_admin, patient):
    decide(patient)
    assert gate(load_one(patient, timezone.now()).facts).outcome is Outcome.SEND
    stop(national_admin)
    assert gate(load_one(patient, timezone.now()).facts).reasons == (Reason.SYSTEM_STOP,)
    resume(make_user(Role.NATIONAL_ADMIN))
    assert gate(load_one(patient, timezone.now()).facts).outcome is Outcome.SEND


def test_withdrawals_pass_a_stop(national_admin, patient):
    stop(national_admin)
    facts = replace(load_one(patient, timezone.now()).facts, kind=Kind.WITHDRAWAL)
    assert gate(facts).outcome is Outcome.SEND


def test_refusals_write_nothing(national_admin):
    other = make_user(Role.NATIONAL_ADMIN)
    for verb, words in (
        (lambda: stop(national_admin, " "), "Enter a reason"),
        (lambda: resume(other), "not stopped"),
    ):
        with pytest.raises(StopRefused, match=words):
            verb()
    assert not StopRevision.objects.exists()
    stop(national_admin)
    with pytest.raises(StopRefused, match="stopped already"):
        stop(other)
    with pytest.raises(StopRefused, match="somebody else must resume"):
        resume(national_admin)
    assert StopRevision.objects.count() == 1


def test_on_screen(client, national_admin, gp):
    client.force_login(national_admin)
    assert "Stop all uploads now" in client.get(STOP).content.decode()
    page = client.post(STOP, {"do": "stop", "reason": ""}).content.decode()
    assert "Enter a reason" in page and "<title>Error: " in page
    assert not StopRevision.objects.exists()

    done = client.post(STOP, {"do": "stop", "reason": "Wrong practice code"}, follow=True).content.decode()
    assert "All uploads are stopped. No upload has begun since" in done
    assert "somebody else must resume" in done and "Why may uploads run again?" not in done
    again = client.post(STOP, {"do": "stop", "reason": "Wrong practice code"}).content.decode()
    assert "All uploads are stopped already" in again
    own = client.post(STOP, {"do": "resume", "reason": "Corrected"}).content.decode()
    assert "You stopped uploads, so somebody else must resume them" in own
    assert StopRevision.objects.count() == 1

    client.force_login(gp)
    strip = client.get("/policy/").content.decode()
    assert f"by {national_admin.short_name}. Reason: Wrong practice code." in strip

    client.force_login(make_user(Role.NATIONAL_ADMIN))
    done = client.post(STOP, {"do": "resume", "reason": "Corrected"}, follow=True).content.decode()
    assert "Uploads run again" in done
    assert [one.stopped for one in StopRevision.objects.order_by("pk")] == [True, False]


@pytest.mark.parametrize(
    "who", ["gp", "staff", "manager", "privacy_officer", "policy_admin", "auditor", "api_client"]
)
def test_nobody_else(client, request, who):
    client.force_login(request.getfixturevalue(who))
    assert client.get(STOP).status_code == 403
    assert client.post(STOP, {"do": "stop", "reason": "Because"}).status_code == 403
    assert not StopRevision.objects.exists()
