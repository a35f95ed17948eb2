"""Every combination of facts has a code of its own, and no fact is left out."""

import itertools

from spine.fact_codes import COMBINATIONS, VALUES, apart, facts_of
from spine.fact_columns import PATIENT_FACTS


def test_every_fact_has_a_place():
    assert tuple(VALUES) == PATIENT_FACTS


def test_codes_and_combinations_are_one_to_one():
    read = [tuple(facts_of(code).values()) for code in range(COMBINATIONS)]
    assert len(set(read)) == COMBINATIONS
    assert set(read) == set(itertools.product(*VALUES.values()))


def test_what_stands_above_the_code_comes_back():
    assert apart(17 * COMBINATIONS + 5) == (17, 5)
    assert apart(COMBINATIONS - 1) == (0, COMBINATIONS - 1)
