"""The way of a change, as a table and as a graph; and the figures that it carries."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boycott.change_states import AFTER, ON_THE_WAY, TRANSITIONS, ChangeState, Step, allows, state_after
from boycott.figures import WEIGHED, Figures, differing, drifted
from tests.unit.boycott.calendars import NOW, day


def test_every_state_and_step_has_its_place():
    assert set(TRANSITIONS) == set(ChangeState)
    assert set(AFTER) == set(Step)
    for steps in TRANSITIONS.values():
        assert all(AFTER[step] is state for step, state in steps.items())


def test_nothing_takes_effect_without_an_approval():
    """Whatever way leads into force passes APPROVED, and no edit lies between."""
    into = {
        state
        for state, steps in TRANSITIONS.items()
        for target in steps.values()
        if target is ChangeState.IN_FORCE
    }
    assert into == {ChangeState.APPROVED, ChangeState.SCHEDULED}
    to_schedule = {state for state, steps in TRANSITIONS.items() if Step.SCHEDULED in steps}
    approvable = {state for state, steps in TRANSITIONS.items() if Step.APPROVED in steps}
    assert to_schedule == {ChangeState.APPROVED} and approvable == {ChangeState.IN_REVIEW}


def test_every_edit_leads_back_to_a_draft():
    editable = {state for state in ChangeState if allows(state, Step.WRITTEN)}
    assert editable == {
        ChangeState.DRAFT,
        ChangeState.IN_REVIEW,
        ChangeState.SCHEDULED,
        ChangeState.REJECTED,
        ChangeState.SUSPENDED,
    }
    assert AFTER[Step.WRITTEN] is ChangeState.DRAFT


def test_what_is_over_stays_over():
    assert TRANSITIONS[ChangeState.IN_FORCE] == TRANSITIONS[ChangeState.CANCELLED] == {}


def test_only_what_is_on_its_way_can_be_suspended():
    assert {state for state in ChangeState if allows(state, Step.SUSPENDED)} == set(ON_THE_WAY)


@pytest.mark.parametrize(
    ("at", "state"), [(-1, ChangeState.SCHEDULED), (0, ChangeState.IN_FORCE), (1, ChangeState.IN_FORCE)]
)
def test_a_schedule_comes_true_by_the_calendar_alone(at, state):
    assert state_after(Step.SCHEDULED, NOW, day(at)) is state


@pytest.mark.parametrize("state", list(ChangeState))
@pytest.mark.parametrize("holds", [True, False])
def test_only_what_took_effect_can_be_over(state, holds):
    over = state is ChangeState.IN_FORCE and not holds
    assert state.words(holds=holds) == ("Over" if over else state.label)


@pytest.mark.parametrize(
    ("was", "now", "moved"),
    [(100, 105, False), (100, 106, True), (100, 95, False), (100, 94, True), (0, 0, False), (0, 1, True)],
)
@pytest.mark.parametrize("name", WEIGHED)
def test_five_in_a_hundred(name, was, now, moved):
    assert drifted(Figures(**{name: was}), Figures(**{name: now})) is moved


@pytest.mark.parametrize("name", ["held", "released", "in_flight", "copies"])
def test_what_sending_itself_moves_does_not_count(name):
    assert not drifted(Figures(), Figures(**{name: 1000}))
    assert differing(Figures(), Figures(**{name: 1000})) == {name}


@given(st.builds(Figures, *[st.integers(0, 10**8)] * 10))
def test_figures_are_kept_whole(figures):
    assert Figures.from_json(figures.as_json) == figures
    assert not drifted(figures, figures) and not differing(figures, figures)
