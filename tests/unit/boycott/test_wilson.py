"""The interval: known values, its limits, and figures as people read them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boycott.surveys.wilson import per_cent, whole_per_cent, wilson

# From Wilson's formula in a spreadsheet; 75 of 100 and 750 of 1,000 stand in the screens design too.
KNOWN = [
    (75, 100, "65.7%", "82.5%"),
    (750, 1000, "72.2%", "77.6%"),
    (46, 100, "36.6%", "55.7%"),
    (0, 10, "0.0%", "27.8%"),
    (10, 10, "72.2%", "100.0%"),
    (1, 2, "9.5%", "90.5%"),
]


@pytest.mark.parametrize("part,whole,low,high", KNOWN)
def test_known_values(part, whole, low, high):
    found = wilson(part, whole)
    assert (per_cent(found.low), per_cent(found.high)) == (low, high)


def test_the_sentence_rounds_what_the_table_shows():
    found = wilson(75, 100)
    assert (whole_per_cent(found.low), whole_per_cent(found.high)) == ("66%", "83%")


parts = st.integers(1, 5000).flatmap(lambda whole: st.tuples(st.integers(0, whole), st.just(whole)))


@given(parts)
def test_it_holds_the_share_and_stays_within_0_and_1(case):
    part, whole = case
    found = wilson(part, whole)
    assert 0 <= found.low <= part / whole <= found.high <= 1
    assert found.low < found.high


@given(parts)
def test_it_is_the_same_seen_from_the_other_side(case):
    part, whole = case
    one, other = wilson(part, whole), wilson(whole - part, whole)
    assert one.low == pytest.approx(1 - other.high) and one.high == pytest.approx(1 - other.low)


@given(parts)
def test_more_answers_make_it_narrower_and_more_yes_higher(case):
    part, whole = case
    one, ten = wilson(part, whole), wilson(part * 10, whole * 10)
    assert ten.high - ten.low < one.high - one.low
    if part < whole:
        more = wilson(part + 1, whole)
        assert more.low > one.low and more.high > one.high - 1e-12


@pytest.mark.parametrize("part,whole", [(1, 0), (0, 0), (-1, 5), (6, 5)])
def test_what_is_no_share(part, whole):
    with pytest.raises(ValueError, match="is no share"):
        wilson(part, whole)
