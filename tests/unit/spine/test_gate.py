"""An upload goes only if the patient consents and nobody with a say holds it."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boycott.positions import DataScope, Position, Stance
from consent.codes import ConsentModel, ConsentState
from spine import gate
from spine.gate import Decision, Facts, Kind, Letter, Outcome, Scope, StorePermission, decide
from spine.reasons import Effect
from tests.unit.spine.gate_cases import CASES, failure, open_facts

every_facts = st.builds(
    Facts,
    kind=st.just(Kind.UPLOAD),
    consent=st.sampled_from(ConsentState),
    consent_model=st.sampled_from(ConsentModel),
    letter=st.sampled_from(Letter),
    undo_window_open=st.booleans(),
    positions=st.frozensets(st.tuples(st.sampled_from(Position), st.sampled_from(DataScope)), max_size=3),
    stance=st.sampled_from(Stance),
    gp_holds=st.booleans(),
    rollout_open=st.booleans(),
    identity_verified=st.booleans(),
    sensitive=st.booleans(),
    left=st.booleans(),
    died=st.booleans(),
    stopped=st.booleans(),
    store_permission=st.sampled_from(StorePermission),
    consent_is_current=st.booleans(),
    complete=st.booleans(),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_table(case):
    assert failure(gate, case) == ""


def test_unknown_means_hold():
    """Facts of which nothing is known but what is asked for are never sent."""
    assert decide(Facts(Kind.UPLOAD)).outcome is Outcome.HOLD


@given(every_facts)
def test_a_refusal_or_a_conflict_never_goes(facts):
    if facts.consent in {ConsentState.EXPRESS_DISSENT, ConsentState.CONFLICT, ConsentState.LATER}:
        assert decide(facts).outcome is not Outcome.SEND


@given(every_facts)
def test_an_answer_is_a_scope_or_reasons(facts):
    decision = decide(facts)
    assert (decision.scope is None) == bool(decision.reasons)
    assert (decision.outcome is Outcome.SEND) == (decision.scope is not None)
    assert (decision.outcome is Outcome.CANCEL) == any(r.effect is Effect.CANCEL for r in decision.reasons)


@given(every_facts)
def test_nobody_overrides_a_hold_that_is_not_theirs(facts):
    """Answering the policy otherwise lifts the policy's holds and no other."""
    followed = set(decide(dataclasses.replace(facts, stance=Stance.FOLLOW)).reasons)
    declined = set(decide(dataclasses.replace(facts, stance=Stance.DO_NOT_FOLLOW)).reasons)
    assert declined <= followed
    assert {reason.code.split(".")[0] for reason in followed - declined} <= {"policy"}


@given(every_facts, every_facts)
def test_a_withdrawal_passes_whatever_the_facts(facts, others):
    """Also with every field that the gate may get later: it looks at the kind alone."""
    withdrawal = dataclasses.replace(facts, kind=Kind.WITHDRAWAL)
    assert decide(withdrawal) == Decision(Outcome.SEND, Scope.BLANK, ())


@given(every_facts, st.sampled_from(gate.Notice))
def test_a_notice_is_held_by_all_but_what_ended_the_copy(facts, asked):
    """The practice's own answer and the patient's leaving do not hold it; everybody else's say does."""
    upload = set(decide(facts).reasons)
    notice = set(decide(dataclasses.replace(facts, kind=Kind.NOTICE, notice=asked)).reasons)
    own = {"patient.left", "policy.conflict", "policy.bma", "policy.explicit", "policy.practice"}
    assert {reason.code for reason in upload - notice} <= own
    assert {reason.code for reason in notice - upload} <= {"notice.needless"}
    assert {reason.code for reason in notice}.isdisjoint(own)


@given(every_facts)
def test_additional_information_goes_only_with_a_consent_that_covers_it(facts):
    if decide(facts).scope is Scope.CORE_ADDITIONAL:
        implied = facts.consent_model is ConsentModel.IMPLIED_CORE_AND_ADDITIONAL
        assert facts.consent is ConsentState.EXPRESS_ADDITIONAL or (
            implied and facts.consent in {ConsentState.NONE, ConsentState.IMPLIED_CORE}
        )


def test_a_clear_case_has_no_headline():
    assert decide(open_facts(gate)).headline is None
