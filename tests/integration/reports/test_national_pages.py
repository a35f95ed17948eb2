"""The meter of answers, and the projection: right figures, few hidden, wrong input told."""

import pytest

from boycott.adoption import ANSWERS, adoption
from boycott.positions import Stance
from boycott.surveys.vocabulary import Kind
from carerecords.models import Practice
from tests.factories import make_practice
from tests.policy_factories import answer
from tests.survey_factories import run_to_its_end

pytestmark = pytest.mark.django_db
PAGE = "/reports/projection/"


def practices(number, stance=None, **fields):
    for _ in range(number):
        one = make_practice(**fields)
        if stance:
            answer(one, stance)


@pytest.fixture
def surveyed(practice):
    return run_to_its_end(Kind.SURVEY, [0] * 75 + [1] * 25, practice)


class TestMeter:
    def test_practices_and_patients_by_the_answer_that_stands(self):
        practices(6, Stance.FOLLOW, list_size=1000)
        practices(7, list_size=2000)
        practices(5, Stance.HOLD, list_size=500)
        changed = make_practice(list_size=1000)
        for stance in (Stance.HOLD, Stance.FOLLOW):
            answer(changed, stance)
        make_practice(status=Practice.Status.CLOSED)
        found = adoption()
        cells = dict(zip(ANSWERS, found.england.cells, strict=True))
        assert [cell.practices for cell in cells.values()] == [7, 7, 0, 5]
        assert cells[Stance.FOLLOW].patients == 7000 and found.following == 7000 / 23500
        assert not any(cell.hidden for cell in cells.values())

    def test_few_are_hidden_with_what_would_give_them_away(self, client, gp):
        practices(3, Stance.HOLD)
        practices(20)
        client.force_login(gp)
        html = client.get("/reports/adoption/").content.decode()
        assert html.count("Not shown") == 8, "two cells of two lines, in both tables"
        assert adoption().following == 0

    def test_one_query(self, practice, django_assert_num_queries):
        practices(4, Stance.FOLLOW)
        with django_assert_num_queries(1):
            adoption()

    def test_the_surveys_figure_stands_beside(self, client, auditor, manager, surveyed):
        for person, shown in ((auditor, True), (manager, False)):
            client.force_login(person)
            html = client.get("/reports/adoption/").content.decode()
            assert ("75 of 100 GPs (75%) plan to follow." in html) == shown


class TestProjection:
    def test_with_and_without_the_discount(self, client, policy_admin, surveyed):
        client.force_login(policy_admin)
        html = client.get(PAGE).content.decode()
        assert "After 18 months" in html and "Coverage would be 53.7%" in html
        html = client.get(PAGE, {"factor": "100", "months": "12", "reachable": "100"}).content.decode()
        assert "Coverage would be 25.0%, likely between 17.5% and 34.3%." in html
        assert html.index("<table") < html.index('<svg class="care-chart') and "0 of 0" in html

    @pytest.mark.parametrize(
        "asked,words",
        [
            ({"factor": "101"}, "in 100 must be a whole number from 0 to 100"),
            ({"factor": "half"}, "in 100 must be a whole number from 0 to 100"),
            ({"months": "0"}, "Months of rollout must be a whole number from 1 to 60"),
            ({"reachable": ""}, "must be a whole number from 1 to 100"),
            ({"survey": "another"}, "Select a survey"),
        ],
    )
    def test_what_is_wrong_is_told(self, client, policy_admin, surveyed, asked, words):
        client.force_login(policy_admin)
        html = client.get(PAGE, asked).content.decode()
        assert words in html and "<title>Error: " in html and "Coverage would be" not in html

    def test_without_a_survey(self, client, national_admin):
        client.force_login(national_admin)
        assert "No survey of who plans to follow is closed" in client.get(PAGE).content.decode()


def test_results_by_the_api(client, auditor, surveyed):
    client.force_login(auditor)
    [listed] = client.get("/api/v1/surveys/").json()
    assert listed["state"]["code"] == "CLOSED"
    body = client.get(f"/api/v1/surveys/{listed['id']}/results/").json()
    assert (body["is_final"], body["invited"], body["answers"]) == (True, 100, 100)
    first = body["shares"][0]
    assert (first["count"], round(first["low"], 3), round(first["high"], 3)) == (75, 0.657, 0.825)
    assert body["regions"][0]["counts"] == [75, 25, 0]
