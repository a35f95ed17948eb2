"""The ids that an administrator may fill in: concepts whose check digit is right, and nothing else."""

import pytest

from consent.snomed import BadSnomedId, parse

# From the published interface: "General Practice Summary", and the concept "SNOMED CT Concept".
CONCEPTS = ["196981000000101", "163171000000105", "138875005"]


@pytest.mark.parametrize("number", CONCEPTS)
def test_a_concept_is_taken(number):
    assert parse(f" {number} ") == number


@pytest.mark.parametrize("number", CONCEPTS)
@pytest.mark.parametrize("place", [0, 3, -1])
def test_any_wrong_digit_is_found(number, place):
    digits = list(number)
    digits[place] = str((int(digits[place]) + 1) % 10 or 1)
    with pytest.raises(BadSnomedId):
        parse("".join(digits))


@pytest.mark.parametrize("swapped", ["916981000000101", "138875050"])
def test_two_digits_changed_over_are_found(swapped):
    with pytest.raises(BadSnomedId):
        parse(swapped)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "only include numbers"),
        ("9Ndo", "only include numbers"),
        ("0138875005", "not begin with 0"),
        ("12345", "between 6 and 18"),
        ("1" * 19, "between 6 and 18"),
        ("٣٨٨٧٥٠٠٥", "only include numbers"),
        # A description's id, not a concept's.
        ("680946014", "partition"),
        ("138875006", "not one that can exist"),
    ],
)
def test_each_mistake_is_named(text, why):
    with pytest.raises(BadSnomedId, match=why):
        parse(text)
