"""Answers of practices and GPs on screen: who may give them, what they do, what is refused."""

import datetime

import pytest
from django.utils import timezone

from boycott.actions import set_gp_stance
from boycott.models import GpStanceRevision, StanceRevision
from boycott.positions import GpStance, Stance
from tests.factories import decide
from tests.policy_factories import answer, start_boycott

pytestmark = pytest.mark.django_db
STANCE, CHECK = "/practice/stance/", "/practice/stance/check/"
MINE, MINE_CHECK = "/practice/stance/mine/", "/practice/stance/mine/check/"
ANSWER = {
    "stance": "DO_NOT_FOLLOW",
    "agreed_by": "The partners",
    "agreed_on_day": "2",
    "agreed_on_month": "3",
    "agreed_on_year": "2026",
    "note": "Minutes of 2 March.",
}


def draft(client, name="stance"):
    return client.session[f"draft:{name}"]["id"]


def test_nothing_is_chosen_before_the_first_answer(client, manager):
    client.force_login(manager)
    page = client.get(STANCE).content.decode()
    assert "No answer – treated as Follow" in page
    assert "How does your practice respond to the BMA policy?" in page
    assert " checked" not in page


def test_the_manager_answers(client, manager, practice, patient):
    decide(patient)
    start_boycott()
    client.force_login(manager)
    assert client.post(STANCE, ANSWER).url == CHECK
    page = client.get(CHECK).content.decode()
    assert "Uploads start for 1 patient of 1 with consent." in page
    assert "2 March 2026" in page and "Minutes of 2 March." in page
    assert not StanceRevision.objects.exists()
    done = client.post(CHECK, {"draft": draft(client)}, follow=True)
    assert done.redirect_chain == [(STANCE, 302)]
    given = StanceRevision.objects.get()
    assert (given.practice, given.stance, given.made_by) == (practice, Stance.DO_NOT_FOLLOW, manager)
    assert (given.agreed_by, given.agreed_on) == ("The partners", datetime.date(2026, 3, 2))
    page = done.content.decode()
    assert "uploads continue for patients with consent" in page
    assert " checked" in page, "The last answer is chosen when the form is opened again."
    # A doubled press finds the answers saved already.
    assert client.post(CHECK, {"draft": "gone"}).url == STANCE
    assert StanceRevision.objects.count() == 1


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"stance": ""}, "Select how your practice responds"),
        ({"agreed_by": ""}, "Enter who agreed this"),
        ({"agreed_on_month": ""}, "Date it was agreed must include a month"),
        ({"agreed_on_year": "2199"}, "Date it was agreed must be today or in the past"),
        ({"note": "x" * 1001}, "Note must be 1,000 characters or less"),
    ],
)
def test_errors(client, manager, fields, error):
    client.force_login(manager)
    page = client.post(STANCE, ANSWER | fields).content.decode()
    assert error in page and "<title>Error: " in page
    assert not StanceRevision.objects.exists()


@pytest.mark.parametrize("who", ["gp", "staff", "privacy_officer", "api_client"])
def test_others_of_the_practice_read_it(client, request, practice, who):
    answer(practice)
    client.force_login(request.getfixturevalue(who))
    page = client.get(STANCE).content.decode()
    assert "Your practice does not follow it since" in page and "The practice manager answers" in page
    assert 'name="stance"' not in page
    for address in (STANCE, CHECK):
        assert client.post(address, ANSWER).status_code == 403
    assert StanceRevision.objects.count() == 1


@pytest.mark.parametrize("who", ["policy_admin", "national_admin", "auditor"])
def test_those_without_a_practice_find_no_page(client, request, who):
    client.force_login(request.getfixturevalue(who))
    assert client.get(STANCE).status_code == 404


def test_a_stranger_sees_their_own_practice_only(client, practice, stranger):
    answer(practice, note="Kept from strangers.")
    client.force_login(stranger)
    page = client.get(STANCE).content.decode()
    assert "Kept from strangers." not in page and "No answer – treated as Follow" in page


def test_a_gp_holds_for_their_own_patients(client, gp, patient):
    decide(patient)
    client.force_login(gp)
    page = client.get(MINE).content.decode()
    assert "You are the usual GP of 1 patient." in page and " checked" not in page
    client.post(MINE, {"stance": "HOLD", "note": ""})
    assert "Uploads stop for 1 patient of 1 with consent." in client.get(MINE_CHECK).content.decode()
    assert not GpStanceRevision.objects.exists()
    done = client.post(MINE_CHECK, {"draft": draft(client, "own_stance")}, follow=True)
    assert "You hold uploads for them." in done.content.decode()
    given = GpStanceRevision.objects.get()
    assert (given.gp, given.stance) == (gp, GpStance.HOLD)


@pytest.mark.parametrize("who", ["staff", "manager", "privacy_officer", "national_admin"])
@pytest.mark.parametrize("address", [MINE, MINE_CHECK])
def test_nobody_else_answers_for_a_gp(client, request, who, address):
    client.force_login(request.getfixturevalue(who))
    assert client.post(address, {"stance": "HOLD"}).status_code == 403
    assert not GpStanceRevision.objects.exists()


def test_gps_are_listed_with_their_answers(client, manager, gp, patient, practice):
    set_gp_stance(gp=gp, practice=practice, stance=GpStance.HOLD, at=timezone.now())
    client.force_login(manager)
    page = client.get(STANCE).content.decode()
    tab = page[page.index('id="each-gp"') :]
    assert gp.short_name in tab and "Holds uploads for their patients" in tab
    assert "Each GP must set their own response." in tab and "No answer yet" not in tab


def test_queries(client, manager, practice, django_assert_max_num_queries):
    answer(practice, by=manager)
    client.force_login(manager)
    with django_assert_max_num_queries(12):
        client.get(STANCE)
    client.post(STANCE, ANSWER)
    with django_assert_max_num_queries(14):
        client.get(CHECK)
