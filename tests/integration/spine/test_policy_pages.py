"""The policy page and its switch, as each role meets them."""

import pytest
from django.urls import reverse

from boycott.models import PositionRevision
from boycott.positions import Position, Stance
from carerecords.models import AccessEvent
from tests.factories import decide, make_patient, make_practice
from tests.policy_factories import MOTION, REASON, answer, rival_position, start_boycott

pytestmark = pytest.mark.django_db
CHANGE, CHECK, POLICY = "/policy/change/", "/policy/change/check/", "/policy/"
ANSWERS = {"position": "NON_COOPERATION", "text": MOTION, "reason": REASON}


def draft(client):
    return client.session["draft:position"]["id"]


@pytest.mark.parametrize(
    "who",
    ["gp", "staff", "manager", "privacy_officer", "policy_admin", "national_admin", "auditor", "api_client"],
)
def test_everybody_reads_the_policy(client, request, who):
    start_boycott()
    client.force_login(request.getfixturevalue(who))
    page = client.get(POLICY).content.decode()
    assert MOTION in page and REASON in page
    assert "Advice to members; practices decide" in page
    assert ("Change the policy" in page) is (who == "policy_admin")
    assert ("Stop or resume all uploads" in page) is (who == "national_admin")


def test_the_practice_reads_its_answer(client, manager, practice):
    client.force_login(manager)
    assert "No answer – treated as Follow" in client.get(POLICY).content.decode()
    answer(practice, by=manager)
    page = client.get(POLICY).content.decode()
    assert "Your practice does not follow it since" in page and "agreed by The partners" in page


def test_conflicting_positions_are_both_shown(client, gp):
    start_boycott()
    rival_position()
    client.force_login(gp)
    page = client.get(POLICY).content.decode()
    assert "BMA policy is conflicting: 2 adopted positions disagree." in page
    assert MOTION in page and "Practices may co-operate while guidance is prepared." in page


@pytest.mark.parametrize("who", ["gp", "manager", "national_admin", "auditor", "api_client"])
@pytest.mark.parametrize("address", [CHANGE, CHECK])
@pytest.mark.parametrize("method", ["get", "post"])
def test_others_cannot_change_it(client, request, who, address, method):
    client.force_login(request.getfixturevalue(who))
    assert getattr(client, method)(address, ANSWERS).status_code == 403
    assert not PositionRevision.objects.exists()
    assert AccessEvent.objects.get().kind == AccessEvent.Kind.REFUSED


def test_the_way_to_a_boycott(client, policy_admin, patient):
    decide(patient)
    not_following = make_practice()
    answer(not_following)
    client.force_login(policy_admin)
    assert client.post(CHANGE, ANSWERS).url == CHECK
    page = client.get(CHECK).content.decode()
    assert "Check before you stop uploads for 1 practice" in page
    assert "Uploads stop for 1 patient with consent" in page
    assert "1 upload waits now" in page
    assert not PositionRevision.objects.exists()

    wrong = client.post(CHECK, {"draft": draft(client), "phrase": "start boycott"})
    page = wrong.content.decode()
    assert "<title>Error: " in page and 'value="start boycott"' in page
    assert "Type START BOYCOTT to confirm" in page
    assert not PositionRevision.objects.exists()

    done = client.post(CHECK, {"draft": draft(client), "phrase": "START BOYCOTT"}, follow=True)
    assert done.redirect_chain == [(POLICY, 302)]
    assert "No upload has begun since" in done.content.decode()
    revision = PositionRevision.objects.get()
    assert (revision.position, revision.text, revision.reason) == (Position.NON_COOPERATION, MOTION, REASON)
    assert revision.made_by == policy_admin


def test_a_doubled_press_changes_nothing_and_says_so(client, policy_admin):
    client.force_login(policy_admin)
    client.post(CHANGE, ANSWERS)
    sent = {"draft": draft(client), "phrase": "START BOYCOTT"}
    client.post(CHECK, sent)
    again = client.post(CHECK, sent, follow=True)
    assert "This change is made: it is revision 1." in again.content.decode()
    assert PositionRevision.objects.count() == 1


def test_two_admins_at_once(client, policy_admin):
    client.force_login(policy_admin)
    client.post(CHANGE, ANSWERS)
    client.get(CHECK)
    start_boycott()
    late = client.post(CHECK, {"draft": draft(client), "phrase": "START BOYCOTT"})
    assert "The policy was changed while you were working" in late.content.decode()
    back = client.get(CHECK, follow=True)
    assert back.redirect_chain == [(CHANGE, 302)]
    assert MOTION in back.content.decode(), "What was typed is kept."
    assert PositionRevision.objects.count() == 1


def test_another_window_changed_the_answers(client, policy_admin):
    client.force_login(policy_admin)
    client.post(CHANGE, ANSWERS)
    old = draft(client)
    client.post(CHANGE, ANSWERS | {"reason": "A quite different reason than before."})
    page = client.post(CHECK, {"draft": old, "phrase": "START BOYCOTT"}).content.decode()
    assert "Your answers were changed in another window" in page
    assert not PositionRevision.objects.exists()


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"position": ""}, "Select the BMA&#39;s position"),
        ({"text": ""}, "Enter the words of the motion or statement"),
        ({"reason": ""}, "Enter a reason for the change"),
        ({"reason": "Because"}, "Reason must be between 20 and 1,000 characters"),
        ({"reason": "x" * 1001}, "Reason must be between 20 and 1,000 characters"),
    ],
)
def test_form_errors(client, policy_admin, fields, error):
    client.force_login(policy_admin)
    page = client.post(CHANGE, ANSWERS | fields).content.decode()
    assert error in page and "<title>Error: " in page
    assert "draft:position" not in client.session


def test_the_same_position_is_no_change(client, policy_admin):
    start_boycott()
    client.force_login(policy_admin)
    assert "This is the position already" in client.post(CHANGE, ANSWERS).content.decode()


def test_ending_asks_for_the_other_phrase(client, policy_admin, patient):
    decide(patient)
    start_boycott()
    client.force_login(policy_admin)
    client.post(CHANGE, ANSWERS | {"position": "COOPERATE"})
    page = client.get(CHECK).content.decode()
    assert "Check before you end the boycott for 1 practice" in page
    assert "Uploads start again for 1 patient with consent" in page
    client.post(CHECK, {"draft": draft(client), "phrase": "END BOYCOTT"})
    assert PositionRevision.objects.latest("pk").position == Position.COOPERATE


def test_check_page_without_answers_leads_to_the_form(client, policy_admin):
    client.force_login(policy_admin)
    assert client.get(CHECK).url == CHANGE


def test_queries_do_not_grow(client, policy_admin, django_assert_max_num_queries):
    for stance in (Stance.HOLD, Stance.DO_NOT_FOLLOW, None):
        practice = make_practice()
        if stance:
            answer(practice, stance)
        for _ in range(2):
            decide(make_patient(practice))
    client.force_login(policy_admin)
    client.post(CHANGE, ANSWERS)
    for address in (POLICY, CHANGE):
        with django_assert_max_num_queries(12):
            client.get(address)
    with django_assert_max_num_queries(16):
        client.get(CHECK)


def test_names_resolve():
    assert reverse("boycott:policy") == POLICY
    assert reverse("home") == "/"
