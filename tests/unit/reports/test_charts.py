"""Columns stay in their box, in proportion, whatever the numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.charts import TOP, columns

NUMBERS = st.lists(st.integers(0, 10**7), min_size=1, max_size=60)


@given(NUMBERS)
def test_every_column_stands_in_the_box_and_in_proportion(numbers):
    chart = columns([("Jan 2026", number) for number in numbers])
    assert len(chart.columns) == len(numbers)
    for column in chart.columns:
        assert chart.left <= column.x and column.x + column.width <= chart.width + 0.01
        assert TOP - 0.01 <= column.y <= chart.base
        assert column.y + column.height == pytest.approx(chart.base)
    highest = max(numbers)
    for column in chart.columns:
        if highest:
            assert column.height == pytest.approx(
                column.number / highest * max(c.height for c in chart.columns)
            )


@given(NUMBERS)
def test_lines_are_at_whole_numbers_and_the_last_name_is_written(numbers):
    chart = columns([("Jan 2026", number) for number in numbers])
    assert next(number for _, number in chart.lines) == 0
    assert chart.lines[2][1] >= max(numbers) and chart.lines[1][1] * 2 == chart.lines[2][1]
    assert chart.columns[-1].named and sum(column.named for column in chart.columns) <= 8


def test_nothing_at_all():
    assert columns([]).columns == []
