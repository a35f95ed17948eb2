"""Surveys by name: the frozen question, the roll, answers that can change until the closing time."""

import datetime
import threading

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from boycott.models import RollEntry, SurveyAnswer, SurveyClosing, SurveyOpening, SurveyWording
from boycott.surveys.eligibility import reach
from boycott.surveys.queries import results_of, standing_of, turnout
from boycott.surveys.refusal import SurveyRefused
from boycott.surveys.running import close_survey, open_survey, rewrite
from boycott.surveys.vocabulary import Kind, SurveyState
from boycott.surveys.voting import answer
from carerecords.models import Practice, RoleAssignment
from carerecords.permissions import NotPermitted, Role
from tests.factories import LONG_AGO, make_practice, make_user
from tests.survey_factories import WEEK, content, entry, give, make_open, make_survey, option, run_to_its_end

pytestmark = pytest.mark.django_db
REASON = "The meeting was put off to the autumn."


def refused(what, *words):
    with pytest.raises(SurveyRefused) as caught:
        what()
    assert all(word in str(caught.value) for word in words), str(caught.value)


class TestRoll:
    def test_every_gp_once_by_gmc_number(self, practice):
        gp = make_user(Role.GP, practice)
        second = make_practice(region_code="Y60")
        RoleAssignment.objects.create(user=gp, practice=second, role=Role.GP, starts_at=timezone.now())
        survey = make_open()
        assert [(one.gp, one.practice) for one in survey.roll.all()] == [(gp, practice)]

    def test_who_is_not_on_it(self, practice):
        make_user(Role.GP, practice, gmc_number=None)
        make_user(Role.GP, make_practice(status=Practice.Status.CLOSED))
        make_user(Role.GP, practice, is_active=False)
        gone = make_user(Role.GP, practice)
        RoleAssignment.objects.filter(user=gone).update(ends_at=LONG_AGO + WEEK)
        make_user(Role.PRACTICE_MANAGER, practice)
        assert reach([], [], timezone.now()).gps == 0
        assert reach([], [], timezone.now()).without_number == 1
        refused(make_open, "No GP with a GMC number is eligible")
        assert not SurveyOpening.objects.exists()

    def test_by_region_and_practice(self):
        here, there = make_practice(region_code="Y58"), make_practice(region_code="Y60")
        named = make_practice(region_code="Y61")
        gps = [make_user(Role.GP, one) for one in (here, there, named)]
        survey = make_open(region_codes=["Y58"], ods_codes=[named.ods_code])
        assert {one.gp for one in survey.roll.all()} == {gps[0], gps[2]}

    def test_it_is_frozen(self, gp):
        survey = make_open()
        later = make_user(Role.GP)
        assert not RollEntry.objects.filter(gp=later).exists()
        with pytest.raises(IntegrityError), transaction.atomic():
            RollEntry.objects.create(
                survey=survey,
                gp=later,
                gmc_number=gp.gmc_number,
                practice_id=later.assignments.get().practice_id,
                region_code="Y58",
                reversed_options=False,
            )


class TestRunning:
    def test_the_question_is_frozen_at_the_opening(self, gp, policy_admin):
        survey = make_open()
        refused(
            lambda: rewrite(survey=survey, content=content(), seen=1, by=policy_admin, at=timezone.now()),
            "Neither question nor closing time can change",
        )
        assert SurveyWording.objects.count() == 1

    def test_what_was_changed_since_it_was_read_is_not_opened(self, gp, policy_admin):
        survey = make_survey()
        rewrite(survey=survey, content=content(title="Another"), seen=1, by=policy_admin, at=timezone.now())
        refused(
            lambda: open_survey(survey=survey, seen=1, by=policy_admin, at=timezone.now()),
            "changed after you opened the page",
        )

    def test_two_writers_are_told_apart(self, policy_admin):
        survey, now = make_survey(), timezone.now()
        rewrite(survey=survey, content=content(), seen=1, by=policy_admin, at=now)
        refused(
            lambda: rewrite(survey=survey, content=content(), seen=1, by=policy_admin, at=now),
            "changed this while you were writing",
        )

    def test_nothing_is_opened_after_its_time(self, gp, policy_admin):
        survey = make_survey(closes_at=timezone.now() + WEEK)
        late = timezone.now() + 2 * WEEK
        refused(lambda: open_survey(survey=survey, seen=1, by=policy_admin, at=late), "has passed")

    def test_by_the_calendar(self, gp):
        opens = timezone.now() + WEEK
        survey = make_open(opens_at=opens, closes_at=opens + WEEK)
        states = [standing_of(survey, opens + part).state for part in (-WEEK / 2, 0 * WEEK, WEEK)]
        assert states == [SurveyState.SCHEDULED, SurveyState.OPEN, SurveyState.CLOSED]
        refused(lambda: give(survey, gp), "This opens on")
        give(survey, gp, at=opens)
        refused(lambda: give(survey, gp, at=opens + WEEK), "This survey closed at")

    def test_closing_early_is_final_and_says_why(self, gp, policy_admin):
        survey = make_open()
        now = timezone.now()
        refused(lambda: close_survey(survey=survey, reason="Soon", by=policy_admin, at=now), "between 20")
        close_survey(survey=survey, reason=REASON, by=policy_admin, at=now)
        refused(lambda: close_survey(survey=survey, reason=REASON, by=policy_admin, at=now), "closed at")
        refused(lambda: give(survey, gp), "This survey closed at")
        assert SurveyClosing.objects.count() == 1 and not SurveyAnswer.objects.exists()

    @pytest.mark.parametrize("who", ["gp", "manager", "national_admin", "auditor"])
    def test_below_the_screens_too(self, request, who, gp):
        by, survey, now = request.getfixturevalue(who), make_survey(), timezone.now()
        with pytest.raises(NotPermitted):
            open_survey(survey=survey, seen=1, by=by, at=now)
        with pytest.raises(NotPermitted):
            close_survey(survey=survey, reason=REASON, by=by, at=now)
        assert not SurveyOpening.objects.exists()


class TestAnswers:
    def test_the_latest_counts_and_all_stay(self, practice):
        survey = run_to_its_end(Kind.SURVEY, [0] * 9 + [1], practice)
        changed = survey.roll.last()
        answer(
            entry=entry(survey, changed.gp),
            option=option(survey, 2),
            at=survey.opening.closes_at - datetime.timedelta(seconds=1),
        )
        found = results_of(standing_of(survey, timezone.now()))
        assert [share.count for share in found.tally.shares] == [9, 0, 1]
        assert SurveyAnswer.objects.count() == 11 and turnout(survey).answered == 10

    def test_an_option_of_another_survey_is_none(self, gp):
        survey, other = make_open(), make_open()
        refused(
            lambda: answer(entry=entry(survey, gp), option=option(other, 0), at=timezone.now()),
            "Select an answer",
        )

    def test_who_stopped_being_a_gp_answers_no_more(self, gp):
        survey = make_open()
        RoleAssignment.objects.filter(user=gp).update(ends_at=timezone.now())
        with pytest.raises(NotPermitted):
            give(survey, gp)

    def test_nothing_is_shown_before_the_end_nor_of_fewer_than_ten(self, practice, gp):
        survey = make_open()
        assert results_of(standing_of(survey, timezone.now())) is None
        survey = run_to_its_end(Kind.SURVEY, [0] * 9, practice)
        found = results_of(standing_of(survey, timezone.now()))
        assert found.tally.answers == 9 and found.tally.shares is None and found.comments == []

    def test_comments_come_without_names_in_the_order_of_the_alphabet(self, practice):
        survey = run_to_its_end(Kind.SURVEY, [0] * 10, practice)
        inside = survey.opening.opens_at + WEEK / 2
        for place, one in enumerate(survey.roll.all()):
            give(survey, one.gp, at=inside, comment=f"Comment {9 - place}")
        found = results_of(standing_of(survey, timezone.now()))
        assert found.comments == [f"Comment {n}" for n in range(10)]


@pytest.mark.django_db(transaction=True)
def test_two_answers_at_once_are_both_kept_in_turn(gp):
    survey = make_open()
    chosen, mine = [option(survey, 0), option(survey, 1)], entry(survey, gp)
    start = threading.Barrier(8)

    def press(which):
        start.wait()
        try:
            answer(entry=mine, option=chosen[which % 2], at=timezone.now())
        finally:
            connection.close()

    threads = [threading.Thread(target=press, args=[n]) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(SurveyAnswer.objects.values_list("number", flat=True)) == list(range(1, 9))
    assert turnout(survey).answered == 1
