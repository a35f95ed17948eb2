"""Turns: the formula says what a queue does that is emptied turn by turn."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from spine.policy.drain_chart import drain_chart
from spine.policy.draining import Turns, course

SIZES = st.lists(st.integers(0, 30), max_size=12)


def emptied(sizes):
    """{size: messages that have left once every practice of that size is done}, and how many practices
    have some left after each round."""
    left, sent, done, unfinished = list(sizes), 0, {}, {}
    for round_number in range(1, max(sizes, default=0) + 1):
        sent += sum(one > 0 for one in left)
        left = [max(one - 1, 0) for one in left]
        done[round_number] = sent
        unfinished[sent] = sum(one > 0 for one in left)
    return done, unfinished


@given(SIZES)
def test_a_practice_is_done_when_the_turns_say_so(sizes):
    turns, (done, unfinished) = Turns(sizes), emptied(sizes)
    assert turns.total == sum(sizes)
    assert turns.practices == sum(size > 0 for size in sizes)
    for size in set(sizes) - {0}:
        assert turns.until(size) == done[size]
    for sent, number in unfinished.items():
        assert turns.unfinished(sent) == number


@given(SIZES)
def test_a_course_goes_from_all_to_nothing(sizes):
    moments = course(Turns(sizes))
    assert (moments[0].left, moments[-1].left) == (sum(sizes), 0)
    assert moments[-1].practices == 0
    assert all(one.left >= two.left and one.practices >= two.practices for one, two in pairwise(moments))


def test_three_do_not_wait_for_thousands():
    turns = Turns([3, 5000, 1])
    assert (turns.until(1), turns.until(3), turns.until(5000)) == (3, 7, 5004)


def test_a_chart_starts_full_and_ends_empty():
    moments = course(Turns([4, 8, 12]), steps=4)
    chart = drain_chart(moments, ["a", "b", "c", "d", "e"])
    assert chart.line.startswith("72.0,12.0 ") or chart.line.startswith("72,12")
    assert chart.line.endswith(f"{chart.right},{chart.base}") or chart.line.endswith(
        f"{chart.right}.0,{chart.base}.0"
    )
    assert [name for _, name in chart.names] == ["a", "c", "e"]
