"""The gateway's limits: what passes, and that no pattern of requests gets more than was promised."""

from hypothesis import given
from hypothesis import strategies as st

from spine.localstore.limits import Limits


def passed(limits, moments):
    return [now for now in moments if limits.admit(now) is None]


def test_no_figures_no_limit():
    assert len(passed(Limits(None, None), [0.0] * 100)) == 100


def test_a_burst_is_smoothed():
    assert passed(Limits(5, None), [0.0, 0.01, 0.02, 0.2, 0.21, 0.4]) == [0.0, 0.2, 0.4]


def test_half_an_interval_early_is_forgiven_and_the_mean_holds():
    limits = Limits(5, None)
    assert passed(limits, [0.0, 0.11, 0.31]) == [0.0, 0.11, 0.31]
    assert limits.admit(0.4) is not None, "what came early was not a gift"


def test_the_minute_holds_where_the_second_would_allow_more():
    limits = Limits(100, 300)
    assert len(passed(limits, [n / 100 for n in range(5999)])) == 300
    assert limits.admit(60.0) is None


def test_the_wait_told_is_enough():
    limits = Limits(5, 3)
    for now in (0.0, 0.2, 0.4):
        assert limits.admit(now) is None
    wait = limits.admit(0.6)
    assert limits.admit(0.6 + wait) is None


@given(st.lists(st.floats(0, 0.3), min_size=1, max_size=300), st.sampled_from([1.0, 5.0, 50.0]))
def test_in_any_stretch_no_more_than_the_rate_and_what_is_forgiven(gaps, rate):
    limits, now, through = Limits(rate, None), 0.0, []
    for gap in gaps:
        now += gap
        if limits.admit(now) is None:
            through.append(now)
    forgiven = max(0.5, 0.05 * rate)
    for i, begin in enumerate(through):
        for j in range(i, len(through)):
            assert j - i + 1 <= (through[j] - begin) * rate + 1 + forgiven + 1e-6
