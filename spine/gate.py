"""The gate: an upload goes only if the patient consents and nobody with a say holds it.

This is the only place where that rule stands. Pure: the facts come in, a decision comes out; no
database, no clock, no settings. Each rule looks at the facts and answers with the reason why the
upload may not go, or with nothing. The upload goes only when every rule answered with nothing.

A withdrawal, which takes a record back from the store or blanks it, passes every rule. A notice, which
says on the store's own copy that it is kept up no more, and adds nothing of the record, passes those by
which the practice itself has ended it (docs/adr/0151-notices.md).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from boycott.positions import DataScope, Position, Stance
from consent.codes import ConsentModel, ConsentState
from spine.reasons import Effect, Reason

# Goes into every recorded decision; raise it with every change of what the gate answers.
ENGINE = "4"


class Kind(StrEnum):
    """What is asked for."""

    UPLOAD = "UPLOAD"
    WITHDRAWAL = "WITHDRAWAL"
    NOTICE = "NOTICE"  # the store's own copy, with a sentence


class Notice(StrEnum):
    """What a notice says."""

    LEFT = "LEFT"  # the patient left the practice
    ENDED = "ENDED"  # the practice contributes no more


class Outcome(StrEnum):
    """What the gate answers."""

    SEND = "SEND"
    HOLD = "HOLD"  # will be asked again
    CANCEL = "CANCEL"  # over


class Scope(StrEnum):
    """How much of the summary goes."""

    CORE = "CORE"
    CORE_ADDITIONAL = "CORE_ADDITIONAL"
    BLANK = "BLANK"  # a withdrawal: nothing clinical
    AS_HELD = "AS_HELD"  # a notice: what the store holds, and nothing more


class Letter(StrEnum):
    """Whether the patient was told, and has had time to object."""

    NOT_SENT = "NOT_SENT"
    WINDOW_OPEN = "WINDOW_OPEN"
    WINDOW_PASSED = "WINDOW_PASSED"


class StorePermission(StrEnum):
    """What the store itself has recorded for the patient, as far as we have read it."""

    NOT_READ = "NOT_READ"  # the store is asked before every send, and refuses by itself
    ALLOWED = "ALLOWED"
    REFUSED = "REFUSED"


@dataclass(frozen=True)
class Facts:
    """All that the gate looks at. The defaults are the ones that hold."""

    kind: Kind
    # What was asked for, where that is a notice.
    notice: Notice = Notice.LEFT
    consent: ConsentState = ConsentState.NONE
    consent_model: ConsentModel = ConsentModel.EXPLICIT
    letter: Letter = Letter.NOT_SENT
    undo_window_open: bool = True
    # (position, part of the summary) of every policy in force for the practice.
    positions: frozenset[tuple[Position, DataScope]] = field(default_factory=frozenset)
    stance: Stance = Stance.FOLLOW
    gp_holds: bool = True
    rollout_open: bool = False
    identity_verified: bool = False
    sensitive: bool = True
    left: bool = False
    died: bool = False
    stopped: bool = True
    store_permission: StorePermission = StorePermission.NOT_READ
    # False: the stored consent state has passed the day until which it was worked out.
    consent_is_current: bool = False
    # False: something could not be read.
    complete: bool = False


@dataclass(frozen=True)
class Decision:
    """The gate's answer. `scope` is given when it sends; else every reason, the headline first."""

    outcome: Outcome
    scope: Scope | None
    reasons: tuple[Reason, ...]

    @property
    def headline(self) -> Reason | None:
        return self.reasons[0] if self.reasons else None


def decide(facts: Facts) -> Decision:
    """The gate's answer for one set of facts."""
    if facts.kind is Kind.WITHDRAWAL:
        # The named exception: taking a record back is never held by anybody.
        return Decision(Outcome.SEND, Scope.BLANK, ())
    rules = NOTICE_RULES if facts.kind is Kind.NOTICE else RULES
    found = [reason for rule in rules if (reason := rule(facts)) is not None]
    if not found:
        return Decision(Outcome.SEND, _scope(facts), ())
    over = [reason for reason in found if reason.effect is Effect.CANCEL]
    held = [reason for reason in found if reason.effect is Effect.HOLD]
    return Decision(Outcome.CANCEL if over else Outcome.HOLD, None, (*over, *held))


def _facts_are_known(facts: Facts) -> Reason | None:
    return None if facts.complete else Reason.FACTS_UNKNOWN


def _patient_is_alive(facts: Facts) -> Reason | None:
    return Reason.PATIENT_DIED if facts.died else None


def _patient_is_here(facts: Facts) -> Reason | None:
    return Reason.PATIENT_LEFT if facts.left else None


def _patient_consents(facts: Facts) -> Reason | None:
    """The patient's own say. Silence counts only where the model says so, and after a letter."""
    match facts.consent:
        case ConsentState.EXPRESS_CORE | ConsentState.EXPRESS_ADDITIONAL:
            return None
        case ConsentState.EXPRESS_DISSENT:
            return Reason.CONSENT_REFUSED
        case ConsentState.WITHDRAWN:
            return Reason.CONSENT_WITHDRAWN
        case ConsentState.CONFLICT:
            return Reason.CONSENT_CONFLICT
        case ConsentState.LATER:
            return Reason.CONSENT_LATER
        case ConsentState.IMPLIED_CORE if facts.consent_model is ConsentModel.EXPLICIT:
            return Reason.CONSENT_IMPLIED
        case ConsentState.NONE if facts.consent_model is ConsentModel.EXPLICIT:
            return Reason.CONSENT_NONE
    return None if facts.letter is Letter.WINDOW_PASSED else Reason.CONSENT_LETTER


def _consent_is_current(facts: Facts) -> Reason | None:
    return None if facts.consent_is_current else Reason.FACTS_STALE


def _undo_window_is_over(facts: Facts) -> Reason | None:
    return Reason.CONSENT_WAITING if facts.undo_window_open else None


def _store_agrees(facts: Facts) -> Reason | None:
    return Reason.CONSENT_DIFFERS if facts.store_permission is StorePermission.REFUSED else None


def _positions_agree(facts: Facts) -> Reason | None:
    """Two positions that disagree hold those who follow; nobody is asked to guess."""
    conflicting = any(len(_positions_on(facts, part)) > 1 for part in DataScope)
    return Reason.POLICY_CONFLICT if _follows(facts) and conflicting else None


def _position_allows(facts: Facts) -> Reason | None:
    boycott = Position.NON_COOPERATION in _positions_on(facts, DataScope.ALL)
    return Reason.POLICY_BMA if _follows(facts) and boycott else None


def _position_allows_implied_consent(facts: Facts) -> Reason | None:
    express_only = Position.EXPLICIT_CONSENT_ONLY in _positions_on(facts, DataScope.ALL)
    implied = facts.consent in {ConsentState.NONE, ConsentState.IMPLIED_CORE}
    return Reason.POLICY_EXPLICIT if _follows(facts) and express_only and implied else None


def _practice_allows(facts: Facts) -> Reason | None:
    return Reason.POLICY_PRACTICE if facts.stance is Stance.HOLD else None


def _gp_allows(facts: Facts) -> Reason | None:
    return Reason.POLICY_GP if facts.gp_holds else None


def _practice_has_joined(facts: Facts) -> Reason | None:
    return None if facts.rollout_open else Reason.ROLLOUT_CLOSED


def _identity_is_verified(facts: Facts) -> Reason | None:
    return None if facts.identity_verified else Reason.IDENTITY_UNVERIFIED


def _record_is_not_sensitive(facts: Facts) -> Reason | None:
    return Reason.PATIENT_SENSITIVE if facts.sensitive else None


def _nothing_is_stopped(facts: Facts) -> Reason | None:
    return Reason.SYSTEM_STOP if facts.stopped else None


# The order is that of headlines.
RULES: tuple[Callable[[Facts], Reason | None], ...] = (
    _facts_are_known,
    _patient_is_alive,
    _patient_is_here,
    _patient_consents,
    _consent_is_current,
    _store_agrees,
    _positions_agree,
    _position_allows,
    _position_allows_implied_consent,
    _practice_allows,
    _gp_allows,
    _practice_has_joined,
    _identity_is_verified,
    _record_is_not_sensitive,
    _nothing_is_stopped,
    _undo_window_is_over,
)


def _there_is_something_to_note(facts: Facts) -> Reason | None:
    """A copy is kept up no more when the patient has left, or the practice holds or follows a boycott.

    Only what was asked for is said: that the practice has ended it is for the practice to say.
    """
    if facts.notice is Notice.LEFT:
        is_so = facts.left
    else:
        is_so = _practice_allows(facts) is not None or _position_allows(facts) is not None
    return None if is_so else Reason.NOTICE_NEEDLESS


# What the practice decided itself, and may say on its own copies; and that the patient has left.
NOT_FOR_NOTICES: set[Callable[[Facts], Reason | None]] = {
    _patient_is_here,
    _positions_agree,
    _position_allows,
    _position_allows_implied_consent,
    _practice_allows,
}
NOTICE_RULES = (_there_is_something_to_note, *(rule for rule in RULES if rule not in NOT_FOR_NOTICES))


def _follows(facts: Facts) -> bool:
    """Advice binds nobody by itself: only those who do not say otherwise."""
    return facts.stance is not Stance.DO_NOT_FOLLOW


def _positions_on(facts: Facts, part: DataScope) -> set[Position]:
    return {position for position, about in facts.positions if about is part}


def _scope(facts: Facts) -> Scope:
    """How much goes, once it goes at all."""
    if facts.kind is Kind.NOTICE:
        return Scope.AS_HELD
    express = facts.consent is ConsentState.EXPRESS_ADDITIONAL
    implied = (
        facts.consent in {ConsentState.NONE, ConsentState.IMPLIED_CORE}
        and facts.consent_model is ConsentModel.IMPLIED_CORE_AND_ADDITIONAL
    )
    asks = _positions_on(facts, DataScope.ADDITIONAL_ONLY) if _follows(facts) else set()
    held_back = Position.NON_COOPERATION in asks or (implied and Position.EXPLICIT_CONSENT_ONLY in asks)
    return Scope.CORE_ADDITIONAL if (express or implied) and not held_back else Scope.CORE
