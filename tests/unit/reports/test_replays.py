"""History run again: the turning points as the sources tell them, and each figure by the gate itself."""

import datetime

import pytest

from boycott.positions import Position, Stance
from boycott.rules import positions_for, standing
from consent.codes import ConsentModel, ConsentState
from reports.replays.engine import ALL_FOLLOWED, AS_IT_WAS, NOTHING_ASKED, WORLDS, decision, replay
from reports.replays.history import SCENARIOS
from reports.replays.scenario import adopted, in_force
from spine.gate import Outcome, Scope
from spine.reasons import Reason

# Scenario, month: may be uploaded as it was, had nothing been asked, had all followed; and the chief reason
# why the others were not. Worked out by hand from the groups' sizes.
TURNS = [
    # 600,000 patients less 0.23% who refused; the letters of February give 16 weeks.
    ("june-2007", "2007-04", 0, 0, 0, Reason.CONSENT_LETTER),
    ("june-2007", "2007-05", 598_620, 598_620, 598_620, Reason.CONSENT_REFUSED),
    # A quarter goes on.
    ("june-2007", "2007-06", 149_655, 598_620, 0, Reason.POLICY_BMA),
    ("june-2007", "2007-12", 149_655, 598_620, 0, Reason.POLICY_BMA),
    # 16 weeks from 16 July end on 5 November.
    ("dorset-2007", "2007-10", 0, 0, 0, Reason.CONSENT_LETTER),
    ("dorset-2007", "2007-11", 35_917, 35_917, 0, Reason.CONSENT_REFUSED),
    ("trusts-2007", "2007-08", 0, 48_388, 0, Reason.CONSENT_LETTER),
    # Bolton is exempt; Bury's 16 weeks end on 5 October; the place outside stays in scope.
    ("trusts-2007", "2007-09", 48_388, 48_388, 48_388, Reason.CONSENT_LETTER),
    ("trusts-2007", "2007-10", 161_128, 161_128, 161_128, Reason.CONSENT_LETTER),
    ("trusts-2007", "2007-11", 161_128, 197_045, 161_128, Reason.POLICY_BMA),
    ("codes-2010", "2010-04", 12_519, 12_519, 12_519, Reason.CONSENT_REFUSED),
    # A policy written into records stays whatever is asked: only 80% of the other practice is left.
    ("codes-2010", "2010-05", 5_600, 5_600, 5_600, Reason.CONSENT_REFUSED),
    ("codes-2010", "2010-07", 700, 5_600, 700, Reason.CONSENT_REFUSED),
    # Repaired: what holds is the policy and the practice's own answer, and no patient's refusal.
    ("codes-2010", "2010-09", 700, 5_600, 700, Reason.POLICY_EXPLICIT),
    ("january-2011", "2010-11", 0, 0, 0, Reason.ROLLOUT_CLOSED),
    # Those who have not joined follow the advice as well, and that is the headline.
    ("january-2011", "2011-01", 27_100, 27_100, 0, Reason.POLICY_BMA),
    ("april-2020", "2020-03", 98_900, 98_900, 98_900, Reason.CONSENT_REFUSED),
    ("april-2020", "2020-04", 98_900, 98_900, 98_900, Reason.CONSENT_REFUSED),
    ("may-2026", "2026-04", 959_330, 959_330, 959_330, Reason.CONSENT_REFUSED),
    ("may-2026", "2026-07", 959_330, 959_330, 959_330, Reason.CONSENT_REFUSED),
]
# Scenario, month: with additional information, in the same order.
ADDITIONAL = [
    ("april-2020", "2020-03", 2_000, 2_000, 2_000),
    ("april-2020", "2020-04", 98_900, 98_900, 98_900),
    ("may-2026", "2026-04", 959_330, 959_330, 959_330),
    ("may-2026", "2026-05", 767_464, 959_330, 0),
    ("may-2026", "2026-07", 518_038, 959_330, 0),
]


def month_of(slug, month):
    return next(one for one in replay(SCENARIOS[slug]) if f"{one.day:%Y-%m}" == month)


@pytest.mark.parametrize(("slug", "month", "was", "nothing", "all_", "reason"), TURNS)
def test_turning_points(slug, month, was, nothing, all_, reason):
    found = month_of(slug, month)
    assert [found.sent[world.name].summaries for world in (AS_IT_WAS, NOTHING_ASKED, ALL_FOLLOWED)] == [
        was,
        nothing,
        all_,
    ]
    assert found.held[0][0] is reason


@pytest.mark.parametrize(("slug", "month", "was", "nothing", "all_"), ADDITIONAL)
def test_additional_information(slug, month, was, nothing, all_):
    found = month_of(slug, month)
    assert [found.sent[one.name].additional for one in (AS_IT_WAS, NOTHING_ASKED, ALL_FOLLOWED)] == [
        was,
        nothing,
        all_,
    ]


def test_shares_of_january_2011():
    shares = {
        name.split(":")[0]: sent.summaries / 100_000
        for name, sent, _ in month_of("january-2011", "2011-01").groups
        if sent.summaries
    }
    assert shares == {"North East": 0.176, "England as a whole": 0.085, "South Central": 0.01}


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS)
def test_every_patient_is_sent_or_has_a_reason_and_following_never_sends_more(scenario):
    for month in replay(scenario):
        was, nothing, all_ = (month.sent[one.name] for one in (AS_IT_WAS, NOTHING_ASKED, ALL_FOLLOWED))
        assert was.summaries + sum(patients for _, patients in month.held) == month.patients
        assert all_.summaries <= was.summaries <= nothing.summaries <= month.patients
        assert all_.additional <= was.additional <= nothing.additional
        for world in WORLDS:
            assert month.sent[world.name].additional <= month.sent[world.name].summaries


@pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS)
def test_a_refusal_is_never_sent_and_nothing_before_a_practice_joined(scenario):
    for month in replay(scenario):
        for group in scenario.groups:
            for state in in_force(group.patients, month.day):
                answer = decision(scenario, NOTHING_ASKED, group, state, month.day)
                if state is ConsentState.EXPRESS_DISSENT:
                    assert answer.outcome is Outcome.CANCEL
                if group.joined is None or group.joined > month.day:
                    assert answer.outcome is not Outcome.SEND


def test_a_position_counts_from_its_day_and_not_for_the_exempt():
    day = datetime.date(2007, 9, 10)
    position = adopted(1, Position.NON_COOPERATION, day, exempt=["BOLTON"])
    [dorset] = SCENARIOS["dorset-2007"].groups
    [bolton, *_] = SCENARIOS["trusts-2007"].groups
    noon = datetime.datetime(2007, 9, 10, 12, tzinfo=datetime.UTC)
    assert positions_for(dorset.place, standing([position]), noon) == [position]
    assert not positions_for(dorset.place, standing([position]), noon - datetime.timedelta(days=1))
    assert not positions_for(bolton.place, standing([position]), noon)


def test_the_core_goes_on_where_only_additional_information_is_refused():
    scenario = SCENARIOS["may-2026"]
    follows = scenario.groups[0]
    assert follows.answer(datetime.date(2026, 5, 31)) is Stance.FOLLOW
    answer = decision(scenario, AS_IT_WAS, follows, ConsentState.NONE, datetime.date(2026, 5, 31))
    assert (answer.outcome, answer.scope) == (Outcome.SEND, Scope.CORE)
    assert in_force(scenario.models, datetime.date(2026, 5, 31)) == (
        ConsentModel.IMPLIED_CORE_AND_ADDITIONAL,
        12,
    )
