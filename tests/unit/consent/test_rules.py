"""What holds for a patient: the rule as a table, as properties, and against a slow oracle."""

import datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from consent.codes import ConsentState, Preference
from consent.rules import Derived, permits_upload, state_from
from tests.unit.consent.histories import answer_of, day, decision, histories, moment, reversal

days = st.integers(-1, 6).map(day)
moments = st.integers(0, 9).map(moment)

CORE, MORE, NO, UNDECIDED, IMPLIED = (
    "EXPRESS_CORE",
    "EXPRESS_ADDITIONAL",
    "EXPRESS_DISSENT",
    "NONE",
    "IMPLIED_CORE",
)
TODAY = 3

# Each row: what was recorded in this order, the state on day 3, and the event that it rests on.
CASES = [
    ("nothing was recorded", [], "NONE", None),
    ("core", [decision(1, CORE)], CORE, 1),
    ("core and additional", [decision(1, MORE)], MORE, 1),
    ("refused", [decision(1, NO)], NO, 1),
    ("implied", [decision(1, IMPLIED)], IMPLIED, 1),
    ("asked, and has not decided", [decision(1, UNDECIDED)], "NONE", 1),
    ("decided today", [decision(1, CORE, TODAY)], CORE, 1),
    # The latest day wins, whenever it was heard of.
    ("refused after consenting", [decision(1, CORE, 0), decision(2, NO, 2)], NO, 2),
    ("consented after refusing", [decision(1, NO, 0), decision(2, CORE, 2)], CORE, 2),
    ("an older letter came in late", [decision(1, NO, 2), decision(2, CORE, 0)], NO, 1),
    ("the undecided answer of a later day wins", [decision(1, CORE, 0), decision(2, UNDECIDED, 1)], "NONE", 2),
    # Two of one day.
    ("the same twice in one day", [decision(1, CORE), decision(2, CORE)], CORE, 2),
    ("two of one day disagree", [decision(1, CORE), decision(2, NO)], "CONFLICT", 2),
    ("two of one day differ in scope", [decision(1, CORE), decision(2, MORE)], "CONFLICT", 2),
    ("two of an earlier day disagree", [decision(1, CORE, 0), decision(2, NO, 0), decision(3, CORE, 1)], CORE, 3),
    ("changed their mind within the day", [decision(1, CORE), decision(2, NO, seen=1)], NO, 2),
    (
        "changed their mind twice within the day",
        [decision(1, CORE), decision(2, NO, seen=1), decision(3, MORE, seen=2)],
        MORE,
        3,
    ),
    (
        "a third that nobody looked for",
        [decision(1, CORE), decision(2, NO, seen=1), decision(3, MORE)],
        "CONFLICT",
        3,
    ),
    (
        "a conflict that was seen and settled the same day",
        [decision(1, CORE), decision(2, NO), decision(3, NO, seen=2)],
        NO,
        3,
    ),
    (
        "a conflict that was settled for the earlier answer",
        [decision(1, CORE), decision(2, NO), decision(3, CORE, seen=2)],
        CORE,
        3,
    ),
    (
        "the one between was taken back, the last knew of both",
        [decision(1, CORE), decision(2, NO, seen=1), decision(3, MORE, seen=2), reversal(4, 2)],
        MORE,
        3,
    ),
    # Silence gives way to whatever was said, whenever it came in.
    ("refused after silence", [decision(1, IMPLIED, 0), decision(2, NO, 1)], NO, 2),
    ("refused on the day that silence was recorded", [decision(1, IMPLIED), decision(2, NO)], NO, 2),
    ("a refusal from before comes in late", [decision(1, IMPLIED, 2), decision(2, NO, 0)], NO, 2),
    ("silence after a refusal is none", [decision(1, NO, 0), decision(2, IMPLIED, 2)], NO, 1),
    ("silence after an undone refusal", [decision(1, NO, 0), decision(2, IMPLIED, 2), reversal(3, 1)], IMPLIED, 2),
    ("consent from tomorrow, silence until then", [decision(1, CORE, 4), decision(2, IMPLIED, 1)], IMPLIED, 2),
    # Taking back.
    ("undone", [decision(1, CORE), reversal(2, 1)], "NONE", None),
    ("undone, so the one before holds again", [decision(1, NO, 0), decision(2, CORE, 1), reversal(3, 2)], NO, 1),
    ("the first undone, the second holds", [decision(1, NO, 0), decision(2, CORE, 1), reversal(3, 1)], CORE, 2),
    ("the undoing undone", [decision(1, CORE), reversal(2, 1), reversal(3, 2)], CORE, 1),
    ("one of a conflict undone", [decision(1, CORE), decision(2, NO), reversal(3, 2)], CORE, 1),
    (
        "a change of mind undone within the day",
        [decision(1, CORE), decision(2, NO, seen=1), reversal(3, 2)],
        CORE,
        1,
    ),
    # To come.
    ("consent from tomorrow", [decision(1, CORE, 4)], "LATER", 1),
    ("refusal from tomorrow", [decision(1, NO, 4)], "NONE", None),
    ("consent now, refusal from tomorrow", [decision(1, CORE, 0), decision(2, NO, 4)], CORE, 1),
    ("consent from tomorrow, undone", [decision(1, CORE, 4), reversal(2, 1)], "NONE", None),
    ("refusal tomorrow, consent after", [decision(1, CORE, 5), decision(2, NO, 4)], "NONE", None),
    ("tomorrow's refusal replaced by consent", [decision(1, NO, 4), decision(2, CORE, 4, seen=1)], "LATER", 2),
    ("tomorrow's consent replaced by refusal", [decision(1, CORE, 4), decision(2, NO, 4, seen=1)], "NONE", None),
    ("tomorrow's decisions disagree", [decision(1, CORE, 4), decision(2, NO, 4)], "NONE", None),
]  # fmt: skip


@pytest.mark.parametrize(("name", "events", "state", "rests_on"), CASES, ids=[case[0] for case in CASES])
def test_the_table(name, events, state, rests_on):
    derived = state_from(events, day(TODAY))
    assert (derived.state, derived.event.sequence if derived.event else None) == (state, rests_on)


@given(histories(), days, st.none() | moments)
@example([decision(1, CORE), decision(2, NO), decision(3, NO, seen=2)], day(1), None)
def test_any_history_amounts_to_what_the_slow_way_finds(events, at, known_at):
    derived = state_from(events, at, known_at)
    assert (derived.state, derived.event.sequence if derived.event else None) == answer_of(
        events, at, known_at
    )


@given(histories(), days, st.randoms())
def test_the_order_of_arrival_does_not_matter(events, at, random):
    shuffled = list(events)
    random.shuffle(shuffled)
    assert state_from(shuffled, at) == state_from(events, at)


SPOKEN = [preference for preference in Preference if preference is not Preference.IMPLIED_CORE]


@given(histories(), st.sampled_from(SPOKEN), days)
def test_a_decision_of_a_later_day_wins_over_all_before(events, preference, at):
    newest = decision(len(events) + 1, preference, 10)
    assert state_from([*events, newest], max(at, day(10))) == Derived(
        ConsentState(preference.value), newest, None
    )


@given(histories(), st.sampled_from(SPOKEN), st.integers(0, 4))
def test_of_one_day_the_one_recorded_last_in_knowledge_of_all_wins(events, preference, on):
    """Whoever saw the newest event, and records for the latest day, ends every conflict."""
    decided = [event.sequence for event in events if event.preference]
    of_latest_day = max([on, *((event.effective_from - day(0)).days for event in events if event.preference)])
    newest = decision(len(events) + 1, preference, of_latest_day, seen=max(decided, default=None))
    derived = state_from([*events, newest], day(6))
    assert (derived.state, derived.event) == (ConsentState(preference.value), newest)


@given(histories(), days, moments)
def test_what_was_believed_then_takes_no_account_of_what_came_later(events, at, known_at):
    by_then = [event for event in events if event.recorded_at <= known_at]
    assert state_from(events, at, known_at) == state_from(by_then, at)


@given(histories(), days)
def test_what_was_taken_back_counts_as_if_never_recorded_where_nobody_had_seen_it(events, at):
    target = decision(len(events) + 1, CORE, 1)
    undone = [*events, target, reversal(len(events) + 2, target.sequence)]
    assert state_from(undone, at) == state_from(events, at)


@given(histories(), days)
def test_the_state_rests_on_a_decision_in_effect_or_on_consent_to_come(events, at):
    derived = state_from(events, at)
    if derived.event is None:
        assert derived.state is ConsentState.NONE
    else:
        assert derived.event.preference is not None
        assert (derived.event.effective_from > at) == (derived.state is ConsentState.LATER)


@given(histories(), days)
def test_nobody_who_said_nothing_permits_anything(events, at):
    silent = [event for event in events if event.preference not in {Preference(CORE), Preference(MORE)}]
    assert not permits_upload(state_from(silent, at).state)


@given(histories(), days)
def test_nothing_changes_by_the_calendar_before_the_day_that_is_named(events, at):
    derived = state_from(events, at)
    for later in range(1, 9):
        on = at + datetime.timedelta(days=later)
        if derived.changes_on is not None and on >= derived.changes_on:
            break
        assert state_from(events, on) == derived
    assert derived.changes_on is None or derived.changes_on > at


@pytest.mark.parametrize("state", ConsentState)
def test_only_express_consent_permits(state):
    assert permits_upload(state) == (state.value in {CORE, MORE})


def test_both_clocks_of_a_late_letter():
    """Consent is recorded on the first day; a refusal of that morning comes in by post two days on."""
    events = [decision(1, CORE, 0), decision(50, NO, 1)]
    then = state_from(events, day(2), moment(40))
    now = state_from(events, day(2), moment(50))
    before = state_from(events, day(0), moment(50))
    assert [derived.state for derived in (then, now, before)] == [CORE, NO, CORE]
