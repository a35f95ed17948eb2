"""A line of policy as a calendar: what stands, what is in force, what is to come."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boycott.rules import everywhere, in_force, next_change, positions_for, standing, to_come, with_change
from tests.unit.boycott.calendars import (
    BOYCOTT,
    COOPERATE,
    DORSET,
    LEEDS,
    LINES,
    NOW,
    day,
    position,
)

NOW_ON = position(number=1, made=-30)
FROM_OCTOBER = position(number=2, position=COOPERATE, start=28, made=0)


def numbers(revisions):
    return [revision.number for revision in revisions]


@pytest.mark.parametrize(
    ("revisions", "at", "held"),
    [
        ([], 0, []),
        ([NOW_ON], -11, []),
        ([NOW_ON], -10, [1]),
        ([NOW_ON, FROM_OCTOBER], 27, [1]),
        ([NOW_ON, FROM_OCTOBER], 28, [2]),
        # It ends, and nothing comes back from under it.
        ([NOW_ON, position(number=2, start=0, end=5)], 4, [2]),
        ([NOW_ON, position(number=2, start=0, end=5)], 5, []),
        # Overtaken: a later number that begins earlier holds for good.
        ([NOW_ON, FROM_OCTOBER, position(number=3, start=0)], 40, [3]),
        # Written after a scheduled one, to follow it.
        ([NOW_ON, FROM_OCTOBER, position(number=3, start=90, made=0)], 89, [2]),
        ([NOW_ON, FROM_OCTOBER, position(number=3, start=90, made=0)], 90, [3]),
        # Taken back before it began.
        ([NOW_ON, position(number=2, start=28, made=0, withdrawn_at=day(3))], 40, [1]),
    ],
)
def test_in_force(revisions, at, held):
    assert numbers(in_force(standing(revisions), day(at))) == held


def test_one_made_to_hold_at_once_holds_for_a_reader_whose_clock_lags():
    made = position(start=0, made=0)
    assert in_force([made], day(-1)) == [made]
    assert in_force([position(start=1, made=0)], NOW) == []


def test_what_was_known_then():
    taken = position(number=2, start=28, made=0, withdrawn_at=day(3))
    known = [NOW_ON, taken]
    assert numbers(standing(known, day(-1))) == [1]
    assert numbers(standing(known, day(2))) == [1, 2]
    assert numbers(standing(known, day(3))) == [1]


def test_to_come_and_the_next_turn():
    second = position("B", start=40, made=0)
    kept = standing([NOW_ON, FROM_OCTOBER, second])
    assert to_come(kept, NOW) == [FROM_OCTOBER, second]
    assert next_change(DORSET, kept, NOW) == day(28) and next_change(DORSET, kept, day(28)) == day(40)


def test_the_latest_of_a_line_counts_even_where_it_does_not_reach():
    narrowed = position(number=2, start=0, region_codes=frozenset({"Y63"}))
    kept = standing([NOW_ON, narrowed])
    assert positions_for(DORSET, kept, NOW) == []
    assert positions_for(LEEDS, kept, NOW) == [narrowed]
    assert everywhere(kept, NOW) == []


def test_with_change_puts_it_last_in_its_line():
    then = with_change(standing([NOW_ON]), position(number=2, position=COOPERATE, start=0))
    assert [one.position for one in in_force(then, NOW)] == [COOPERATE]


REVISIONS = st.lists(
    st.tuples(st.sampled_from("AB"), st.integers(0, 6), st.integers(1, 4) | st.none(), st.booleans()),
    max_size=8,
)


@given(REVISIONS, st.integers(-1, 12))
def test_standing_loses_nothing_that_is_ever_in_force(drawn, at):
    """Against the plain reading of all rows: the highest number that has begun and was not taken back."""
    revisions = [
        position(
            line,
            number,
            BOYCOTT,
            start,
            None if length is None else start + length,
            made=-1,
            withdrawn_at=day(-1) if withdrawn else None,
        )
        for number, (line, start, length, withdrawn) in enumerate(drawn, start=1)
    ]
    expected = []
    for line in LINES.values():
        begun = [
            one
            for one in revisions
            if one.line == line and not one.withdrawn_at and one.effective_from <= day(at)
        ]
        last = max(begun, key=lambda one: one.number, default=None)
        if last and (last.effective_to is None or day(at) < last.effective_to):
            expected.append(last)
    assert set(in_force(standing(revisions), day(at))) == set(expected)
