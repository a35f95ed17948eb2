"""Where both sides disagree, and what may be set: the whole of what can be, as tables and properties."""

import itertools

import pytest

from consent.codes import ConsentState
from spine.permission.differences import (
    CONSENTS,
    CONSEQUENCES,
    ENDS_CONSENT,
    Difference,
    Sides,
    SpinePermission,
    difference,
    offer,
)

REFUSED, WITHDRAWN = ConsentState.EXPRESS_DISSENT, ConsentState.WITHDRAWN
CORE, NONE, CONFLICT = ConsentState.EXPRESS_CORE, ConsentState.NONE, ConsentState.CONFLICT


def sides(state, permission="", *also):
    """`also`: what holds besides."""
    names = ("is_known", "holds_record", "under_way", "upload_held")
    return Sides(state, permission, *(name in also for name in names))


TABLE = [
    # decision, the Spine says, what holds besides; what differs, what may be set
    (CORE, "No", ("is_known",), Difference.STORE_REFUSES, "Ask"),
    (CORE, "No", ("is_known", "upload_held"), Difference.STORE_REFUSES, "Ask"),
    (CORE, "Ask", ("is_known",), None, None),
    (CORE, "Yes", ("is_known",), None, None),
    (CORE, "", (), None, "Ask"),
    (REFUSED, "No", ("is_known",), None, None),
    (REFUSED, "No", ("is_known", "holds_record"), Difference.REMOVAL_STOPPED, "Ask"),
    (REFUSED, "Ask", ("is_known",), Difference.STORE_ALLOWS, "No"),
    (REFUSED, "", ("is_known",), Difference.STORE_ALLOWS, "No"),
    (REFUSED, "", (), None, "No"),
    # The removal comes first: with No in force the store would refuse it.
    (REFUSED, "Ask", ("is_known", "holds_record"), None, None),
    (REFUSED, "Ask", ("is_known", "under_way"), None, None),
    (REFUSED, "", ("under_way",), None, None),
    (WITHDRAWN, "No", ("is_known", "holds_record"), Difference.REMOVAL_STOPPED, "Ask"),
    (WITHDRAWN, "No", ("is_known",), None, None),
    (WITHDRAWN, "Ask", ("is_known",), None, None),
    # Silence and contradiction overwrite nothing.
    (NONE, "No", ("is_known",), None, None),
    (NONE, "No", ("is_known", "upload_held"), Difference.STORE_REFUSES, None),
    (CONFLICT, "No", ("is_known", "holds_record"), None, None),
]


@pytest.mark.parametrize("state, permission, also, differs, code", TABLE, ids=str)
def test_the_table(state, permission, also, differs, code):
    both = sides(state, permission, *also)
    assert difference(both) == differs
    assert offer(both).code == code


def test_every_difference_says_what_comes_of_it():
    assert set(CONSEQUENCES) == set(Difference)


def everything():
    """All that can be: a permission is known only of a store that was asked."""
    flags = itertools.product([False, True], repeat=3)
    for state, permission, rest in itertools.product(ConsentState, ["", *SpinePermission], list(flags)):
        for known in {True, bool(permission)}:
            yield Sides(state, permission, known, *rest)


def test_what_may_be_set_is_never_against_the_decision():
    for both in everything():
        found = offer(both)
        assert found.why.endswith(".")
        if found.code is SpinePermission.NO:
            assert both.state is REFUSED and not both.holds_record and not both.under_way
        elif found.code is SpinePermission.ASK:
            assert both.state in CONSENTS or (
                both.state in ENDS_CONSENT and both.store_refuses and both.holds_record
            )
        else:
            assert found.code is None, "Yes is of the past"


def test_a_difference_that_the_decision_can_mend_can_be_mended():
    for both in everything():
        if difference(both) and both.state in CONSENTS | ENDS_CONSENT:
            assert offer(both).code is not None, both


def test_setting_what_is_offered_ends_the_difference_or_lets_the_removal_go():
    for both in everything():
        found, code = difference(both), offer(both).code
        if found is None or code is None:
            continue
        after = Sides(both.state, code, True, both.holds_record, both.under_way, False)
        assert difference(after) is None, both
