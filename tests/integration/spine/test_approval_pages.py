"""The pages on which a change of policy is approved, rejected or cancelled."""

import pytest
from django.utils import timezone

from boycott.models import GuidancePublication, PositionRevision
from boycott.positions import Position
from carerecords.permissions import Role
from spine.policy.actions import stop_uploads
from spine.policy.change_by_command import shown
from spine.policy.change_page import WHILE_STOPPED
from tests.factories import decide, make_patient, make_user
from tests.integration.spine.policy_reading import at_change, read
from tests.logging_in import PASSWORD, log_in_now
from tests.policy_factories import COMMENT, approve, rival_position, submit

pytestmark = pytest.mark.django_db
POLICY = "/policy/"


@pytest.fixture
def colleague(db):
    return make_user(Role.POLICY_ADMIN)


def give(found, **more):
    return {"seen": found.fingerprint, "phrase": "START BOYCOTT", "comment": COMMENT} | more


@pytest.fixture
def sent(policy_admin, patient):
    decide(patient)
    return submit(policy_admin)


def test_the_way(client, sent, colleague):
    log_in_now(client, colleague)
    assert "Change of policy to approve" in read(client, "/")
    page = read(client, at_change(sent, "approve/"))
    assert "Check before you stop uploads for 1 practice" in page
    assert "Approve: stop uploads for 1 practice" in page
    assert page.index("Patients whose uploads stop") < page.index("Type START BOYCOTT to approve")
    done = client.post(at_change(sent, "approve/"), give(sent), follow=True)
    assert done.redirect_chain == [(POLICY, 302)]
    assert "No upload has begun since" in done.content.decode()
    assert PositionRevision.objects.get().position == Position.NON_COOPERATION
    again = client.post(at_change(sent, "approve/"), give(sent), follow=True).content.decode()
    assert "This change is in force, so it cannot be approved" in again
    assert PositionRevision.objects.count() == 1 and GuidancePublication.objects.count() == 1


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"phrase": "start boycott"}, "Type START BOYCOTT to approve"),
        ({"comment": ""}, "Enter a comment"),
        ({"seen": "0" * 64}, "This change was edited while you were working"),
    ],
    ids=str,
)
def test_what_will_not_do(client, sent, colleague, fields, error):
    log_in_now(client, colleague)
    page = client.post(at_change(sent, "approve/"), give(sent, **fields)).content.decode()
    assert error in page and "<title>Error: " in page
    assert not PositionRevision.objects.exists()


def test_all_that_is_missing_is_told_at_once(client, sent, colleague):
    log_in_now(client, colleague)
    given = give(sent, phrase="Start", comment="")
    page = client.post(at_change(sent, "approve/"), given).content.decode()
    summary = page[page.index("There is a problem") : page.index("<h1")]
    assert "Type START BOYCOTT to approve" in summary and "Enter a comment" in summary
    assert 'value="Start"' in page and not PositionRevision.objects.exists()


def test_the_author_is_told_why_not(client, sent, policy_admin):
    log_in_now(client, policy_admin)
    for method in ("get", "post"):
        page = getattr(client, method)(at_change(sent, "approve/"), give(sent)).content.decode()
        assert "You cannot approve your own change" in page and "<title>Error: " in page
    assert not PositionRevision.objects.exists()


def test_an_old_log_in_is_asked_for_the_password(client, sent, colleague):
    address = at_change(sent, "approve/")
    client.force_login(colleague)
    asked = client.get(address)
    assert asked.url.startswith("/account/confirm/?next=")
    answer = client.post(address, give(sent, comment="Kept while I log in"))
    assert answer.url == asked.url and not PositionRevision.objects.exists()
    colleague.set_password(PASSWORD)
    colleague.save()
    client.force_login(colleague)
    client.post(address, give(sent, comment="Kept while I log in"))
    done = client.post(asked.url, {"password": PASSWORD, "next": address})
    assert done.url == address
    assert "Kept while I log in" in read(client, address)
    client.post(address, give(sent))
    assert PositionRevision.objects.exists()


def test_figures_that_moved_are_marked_and_asked_about(client, practice, sent, colleague):
    for _ in range(3):
        decide(make_patient(practice))
    log_in_now(client, colleague)
    assert "Changed</strong>" in read(client, at_change(sent, "approve/"))
    page = client.post(at_change(sent, "approve/"), give(sent)).content.decode()
    assert "Figures changed by more than 5% since this was sent. Check them again" in page
    assert not PositionRevision.objects.exists()
    client.post(at_change(sent, "approve/"), give(sent))
    assert PositionRevision.objects.exists()


def test_zeros_during_a_stop_are_explained(client, sent, colleague, national_admin):
    log_in_now(client, colleague)
    addresses = at_change(sent), at_change(sent, "approve/")
    assert not any(WHILE_STOPPED in read(client, address) for address in addresses)
    stop_uploads(reason="Wrong codes", by=national_admin, at=timezone.now())
    for address in addresses:
        page = read(client, address)
        assert page.index(WHILE_STOPPED) < page.index("Patients whose uploads start")
    assert WHILE_STOPPED in " ".join(shown(sent, timezone.now()))


def test_rejecting_and_cancelling_need_a_reason(client, sent, colleague, policy_admin):
    client.force_login(colleague)
    page = client.post(at_change(sent, "reject/"), {"comment": ""}).content.decode()
    assert "Enter a reason" in page
    client.post(at_change(sent, "reject/"), {"comment": "Not this wording."})
    client.force_login(policy_admin)
    page = read(client, at_change(sent))
    assert "rejected it:" in page and "Not this wording." in page
    assert "rejected" in read(client, "/")
    edited = client.get(at_change(sent, "edit/"))
    assert edited.status_code == 200
    assert "is rejected, so it cannot be cancelled" in read(client, at_change(sent, "cancel/"), follow=True)


def test_ending_asks_for_the_other_phrase(client, sent, colleague):
    approve(sent, colleague)
    ending = submit(position=Position.COOPERATE)
    log_in_now(client, colleague)
    page = read(client, at_change(ending, "approve/"))
    assert "Check before you end the boycott for 1 practice" in page
    client.post(at_change(ending, "approve/"), give(ending, phrase="END BOYCOTT"))
    assert PositionRevision.objects.latest("pk").position == Position.COOPERATE


def test_a_conflict_is_shown_before(client, sent, colleague):
    rival_position()
    log_in_now(client, colleague)
    for step in ("", "approve/"):
        page = read(client, at_change(sent, step))
        assert "Conflict</strong> For 1 practice" in page and "This change disagrees with" in page
