"""Made-up people and their records: valid, various, and the same for the same seed."""

import csv
import datetime
import itertools
import math
import random
from collections import Counter

import nhs_number
import pytest

from carerecords.identifiers import parse_nhs_number
from demo.clinical import items_of
from demo.people import STRIDE, nhs_numbers, people_of
from demo.places import PLACES
from demo.tables import DATA, rows

TODAY = datetime.date(2026, 11, 23)


def people(seed=1, count=3_000, place=PLACES[0]):
    return people_of(place, "BH22 9HB", count, rng=random.Random(seed), today=TODAY, numbers=nhs_numbers())


def test_nhs_numbers_are_valid_and_never_repeat():
    assert math.gcd(STRIDE, 1_000_000) == 1, "stepping visits every number of the range once"
    numbers = list(itertools.islice(nhs_numbers(), 5_000))
    assert len(set(numbers)) == 5_000
    for number in numbers:
        assert number.startswith("999") and nhs_number.is_valid(number)
        assert parse_nhs_number(number) == number


def test_the_same_seed_makes_the_same_people():
    assert people(seed=1, count=200) == people(seed=1, count=200)
    assert people(seed=1, count=200) != people(seed=2, count=200)


def test_ages_follow_england():
    ages = [person.age for person in people()]
    assert 0.17 < sum(age < 15 for age in ages) / len(ages) < 0.21
    assert 0.16 < sum(age >= 65 for age in ages) / len(ages) < 0.21
    assert max(ages) < 102


def test_dates_are_in_order():
    for person in people():
        assert person.born_on <= person.registered_on <= TODAY
        assert person.gone_on is None or person.registered_on <= person.gone_on <= TODAY
        assert person.letter_sent_on is None or person.registered_on <= person.letter_sent_on
        assert person.age <= (TODAY - person.born_on).days / 365.2425 < person.age + 1.02


def test_children_live_with_somebody():
    found = people()
    homes = Counter((person.address, person.family_name) for person in found)
    children = [person for person in found[1:] if person.age < 18]
    assert sum(homes[child.address, child.family_name] > 1 for child in children) > 0.8 * len(children)


def test_addresses_have_the_outward_code_of_the_practice():
    assert {person.postcode.split()[0] for person in people()} == {"BH22"}


def test_names_of_a_place_are_its_own():
    names = Counter(person.family_name for person in people(place=PLACES[2]))
    assert names["Khan"] > names["Smith"]


def test_entries_grow_with_age_and_stay_within_life():
    rng, count = random.Random(1), Counter()
    for person in people():
        items = items_of(person, rng, TODAY)
        assert len(items) <= 12
        for item in items:
            assert person.born_on <= item.recorded_on <= (person.gone_on or TODAY) or "REPEAT" in item.kind
            assert item.recorded_on <= TODAY
            assert item.ended_on is None or item.recorded_on <= item.ended_on <= TODAY
        count[person.age >= 65] += len(items)
    old = sum(person.age >= 65 for person in people())
    assert count[True] / old > 2 * count[False] / (3_000 - old)


def test_every_repeat_has_a_dose():
    known = {row["term"] for row in rows("medicines")}
    wanted = {term for row in rows("conditions") for term in row["repeats"].split("|") if term}
    assert wanted <= known


# The dihedral scheme of Verhoeff, which SNOMED CT identifiers end with (Technical Implementation
# Guide, "Check-digit").
INVERSE = [0, 4, 3, 2, 1, 5, 6, 7, 8, 9]
ONCE = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4]


def dihedral(left, right):
    if left < 5:
        return (left + right) % 5 + (5 if right >= 5 else 0)
    return (left - right) % 5 + (0 if right >= 5 else 5)


def is_sctid(text):
    total = 0
    for place, permuted in enumerate(map(int, reversed(text))):
        for _ in range(place % 8):
            permuted = ONCE[permuted]  # noqa: PLW2901 - the permutation is applied again and again
        total = dihedral(total, permuted)
    return total == 0


@pytest.mark.parametrize("table", ["allergies", "conditions"])
def test_codes_are_well_formed_or_blank(table):
    with (DATA / f"{table}.csv").open(newline="") as lines:
        codes = {row["term"]: row["code"] for row in csv.DictReader(lines)}
    assert any(codes.values())
    assert [term for term, code in codes.items() if code and not is_sctid(code)] == []


def test_the_check_of_codes_finds_a_slip():
    assert is_sctid("196981000000101")
    assert not is_sctid("196981000000102")
