"""The projection: known values, its limits, and which way it moves."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.projection import FACTOR, project

shares = st.floats(0, 1)
answers = st.integers(1, 2000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def test_2007_as_it_was_said():
    last = project(follow=75, answered=100, factor=1)[-1]
    assert (last.number, last.nobody, last.likely) == (18, 1, 0.25)
    assert round(last.low, 3) == 0.175 and round(last.high, 3) == 0.343


def test_2007_as_it_would_have_been_done():
    assert FACTOR == 0.61
    assert project(follow=75, answered=100)[-1].likely == pytest.approx(1 - 0.75 * 0.61)


def test_nobody_follows_and_everybody_does():
    assert project(follow=0, answered=10)[-1].likely == 1
    assert project(follow=10, answered=10, factor=1)[-1].likely == 0


@given(answers, shares, shares, st.integers(1, 60))
def test_bounded_and_rising(case, factor, reachable, months):
    follow, answered = case
    found = project(follow=follow, answered=answered, factor=factor, reachable=reachable, months=months)
    assert len(found) == months + 1 and found[0].likely == 0
    for one in found:
        assert 0 <= one.low <= one.likely + 1e-12 <= one.high + 2e-12 <= one.nobody + 3e-12
        assert one.nobody <= 1
    for one, other in itertools.pairwise(found):
        assert one.likely <= other.likely and one.low <= other.low and one.high <= other.high


@given(answers, shares)
def test_more_who_follow_and_more_who_act_mean_less_coverage(case, factor):
    follow, answered = case
    one = project(follow=follow, answered=answered, factor=factor)[-1]
    if follow < answered:
        assert project(follow=follow + 1, answered=answered, factor=factor)[-1].likely <= one.likely
    assert project(follow=follow, answered=answered, factor=factor / 2)[-1].likely >= one.likely


@pytest.mark.parametrize(
    "wrong", [{"factor": 1.1}, {"factor": -0.1}, {"reachable": 2}, {"months": 0}, {"months": 61}]
)
def test_what_lies_outside(wrong):
    with pytest.raises(ValueError, match="are shares"):
        project(follow=1, answered=2, **wrong)
