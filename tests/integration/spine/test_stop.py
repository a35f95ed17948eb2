"""The emergency stop: at once by one, reviewed by a second, lifted by two."""

import datetime
from dataclasses import replace

import pytest
from django.utils import timezone

from carerecords.confirmation import Confirmation, NotConfirmed
from carerecords.permissions import NotPermitted, Role
from spine.facts import load_one
from spine.gate import Kind, Outcome
from spine.gate import decide as gate
from spine.models import StopRevision, StopStep
from spine.policy.actions import (
    StopRefused,
    agree_to_resume,
    ask_to_resume,
    decline_to_resume,
    review_stop,
    stop_uploads,
)
from spine.policy.stopping import REVIEW_WITHIN, stop_history, stopping
from spine.reasons import Reason
from tests.factories import decide, make_user
from tests.logging_in import log_in_now

pytestmark = pytest.mark.django_db
STOP = "/policy/stop/"


@pytest.fixture
def second(db):
    return make_user(Role.NATIONAL_ADMIN)


def stop(by, reason="Wrong practice code in receipts"):
    return stop_uploads(reason=reason, by=by, at=timezone.now())


def review(by, note="The codes are wrong in every receipt"):
    return review_stop(note=note, by=by, at=timezone.now())


def ask(by, reason="Codes corrected and checked"):
    return ask_to_resume(reason=reason, by=by, at=timezone.now())


def agree(by, note="I checked ten receipts", **more):
    at = timezone.now()
    given = {"confirmed": Confirmation(by.pk, at)} | more
    return agree_to_resume(note=note, by=by, at=at, **given)


def written():
    return StopRevision.objects.count(), StopStep.objects.count()


def refused(words, verb, *args, **more):
    before = written()
    with pytest.raises(StopRefused, match=words):
        verb(*args, **more)
    assert written() == before


def test_a_stop_holds_what_would_go(national_admin, second, patient):
    decide(patient)
    assert gate(load_one(patient, timezone.now()).facts).outcome is Outcome.SEND
    stop(national_admin)
    assert gate(load_one(patient, timezone.now()).facts).reasons == (Reason.SYSTEM_STOP,)
    ask(national_admin)
    assert gate(load_one(patient, timezone.now()).facts).reasons == (Reason.SYSTEM_STOP,)
    agree(second)
    assert gate(load_one(patient, timezone.now()).facts).outcome is Outcome.SEND


def test_withdrawals_pass_a_stop(national_admin, patient):
    stop(national_admin)
    facts = replace(load_one(patient, timezone.now()).facts, kind=Kind.WITHDRAWAL)
    assert gate(facts).outcome is Outcome.SEND


def test_resuming_takes_two_whoever_they_are(national_admin, second):
    refused("not stopped", ask, second)
    refused("Enter a reason", stop, national_admin, " ")
    stop(national_admin)
    refused("stopped already", stop, second)
    refused("Nobody has asked", agree, second)
    ask(second)
    refused("has asked to resume already", ask, national_admin)
    refused("somebody else must agree", agree, second)
    made = agree(national_admin)
    assert (made.stopped, made.made_by, made.reason) == (False, national_admin, "Codes corrected and checked")
    kinds = list(StopStep.objects.order_by("pk").values_list("kind", "made_by"))
    assert kinds == [("RESUME_ASKED", second.pk), ("RESUME_AGREED", national_admin.pk)]
    refused("not stopped", agree, second)


def test_the_history_keeps_both_reasons_with_who_gave_each(client, national_admin, second):
    stop(national_admin)
    ask(national_admin, "Codes corrected")
    agree(second, "I checked ten receipts")
    told = [(one.title, one.who, one.text) for one in stop_history()]
    assert told == [
        ("Uploads resumed", second.short_name, "I checked ten receipts"),
        ("Asked to resume uploads", national_admin.short_name, "Codes corrected"),
        ("All uploads stopped", national_admin.short_name, "Wrong practice code in receipts"),
    ]
    client.force_login(second)
    page = client.get(STOP).content.decode()
    assert page.count("I checked ten receipts") == page.count("Codes corrected") == 1


def test_declining_ends_the_request_and_not_the_stop(national_admin, second):
    stop(national_admin)
    ask(national_admin)
    decline_to_resume(note="Two codes are still wrong", by=second, at=timezone.now())
    assert stopping().asked is None
    refused("Nobody has asked", agree, second)
    ask(second)
    agree(national_admin)


def test_agreeing_asks_for_a_fresh_proof(national_admin, second):
    stop(national_admin)
    ask(national_admin)
    old = Confirmation(second.pk, timezone.now() - datetime.timedelta(minutes=6))
    for confirmed in (None, old, Confirmation(national_admin.pk, timezone.now())):
        with pytest.raises(NotConfirmed):
            agree(second, confirmed=confirmed)
    assert stopping() is not None


def test_a_second_person_reviews_within_a_day(national_admin, second):
    stop(national_admin)
    now = stopping()
    assert not now.is_overdue(now.stop.made_at + REVIEW_WITHIN)
    assert now.is_overdue(now.stop.made_at + REVIEW_WITHIN + datetime.timedelta(seconds=1))
    refused("somebody else must review", review, national_admin)
    review(second)
    now = stopping()
    assert now.review.made_by == second and not now.is_overdue(now.review_by + datetime.timedelta(days=9))
    refused("has reviewed this stop already", review, make_user(Role.NATIONAL_ADMIN))


def test_each_stop_is_reviewed_by_itself(national_admin, second):
    stop(national_admin)
    review(second)
    ask(second)
    agree(national_admin)
    stop(second)
    assert stopping().review is None and stopping().asked is None


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.NATIONAL_ADMIN}), ids=str)
def test_nobody_else_below_the_screens(role, national_admin):
    somebody = make_user(role)
    for verb in (stop, review, ask, agree):
        with pytest.raises(NotPermitted):
            verb(somebody)
    assert written() == (0, 0)


def test_on_screen(client, national_admin, second, gp):
    client.force_login(national_admin)
    assert "Stop all uploads now" in client.get(STOP).content.decode()
    page = client.post(STOP, {"do": "stop", "reason": ""}).content.decode()
    assert "Enter a reason" in page and "<title>Error: " in page
    assert written() == (0, 0)

    done = client.post(STOP, {"do": "stop", "reason": "Wrong practice code"}, follow=True).content.decode()
    assert "All uploads are stopped. No upload has begun since" in done
    assert "somebody else must review" in done and "The stop is right" not in done
    again = client.post(STOP, {"do": "stop", "reason": "Wrong practice code"}).content.decode()
    assert "All uploads are stopped already" in again
    client.post(STOP, {"do": "ask", "reason": "Corrected"})
    own = client.post(STOP, {"do": "agree", "reason": "I agree with me"}).content.decode()
    assert "You asked to resume uploads, so somebody else must agree" in own
    assert StopRevision.objects.count() == 1

    client.force_login(gp)
    strip = client.get("/policy/").content.decode()
    assert f"by {national_admin.short_name}. Reason: Wrong practice code." in strip

    log_in_now(client, second)
    page = client.get(STOP).content.decode()
    assert "Agree to resume uploads" in page and "Review the stop" in page
    client.post(STOP, {"do": "review", "reason": "Right: the codes were wrong"})
    done = client.post(STOP, {"do": "agree", "reason": "Corrected indeed"}, follow=True).content.decode()
    assert "Uploads run again" in done
    assert [one.stopped for one in StopRevision.objects.order_by("pk")] == [True, False]
    for line in ("Stop reviewed", "Asked to resume uploads", "Uploads resumed"):
        assert line in done


def test_an_old_log_in_is_asked_for_the_password_and_keeps_the_words(client, national_admin, second):
    stop(national_admin)
    ask(national_admin)
    client.force_login(second)
    asked = client.post(STOP, {"do": "agree", "reason": "I checked ten receipts"})
    assert asked.url == "/account/confirm/?next=%2Fpolicy%2Fstop%2F"
    assert stopping() is not None
    assert "I checked ten receipts" in client.get(STOP).content.decode()


@pytest.mark.parametrize(
    "who", ["gp", "staff", "manager", "privacy_officer", "policy_admin", "auditor", "api_client"]
)
def test_nobody_else(client, request, who):
    client.force_login(request.getfixturevalue(who))
    assert client.get(STOP).status_code == 403
    assert client.post(STOP, {"do": "stop", "reason": "Because"}).status_code == 403
    assert not StopRevision.objects.exists()
