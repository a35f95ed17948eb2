"""The pages of surveys: written, opened, answered, changed, closed, read."""

import pytest
from django.utils import timezone

from boycott.models import Survey, SurveyAnswer, SurveyOpening, SurveyWording
from boycott.surveys.vocabulary import Kind
from carerecords.models import AccessEvent
from carerecords.permissions import Role
from tests.factories import make_practice, make_user
from tests.policy_factories import make_motion
from tests.survey_factories import give, make_open, make_survey, run_to_its_end

pytestmark = pytest.mark.django_db
DRAFT = {
    "kind": "SURVEY",
    "title": "Following the policy",
    "question": "Do you plan to follow it?",
    "option_1": "Yes",
    "meaning_1": "FOLLOW",
    "option_2": "No",
    "meaning_2": "DO_NOT_FOLLOW",
    "closes_on_day": "1",
    "closes_on_month": "3",
    "closes_on_year": "2030",
    "closes_hour": "17",
}


def text(response):
    return response.content.decode()


WRONG = [
    ({"title": ""}, "Enter a title"),
    ({"question": ""}, "Enter the question"),
    ({"kind": ""}, "Select how answers are kept"),
    ({"option_2": ""}, "Enter option 2"),
    ({"option_2": "yes"}, "Each option must be different"),
    ({"closes_on_year": "2020"}, "Closing date must be the same as or after"),
    ({"closes_on_day": ""}, "Closing date must include a day"),
    ({"opens_on_day": "2", "opens_on_month": "3", "opens_on_year": "2030"}, "must be after the opening time"),
    ({"ods_codes": "nowhere"}, "nowhere is not a practice code"),
    ({"ods_codes": "B99999"}, "There is no practice B99999"),
]


class TestWriting:
    @pytest.mark.parametrize("change,words", WRONG, ids=[words for _, words in WRONG])
    def test_what_is_wrong_is_said_beside_what_was_typed(self, client, policy_admin, change, words):
        client.force_login(policy_admin)
        html = text(client.post("/surveys/new/", DRAFT | change))
        assert words in html and "<title>Error: " in html
        assert 'value="Yes"' in html, "what was typed is kept"
        assert not Survey.objects.exists()

    def test_from_draft_to_open(self, client, policy_admin, gp):
        client.force_login(policy_admin)
        html = text(client.post("/surveys/new/", DRAFT, follow=True))
        survey = Survey.objects.get()
        page = f"/surveys/{survey.public_id}/"
        assert "1 GP with a GMC number" in html and "would have no result" in html
        assert "1 March 2030 at 5pm" in html and "(Plans to follow BMA policy)" in html
        edited = DRAFT | {"seen": "1", "title": "Another title"}
        client.post(f"{page}edit/", edited)
        assert SurveyWording.objects.count() == 2
        assert "changed after you opened the page" in text(
            client.post(f"{page}run/", {"do": "open", "seen": "1"})
        )
        html = text(client.post(f"{page}run/", {"do": "open", "seen": "2"}, follow=True))
        assert "1 GP is on the roll. It is open." in html
        assert SurveyOpening.objects.get().wording.title == "Another title"
        assert "has been opened" in text(client.get(f"{page}edit/", follow=True))
        html = text(client.post(f"{page}run/", {"do": "close", "reason": "Soon"}))
        assert "Reason must be between 20 and 1,000 characters" in html and "Soon" in html

    def test_a_draft_is_nobodys_but_policy_admins(self, client, gp, auditor, policy_admin):
        survey = make_survey()
        for person, status in ((gp, 404), (auditor, 404), (policy_admin, 200)):
            client.force_login(person)
            assert client.get(f"/surveys/{survey.public_id}/").status_code == status


class TestAnswering:
    def test_answered_and_changed(self, client, gp):
        survey = make_open()
        page = f"/surveys/{survey.public_id}/"
        client.force_login(gp)
        assert "Survey to answer" in text(client.get("/"))
        long = text(client.post(page, {"option": "0", "comment": "x" * 1001}))
        assert "Comment must be 1,000 characters or less" in long and not SurveyAnswer.objects.exists()
        told = text(client.post(page, {"option": "0", "comment": "Gladly"}, follow=True))
        assert "You can change it until" in told and "You answered “I plan to follow”" in told
        assert "Gladly" in told and "Survey to answer" not in text(client.get("/"))
        client.post(page, {"option": "1"})
        assert list(SurveyAnswer.objects.order_by("number").values_list("option__position", flat=True)) == [
            0,
            1,
        ]
        lines = AccessEvent.objects.filter(kind="VOTED").values_list("user", "detail")
        assert list(lines) == [(gp.pk, str(survey.public_id))] * 2

    def test_too_late(self, client, practice):
        survey = run_to_its_end(Kind.SURVEY, [0] * 10, practice)
        client.force_login(survey.roll.first().gp)
        html = text(client.post(f"/surveys/{survey.public_id}/", {"option": "1"}))
        assert "This survey closed at" in html and "<title>Error: " in html
        assert not SurveyAnswer.objects.filter(option__position=1).exists()

    def test_half_read_them_the_other_way_round(self, client, gp):
        survey = make_open()
        client.force_login(gp)
        html = text(client.get(f"/surveys/{survey.public_id}/"))
        first = html.index("I plan to follow") < html.index("Not decided")
        assert first != survey.roll.get().reversed_options

    @pytest.mark.parametrize("who", ["auditor", "policy_admin"])
    def test_others_read_and_do_not_answer(self, client, request, who, gp):
        survey = make_open()
        client.force_login(request.getfixturevalue(who))
        page = f"/surveys/{survey.public_id}/"
        assert "Do you plan to follow" in text(client.get(page))
        assert client.post(page, {"option": "0"}).status_code == 403 and not SurveyAnswer.objects.exists()


class TestResults:
    def test_the_survey_of_2007(self, client, practice, auditor):
        survey = run_to_its_end(Kind.SURVEY, [0] * 75 + [1] * 20 + [2] * 5 + [None] * 20, practice)
        client.force_login(auditor)
        html = text(client.get(f"/surveys/{survey.public_id}/results/"))
        assert "100 of 120 GPs invited answered (83%)." in html
        assert (
            "75 of 100 GPs (75%) plan to follow. "
            "If all GPs were asked the figure would likely be between 66% and 83%."
        ) in html
        assert "Answers were volunteered, so this may not represent all GPs." in html
        assert "65.7% to 82.5%" in html and html.index("<table") < html.index('<svg class="care-chart')
        assert AccessEvent.objects.get(kind="RESULTS").detail == str(survey.public_id)

    def test_a_region_of_few_is_not_shown(self, client, practice, auditor):
        few = make_practice(region_code="Y60", region_name="Midlands")
        third = make_practice(region_code="Y61", region_name="East of England")
        gps = [make_user(Role.GP, few) for _ in range(4)] + [make_user(Role.GP, third) for _ in range(11)]
        began = timezone.now()
        gps += [make_user(Role.GP, practice) for _ in range(15)]
        survey = make_open(at=began)
        for gp in gps:
            give(survey, gp, 0)
        admin = make_user(Role.POLICY_ADMIN)
        client.force_login(admin)
        client.post(
            f"/surveys/{survey.public_id}/run/", {"do": "close", "reason": "Enough answers have come in."}
        )
        html = text(client.get(f"/surveys/{survey.public_id}/results/"))
        assert html.count("Not shown") == 8 and "15 of 15" in html
        assert "Reason: Enough answers have come in." in html

    def test_the_motion_shows_both_side_by_side(self, client, practice, auditor, staff):
        motion = make_motion(votes_for=212, votes_against=34)
        survey = run_to_its_end(Kind.SURVEY, [0] * 9 + [1] * 3, practice, motion=motion.motion)
        few = run_to_its_end(Kind.BALLOT, [0] * 3, practice, motion=motion.motion, title="Asked of few")
        make_open(motion=motion.motion, title="Not over yet")
        run_to_its_end(Kind.SURVEY, [0] * 12, practice, title="About something else")
        client.force_login(auditor)
        html = text(client.get(f"/policy/motions/{motion.motion}/"))
        beside = html[html.index("What GPs answered") : html.index("What rests on it")]
        assert "212 for, 34 against. What follows is another question put to other people." in beside
        assert "9 of 12 GPs (75%) plan to follow." in beside
        assert beside.count("Too few answered to show the answers.") == 1 and "Asked of few" in beside
        assert "Not over yet" not in beside and "About something else" not in beside
        looked = AccessEvent.objects.filter(kind="RESULTS", user=auditor).values_list("detail", flat=True)
        assert set(looked) == {str(survey.public_id), str(few.public_id)}
        client.force_login(staff)
        assert "What GPs answered" not in text(client.get(f"/policy/motions/{motion.motion}/"))

    def test_by_api_too(self, client, practice, auditor):
        motion = make_motion(votes_for=212, votes_against=34)
        survey = run_to_its_end(Kind.SURVEY, [0] * 9 + [1] * 3, practice, motion=motion.motion)
        client.force_login(auditor)
        body = client.get(f"/api/v1/surveys/{survey.public_id}/results/").json()
        assert body["answers"] == 12 and body["shares"][0]["count"] == 9
        assert (body["motion"]["votes_for"], body["motion"]["title"]) == (212, motion.title)

    def test_constant_queries(self, client, practice, auditor, django_assert_max_num_queries):
        survey = run_to_its_end(Kind.SURVEY, [0] * 12, practice)
        for _ in range(3):
            make_open()
        client.force_login(auditor)
        for address in (
            "/surveys/",
            f"/surveys/{survey.public_id}/",
            f"/surveys/{survey.public_id}/results/",
        ):
            with django_assert_max_num_queries(19):
                client.get(address)
