"""What may be shown of answers: nothing of fewer than ten, and nothing that subtraction would give."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boycott.surveys.tally import FEWEST, hidden_regions, tally
from boycott.surveys.vocabulary import Kind, Meaning
from boycott.surveys.wording import response, sentences

REGIONS = ["Y56", "Y58", "Y59", "Y60", "Y61", "Y62", "Y63"]

HIDDEN = [
    ({"a": 10, "b": 12}, set()),
    ({"a": 9, "b": 12, "c": 30}, {"a", "b"}),  # a alone would be the rest of the total
    ({"a": 2, "b": 3, "c": 11, "d": 30}, {"a", "b", "c"}),  # the rest of the total would be 5
    ({"a": 9, "b": 9, "c": 11}, {"a", "b"}),
    ({"a": 0, "b": 12}, set()),  # nobody answered: nothing to hide
    ({"a": 4, "b": 8}, {"a", "b"}),
    ({"a": 4, "b": 40}, {"a", "b"}),
    ({"a": 4, "b": 5}, {"a", "b"}),  # nine in all
    ({}, set()),
]


@pytest.mark.parametrize("answers,hidden", HIDDEN)
def test_hidden_regions(answers, hidden):
    assert hidden_regions(answers) == hidden


counts = st.dictionaries(st.sampled_from(REGIONS), st.integers(0, 40), max_size=7)


@given(counts)
def test_nothing_small_is_shown_nor_left_over(answers):
    hidden, total = hidden_regions(answers), sum(answers.values())
    shown = {region: count for region, count in answers.items() if region not in hidden}
    assert all(count == 0 or count >= FEWEST for count in shown.values())
    left = total - sum(shown.values())
    if total >= FEWEST and left:
        assert (left >= FEWEST and sum(1 for region in hidden if answers[region]) >= 2) or not any(
            shown.values()
        )


choices = st.dictionaries(
    st.tuples(st.sampled_from(REGIONS), st.sampled_from([1, 2, 3])), st.integers(1, 30), max_size=15
)


@given(choices)
def test_what_is_shown_adds_up(answers):
    found = tally(dict.fromkeys(REGIONS, 500), answers, [1, 2, 3])
    assert found.answers == sum(answers.values()) and found.invited == 3500
    assert (found.shares is None) == (found.answers < FEWEST)
    if found.shares:
        assert sum(share.count for share in found.shares) == found.answers
    for region in found.regions:
        if region.shares:
            assert sum(share.count for share in region.shares) == region.answers >= FEWEST


def test_regions_taken_off_at_the_count_stay_hidden():
    found = tally({"a": 20, "b": 20, "c": 20}, {("a", 1): 15, ("", 1): 6, ("", 2): 7}, [1, 2])
    assert [(region.region_code, region.answers) for region in found.regions] == [
        ("a", 15),
        ("b", None),
        ("c", None),
    ]
    assert [share.count for share in found.shares] == [21, 7]


def test_the_words_of_2007():
    found = tally({"a": 120}, {("a", 1): 75, ("a", 2): 20, ("a", 3): 5}, [1, 2, 3])
    options = [
        ("I will", Meaning.FOLLOW),
        ("I will not", Meaning.DO_NOT_FOLLOW),
        ("Not decided", Meaning.NEITHER),
    ]
    assert response(Kind.SURVEY, found) == "100 of 120 GPs invited answered (83%)."
    first, second, third = sentences(Kind.SURVEY, options, found.shares)
    assert first == (
        "75 of 100 GPs (75%) plan to follow. "
        "If all GPs were asked the figure would likely be between 66% and 83%."
    )
    assert "20 of 100 GPs (20%) do not plan to follow." in second
    assert "5 of 100 GPs (5%) answered “Not decided”." in third
    assert "voted “I will”" in sentences(Kind.BALLOT, options, found.shares)[0]


def test_two_options_of_one_meaning_are_told_apart():
    found = tally({"a": 20}, {("a", 1): 5, ("a", 2): 7}, [1, 2])
    options = [("At once", Meaning.FOLLOW), ("Later", Meaning.FOLLOW)]
    told = sentences(Kind.SURVEY, options, found.shares)
    assert "answered “At once”" in told[0] and "answered “Later”" in told[1]
