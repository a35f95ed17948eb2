"""Surveys and ballots as GPs and policy admins meet them in a browser."""

import pytest
from playwright.sync_api import expect

from boycott.models import HasVoted, SurveyAnswer
from boycott.surveys.vocabulary import Kind
from tests.browser import guard_over, look
from tests.survey_factories import make_open, run_to_its_end

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_gp_answers_and_changes_a_survey(screen, live_server, gp):
    make_open()
    screen.as_(gp)
    screen.goto(live_server.url + "/")
    screen.get_by_role("link", name="Survey to answer").click()
    look(screen, "surveys-gp")
    screen.get_by_role("link", name="Answer Following the policy").click()
    look(screen, "survey")
    screen.get_by_role("button", name="Save your answer").click()
    expect(screen.get_by_role("alert")).to_contain_text("Select an answer")
    look(screen, "survey-error")
    screen.get_by_label("I plan to follow", exact=True).check()
    guard_over(screen)
    screen.get_by_role("button", name="Save your answer").click()
    expect(screen.get_by_text("Your answer is recorded. You can change it until")).to_be_visible()
    look(screen, "survey-answered")
    screen.get_by_label("Not decided").check()
    guard_over(screen)
    screen.get_by_role("button", name="Change your answer").click()
    expect(screen.get_by_text("You answered “Not decided”")).to_be_visible()
    assert SurveyAnswer.objects.count() == 2


def test_a_gp_votes_and_cannot_vote_again(screen, live_server, gp):
    ballot = make_open(Kind.BALLOT)
    address = f"{live_server.url}/surveys/{ballot.public_id}/"
    screen.as_(gp)
    screen.goto(address)
    expect(screen.get_by_text("You cannot change your vote.")).to_be_visible()
    look(screen, "ballot")
    second = screen.context.new_page()
    second.goto(address)
    screen.get_by_label("I plan to follow", exact=True).check()
    screen.get_by_role("button", name="Vote").click()
    expect(screen.get_by_text("You have voted. The result is shown here after")).to_be_visible()
    look(screen, "ballot-voted")
    second.get_by_label("Not decided").check()
    second.get_by_role("button", name="Vote").click()
    expect(second.get_by_role("alert")).to_contain_text("You have already voted")
    assert HasVoted.objects.count() == 1


def test_results_stand_with_their_interval(screen, live_server, practice, policy_admin):
    survey = run_to_its_end(Kind.SURVEY, [0] * 75 + [1] * 20 + [2] * 5, practice)
    screen.as_(policy_admin)
    screen.goto(live_server.url + "/surveys/")
    look(screen, "surveys-admin")
    screen.get_by_role("link", name="Following the policy", exact=True).click()
    expect(screen.get_by_role("paragraph").filter(has_text="between 66% and 83%")).to_be_visible()
    look(screen, "survey-results")
    screen.goto(f"{live_server.url}/surveys/{survey.public_id}/run/")
    look(screen, "survey-run-closed")
    screen.goto(live_server.url + "/surveys/new/")
    look(screen, "survey-new")


def test_the_meter_and_what_answers_mean_for_coverage(screen, live_server, practice, policy_admin):
    run_to_its_end(Kind.SURVEY, [0] * 75 + [1] * 20 + [2] * 5, practice)
    screen.as_(policy_admin)
    screen.goto(live_server.url + "/policy/")
    screen.get_by_role("link", name="Answers by region").click()
    look(screen, "adoption")
    screen.get_by_role("link", name="What the answers of GPs mean for coverage").click()
    look(screen, "projection")
    screen.get_by_label("Intentions that become actions").fill("all")
    screen.get_by_role("button", name="Update").click()
    expect(screen.get_by_role("alert")).to_contain_text("must be a whole number from 0 to 100")
    look(screen, "projection-error")
    screen.get_by_label("Intentions that become actions").fill("100")
    guard_over(screen)
    screen.get_by_role("button", name="Update").click()
    expect(screen.get_by_text("Coverage would be 24.8%")).to_be_visible()
