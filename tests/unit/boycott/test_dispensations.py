"""What a dispensation does to the positions in force, as a table and in the check of all positions."""

from dataclasses import replace

import pytest

from boycott.dispensations.vocabulary import ALLOWED, State, Step, state_of
from boycott.lattice import examine
from boycott.rules import Place, Release, freed_by, next_change, positions_for, with_release
from tests.unit.boycott.calendars import BOYCOTT, BRISTOL, COOPERATE, DORSET, ENGLAND, NOW, day, position

RELEASE = Release(7, frozenset({DORSET.ods_code}), day(2), day(5))
HELD = replace(position("A", position=BOYCOTT), releases=(RELEASE,))


@pytest.mark.parametrize(("at", "bound"), [(1, True), (2, False), (4, False), (5, True)])
def test_it_frees_from_its_start_until_its_end(at, bound):
    assert (HELD in positions_for(DORSET, [HELD], day(at))) is bound
    assert [one.id for one in freed_by(DORSET, [HELD], day(at))] == ([] if bound else [7])


def test_it_frees_nobody_else_and_from_nothing_else():
    other = position("B", position=BOYCOTT)
    assert positions_for(BRISTOL, [HELD], day(3)) == [HELD] and freed_by(BRISTOL, [HELD], day(3)) == []
    assert positions_for(DORSET, [HELD, other], day(3)) == [other]


def test_the_next_revision_of_the_line_asks_all_again():
    revised = replace(HELD, id=99, number=HELD.number + 1, releases=(), effective_from=day(3))
    assert positions_for(DORSET, [HELD, revised], day(4)) == [revised]
    assert freed_by(DORSET, [HELD, revised], day(4)) == []


def test_the_calendar_of_those_who_wait_turns_with_it():
    assert [next_change(DORSET, [HELD], day(each)) for each in (1, 2, 5)] == [day(2), day(5), None]
    assert next_change(BRISTOL, [HELD], day(1)) is None


def test_one_more_is_of_one_revision_alone():
    plain, other = position("A", position=BOYCOTT), position("B", position=BOYCOTT)
    assert with_release([plain, other], plain.id, RELEASE) == (replace(plain, releases=(RELEASE,)), other)


def test_the_check_of_all_positions_sees_it():
    """Two positions disagree, for the released practice only outside the dispensation."""
    rival = position("B", position=COOPERATE)
    [clash] = examine([HELD, rival], ENGLAND, NOW).clashes
    assert clash.practices == len(ENGLAND) and clash.end is None
    released = [one for one in examine([HELD, rival], ENGLAND, NOW).stretches if one.cell.place == DORSET]
    assert [(one.start, HELD in one.applies) for one in released if one.start >= day(2)][:2] == [
        (day(2), False),
        (day(5), True),
    ]
    [only] = examine([HELD, rival], [DORSET], day(2)).clashes
    assert only.start == day(5)


def test_the_check_grows_with_the_dispensations_and_not_with_their_square():
    places = [Place(f"P{number:05}", "Y58", "QVV") for number in range(300)]
    releases = tuple(
        Release(number, frozenset({place.ods_code}), day(number), day(number + 9))
        for number, place in enumerate(places[:200], start=1)
    )
    held, rival = replace(HELD, releases=releases), position("B", position=COOPERATE)
    examined = examine([held, rival], places, NOW)
    assert len(examined.stretches) == 200 * 3 + 1
    assert [(clash.practices, clash.end) for clash in examined.clashes] == [(300, None)]


@pytest.mark.parametrize(
    ("taken", "at", "state"),
    [
        (set(), 1, State.ASKED),
        (set(), 5, State.OVER),
        ({Step.AGREED}, 1, State.TO_COME),
        ({Step.AGREED}, 2, State.IN_FORCE),
        ({Step.AGREED}, 5, State.OVER),
        ({Step.AGREED, Step.ENDED}, 3, State.ENDED),
        ({Step.REFUSED}, 3, State.REFUSED),
        ({Step.TAKEN_BACK}, 3, State.TAKEN_BACK),
    ],
)
def test_where_it_stands(taken, at, state):
    assert state_of(taken, day(2), day(5), day(at), stands=True) is state
    lapses = state in {State.ASKED, State.TO_COME, State.IN_FORCE}
    revised = state_of(taken, day(2), day(5), day(at), stands=False)
    assert revised is (State.LAPSED if lapses else state)


def test_nothing_that_is_over_goes_on():
    assert set(ALLOWED) == set(Step)
    open_states = {state for states in ALLOWED.values() for state in states}
    assert open_states == {State.ASKED, State.TO_COME, State.IN_FORCE}
