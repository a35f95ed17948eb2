"""Conflicts and positions without effect, compared with the gate's own answers."""

import itertools
from dataclasses import replace
from functools import cache

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from boycott.lattice import examine
from boycott.positions import DataScope, Stance
from boycott.rules import in_force, positions_for
from consent.codes import ConsentModel, ConsentState
from spine.gate import Facts, Kind, Letter, decide
from tests.unit.boycott.calendars import (
    BOYCOTT,
    BRISTOL,
    COOPERATE,
    DORSET,
    ENGLAND,
    EXPLICIT,
    LEEDS,
    NOW,
    day,
    position,
)

ADDITIONAL = DataScope.ADDITIONAL_ONLY
FREE = Facts(
    Kind.UPLOAD,
    letter=Letter.WINDOW_PASSED,
    undo_window_open=False,
    gp_holds=False,
    rollout_open=True,
    identity_verified=True,
    sensitive=False,
    stopped=False,
    consent_is_current=True,
    complete=True,
)
# Whose answer can depend on a position: every consent and model, of one who follows.
FOLLOWERS = [
    replace(FREE, consent=consent, consent_model=model, stance=Stance.FOLLOW)
    for consent, model in itertools.product(ConsentState, ConsentModel)
]


def answers(applying):
    return _answers(frozenset((one.position, one.data_scope) for one in applying))


@cache
def _answers(asked):
    return [decide(replace(facts, positions=asked)) for facts in FOLLOWERS]


def idle(*revisions, places=ENGLAND):
    return {
        (one.revision.id, tuple(other.id for other in one.by)) for one in examine(revisions, places, NOW).idle
    }


def ids(*revisions):
    return tuple(revision.id for revision in revisions)


ALL = position("A", position=BOYCOTT)
PART = position("B", position=BOYCOTT, about=ADDITIONAL)


@pytest.mark.parametrize(
    ("revisions", "expected"),
    [
        ([], set()),
        ([ALL], set()),
        # Co-operation alone changes no upload, but nothing covers it.
        ([position(position=COOPERATE)], set()),
        ([ALL, PART], {(PART.id, (ALL.id,))}),
        ([ALL, position("C")], {(position("C").id, (ALL.id,))}),
        # The same asked twice: the first counts.
        ([ALL, position("C"), position("D")], None),
        # Covered in the west only.
        ([position("A", region_codes=frozenset({"Y58"})), PART], set()),
        # Covered for its whole time, or for a part of it.
        ([position("A", end=10), position("B", about=ADDITIONAL, end=9)], None),
        ([position("A", end=10), position("B", about=ADDITIONAL, end=11)], set()),
        # About nobody: everybody it names is exempt.
        (
            [position(ods_codes=frozenset({"J81012"}), exempt_ods_codes=frozenset({"J81012"}))],
            {(position().id, ())},
        ),
        # Two that disagree both have an effect.
        ([ALL, position("B", position=COOPERATE)], set()),
        (
            [position("A", position=EXPLICIT), position("B", position=EXPLICIT, about=ADDITIONAL)],
            {(position("B").id, (position("A").id,))},
        ),
        ([position("A", position=EXPLICIT), PART], set()),
    ],
)
def test_idle(revisions, expected):
    if expected is None:
        rest = revisions[1:]
        assert {found for found, _ in idle(*revisions)} == set(ids(*rest))
    else:
        assert idle(*revisions) == expected


def test_one_that_is_over_is_not_spoken_of():
    assert idle(ALL, position("B", about=ADDITIONAL, end=0)) == set()


def clashes(*revisions, places=ENGLAND):
    return [
        (clash.about, ids(*clash.revisions), clash.practices, clash.start, clash.end)
        for clash in examine(revisions, places, NOW).clashes
    ]


def test_clashes_say_who_where_and_when():
    north = position("B", position=COOPERATE, start=5, end=9, region_codes=frozenset({"Y63"}))
    assert clashes(ALL, north) == [(DataScope.ALL, ids(ALL, north), 1, day(5), day(9))]
    spared = replace(ALL, exempt_ods_codes=frozenset({LEEDS.ods_code}))
    assert clashes(spared, north) == []
    assert clashes(ALL, position("B", position=COOPERATE)) == [
        (DataScope.ALL, ids(ALL, position("B")), 3, NOW, None)
    ]


def test_different_parts_of_the_summary_do_not_clash():
    assert clashes(position(position=COOPERATE), PART) == []


def test_a_scheduled_end_ends_the_clash():
    rival = position("B", position=COOPERATE)
    ending = position("A", 2, COOPERATE, start=30, made=0)
    assert clashes(ALL, rival, ending) == [(DataScope.ALL, ids(ALL, rival), 3, NOW, day(30))]


SCOPES = st.sampled_from(
    [
        {},
        {"region_codes": frozenset({"Y58"})},
        {"icb_codes": frozenset({"QVV", "QWO"})},
        {"ods_codes": frozenset({BRISTOL.ods_code})},
        {"exempt_ods_codes": frozenset({DORSET.ods_code})},
    ]
)
POSITIONS = st.lists(
    st.tuples(
        st.sampled_from([COOPERATE, EXPLICIT, BOYCOTT]),
        st.sampled_from(DataScope),
        st.integers(-1, 3),
        st.sampled_from([None, 4, 5]),
        SCOPES,
    ),
    max_size=6,
)


@settings(deadline=None)
@given(POSITIONS)
def test_what_is_found_is_what_the_gate_does(drawn):
    """For every place and day: a clash exactly where the gate finds one; nothing idle ever counts."""
    revisions = [
        position(line, 1, which, start, end, about, made=-1, **scope)
        for line, (which, about, start, end, scope) in zip("ABCDEF", drawn, strict=False)
    ]
    found = examine(revisions, ENGLAND, NOW)
    useless = {one.revision for one in found.idle}
    for place, number in itertools.product(ENGLAND, range(7)):
        applying = positions_for(place, revisions, day(number))
        without = [one for one in applying if one not in useless]
        assert answers(without) == answers(applying)
        clashing = any(
            clash.start <= day(number) and (clash.end is None or day(number) < clash.end)
            for clash in found.clashes
            if set(clash.revisions) <= set(applying)
        )
        disagree = any(
            len({one.position for one in applying if one.data_scope is about}) > 1 for about in DataScope
        )
        assert clashing == disagree


@settings(deadline=None)
@given(POSITIONS)
def test_whatever_makes_no_difference_is_found(drawn):
    """Unless it is one that co-operates, or a dispute hides for a while what it asks."""
    revisions = [
        position(line, 1, which, start, end, about, made=-1, **scope)
        for line, (which, about, start, end, scope) in zip("ABCDEF", drawn, strict=False)
    ]
    found = examine(revisions, ENGLAND, NOW)
    assume(not found.clashes)
    useless = {one.revision for one in found.idle}
    for revision in revisions:
        if revision in useless or revision.ended(NOW) or revision.position is COOPERATE:
            continue
        others = [one for one in revisions if one not in useless and one != revision]
        assert any(
            answers(positions_for(place, others, day(number)))
            != answers(positions_for(place, [*others, revision], day(number)))
            for place, number in itertools.product(ENGLAND, range(7))
        )


def test_stretches_cover_every_place_once():
    revisions = [ALL, position("B", start=3, about=ADDITIONAL, region_codes=frozenset({"Y63"}))]
    found = examine(revisions, ENGLAND, NOW)
    at_start = [one for one in found.stretches if one.start == NOW]
    assert sum(one.cell.practices for one in at_start) == len(ENGLAND)
    assert {(one.start, one.end) for one in found.stretches} == {(NOW, day(3)), (day(3), None)}
    assert all(set(one.applies) <= set(in_force(revisions, one.start)) for one in found.stretches)
