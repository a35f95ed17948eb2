"""Small numbers: hidden, and not to be had by subtraction from the totals."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carerecords.small_numbers import SMALL, rounded, suppressed

CASES = [
    ({("a", 1): 10, ("a", 2): 20, ("b", 1): 30, ("b", 2): 40}, set()),
    ({("a", 1): 3, ("a", 2): 20, ("b", 1): 30, ("b", 2): 40}, {("a", 1), ("a", 2), ("b", 1), ("b", 2)}),
    ({("a", 1): 0, ("a", 2): 20, ("b", 1): 30, ("b", 2): 40}, set()),
    (
        {("a", 1): 1, ("a", 2): 2, ("a", 3): 50, ("b", 1): 7, ("b", 2): 9, ("b", 3): 60},
        {("a", 1), ("a", 2), ("b", 1), ("b", 2)},
    ),
]


@pytest.mark.parametrize("table,hidden", CASES)
def test_tables(table, hidden):
    assert suppressed(table) == hidden


cells = st.tuples(st.sampled_from("abcdefg"), st.sampled_from([1, 2, 3, 4]))
tables = st.dictionaries(cells, st.integers(0, 30), max_size=28)


@given(tables)
def test_no_small_number_is_shown_and_none_is_left_alone(table):
    hidden = suppressed(table)
    assert all(count not in SMALL for cell, count in table.items() if cell not in hidden)
    assert all(table[cell] for cell in hidden)
    for axis in (0, 1):
        for key in {cell[axis] for cell in hidden}:
            line = [cell for cell in table if cell[axis] == key and table[cell]]
            gone = [cell for cell in line if cell in hidden]
            # Alone only where it is the whole line, and its total is hidden with it.
            assert len(gone) >= 2 or len(gone) == len(line)


def test_rounded_to_the_nearest_five():
    assert [rounded(number) for number in range(13)] == [0, 0, 0, 5, 5, 5, 5, 5, 10, 10, 10, 10, 10]


@given(st.integers(5, 10_000), st.sampled_from(SMALL))
def test_two_rounded_totals_leave_open_how_few_lie_between(number, few):
    told = rounded(number), rounded(number + few)
    others = {
        more
        for less in range(number - 4, number + 5)
        for more in range(9)
        if (rounded(less), rounded(less + more)) == told
    }
    assert set(SMALL) <= others
