"""The check finds each kind of violation in a story that is otherwise good; a check that cannot fail shows nothing."""

import datetime
from types import SimpleNamespace

import pytest

from faults import invariants
from faults.witness import Event, Line, Seen

BEGIN = datetime.datetime(2026, 3, 2, 9, tzinfo=datetime.UTC)
LONG_AGO = datetime.date(2010, 1, 4)
LEASE = datetime.timedelta(seconds=14)


def at(seconds):
    return BEGIN + datetime.timedelta(seconds=seconds)


def event(seconds, **row):
    return Event(at(seconds), SimpleNamespace(**row))


def consent(number, seconds, preference="EXPRESS_CORE", **more):
    row = {"id": number, "kind": "DECISION", "preference": preference, "reverses_id": None}
    row |= {"decided_on": BEGIN.date(), "recorded_at": at(seconds)}
    return event(seconds, **row | more)


def receipt(seconds, kind="ACCEPTED", status=201, composition="c1", attempt=1):
    return event(
        seconds, job_id=1, attempt=attempt, kind=kind, http_status=status, composition_id=composition
    )


def intent(seconds, attempt=1):
    return event(seconds, job_id=1, attempt=attempt)


def job(**more):
    row = {"id": 1, "patient_id": 1, "kind": "UPLOAD", "state": "ACCEPTED", "reasons": [], "due_at": None}
    return SimpleNamespace(**row | {"requested_at": at(0)} | more)


def line(sequence=1, received=10, accepted=11, composition="c1", **more):
    row = {"nhs_number": "n1", "replaced": "", "is_blank": False}
    return Line(sequence, at(received), at(accepted), composition=composition, **row | more)


def story(**changes):
    """One patient consented, one upload was meant, sent, accepted and noted."""
    good = {
        "lines": [line()],
        "jobs": {1: job()},
        "patients": {"n1": SimpleNamespace(id=1, practice_id=7, usual_gp_id=8)},
        "intents": {"c1": [intent(9)]},
        "receipts": {1: [receipt(12)]},
        "decisions": [event(9, job_id=1, attempt=1)],
        "consents": {1: [consent(1, 0)]},
        "stops": [],
        "positions": [],
        "stances": {},
        "gp_stances": {},
        "copies": {1: SimpleNamespace(composition_id="c1")},
        "mismatches": set(),
        "lease": LEASE,
    }
    return Seen(**good | changes)


def found(seen):
    return {key for key, places in invariants.check(seen).items() if places}


def position(seconds, name="NON_COOPERATION"):
    return event(seconds, id=1, position=name, effective_from=at(seconds))


def stance(seconds, name):
    return {7: [event(seconds, id=1, stance=name)]}


def withdrawal(**more):
    return job(id=2, kind="WITHDRAWAL", requested_at=at(20), **more)


REFUSED = {1: [consent(1, 0), consent(2, 20, "EXPRESS_DISSENT")]}

GOOD = {
    "nothing went wrong": {},
    "stopped afterwards": {"stops": [event(12, id=1, stopped=True)]},
    "stopped and resumed before": {"stops": [event(1, id=1, stopped=True), event(2, id=2, stopped=False)]},
    "the policy forbids it to others": {"positions": [position(1)], "stances": stance(2, "DO_NOT_FOLLOW")},
    "the policy came afterwards": {"positions": [position(12)]},
    "refused afterwards, and blanked": {
        "consents": REFUSED,
        "lines": [line(), line(2, 22, 23, "c2", is_blank=True)],
        "jobs": {1: job(), 2: withdrawal()},
        "intents": {"c1": [intent(9)], "c2": [event(21, job_id=2, attempt=1)]},
        "receipts": {
            1: [receipt(12)],
            2: [event(24, job_id=2, attempt=1, kind="ACCEPTED", http_status=201, composition_id="c2")],
        },
        "copies": {1: SimpleNamespace(composition_id="c2")},
    },
    "in doubt, and found": {"receipts": {1: [receipt(12, "UNKNOWN", 504, None), receipt(20, "FOUND", None)]}},
    "tried again after it was told": {
        "intents": {"c1": [intent(5), intent(9, 2)]},
        "receipts": {1: [receipt(6, "TRANSIENT", 503, None), receipt(12, attempt=2)]},
    },
    "an older decision came later": {
        "consents": {1: [consent(1, 0), consent(2, 20, "EXPRESS_DISSENT", decided_on=LONG_AGO)]}
    },
    "taken over after the lease": {"intents": {"c1": [intent(-20), intent(9, 2)]}},
}

BAD = {
    "stopped before": ({"stops": [event(9, id=1, stopped=True)]}, {"I1", "I2"}),
    "stopped while on its way": ({"stops": [event(10.5, id=1, stopped=True)]}, {"I2"}),
    "the policy forbade it": ({"positions": [position(9)]}, {"I1", "I2"}),
    "the practice held": ({"stances": stance(9, "HOLD")}, {"I1", "I2"}),
    "the GP held": ({"gp_stances": {8: [event(9, id=1, stance="HOLD")]}}, {"I1", "I2"}),
    "nobody had consented yet": (
        {"consents": {1: [consent(1, 10.5)]}, "jobs": {1: job(requested_at=at(11))}},
        {"I1"},
    ),
    "refused before": (
        {
            "consents": {1: [consent(1, 0), consent(2, 8, "EXPRESS_DISSENT")]},
            "jobs": {1: job(), 2: withdrawal(state="WAITING", due_at=at(90))},
        },
        {"I1", "I2"},
    ),
    "taken back before": (
        {"consents": {1: [consent(1, 0), consent(2, 8, kind="REVERSAL", preference="", reverses_id=1)]}},
        {"I1", "I2", "I6"},
    ),
    "nobody's number": ({"patients": {}}, {"I1", "I2"}),
    "accepted twice": ({"lines": [line(), line(2, 13, 14)]}, {"I3"}),
    "accepted again under another key": (
        {
            "lines": [line(), line(2, 30, 31, "c2")],
            "intents": {"c1": [intent(9)], "c2": [intent(29, 2)]},
            "receipts": {1: [receipt(12), receipt(32, composition="c2", attempt=2)]},
            "copies": {1: SimpleNamespace(composition_id="c2")},
        },
        {"I3"},
    ),
    "no intent": ({"intents": {}}, {"I4", "I5"}),
    "the intent came after": ({"intents": {"c1": [intent(10.5)]}}, {"I4"}),
    "no receipt": ({"receipts": {}}, {"I4"}),
    "the receipt came before": ({"receipts": {1: [receipt(10.5)]}}, {"I4"}),
    "not accepted here": ({"jobs": {1: job(state="FAILED", reasons=["x"])}}, {"I5"}),
    "accepted here alone": ({"lines": []}, {"I5"}),
    "decided anew": ({"decisions": [event(13, job_id=1, attempt=2)]}, {"I5"}),
    "two senders at once": ({"intents": {"c1": [intent(8), intent(9, 2)]}}, {"I5"}),
    "another copy noted": ({"copies": {}}, {"I5"}),
    "still in doubt": ({"jobs": {1: job(state="IN_DOUBT")}}, {"I6"}),
    "held for no reason": (
        {"lines": [], "receipts": {}, "copies": {}, "jobs": {1: job(state="HELD")}},
        {"I6"},
    ),
    "the job is gone": ({"lines": [], "receipts": {}, "copies": {}, "intents": {}, "jobs": {}}, {"I6"}),
    "a later decision has no job": (
        {"consents": {1: [consent(1, 0), consent(2, 20, "EXPRESS_ADDITIONAL")]}},
        {"I6"},
    ),
    "refused, and still there": (
        {"consents": REFUSED, "jobs": {1: job(), 2: withdrawal(state="CANCELLED", reasons=["x"])}},
        {"I6"},
    ),
    "403 tried again": (
        {
            "lines": [],
            "copies": {},
            "jobs": {1: job(state="WAITING", due_at=at(90))},
            "receipts": {1: [receipt(12, "TRANSIENT", 403, None)]},
        },
        {"I6"},
    ),
    "403 that nobody is told of": (
        {
            "lines": [],
            "copies": {},
            "jobs": {1: job(state="HELD", reasons=["x"])},
            "receipts": {1: [receipt(12, "CONSENT_DIFFERS", 403, None)]},
        },
        {"I6"},
    ),
}


@pytest.mark.parametrize("changes", GOOD.values(), ids=GOOD)
def test_a_good_story_has_no_violation(changes):
    assert found(story(**changes)) == set()


@pytest.mark.parametrize("changes, wanted", BAD.values(), ids=BAD)
def test_each_fault_of_a_story_is_found(changes, wanted):
    assert found(story(**changes)) >= wanted


def test_every_invariant_of_the_rules_has_a_story():
    assert set().union(*(wanted for _, wanted in BAD.values())) == set(invariants.check(story()))
