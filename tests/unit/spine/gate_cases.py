"""The gate's rule as a table: what is asked, and what must be answered with every reason.

A case starts from facts under which an upload goes, and changes some of them. The table is also
what the mutation run over the gate is judged by, so each clause of the gate needs a row here.
"""

from typing import Any, NamedTuple

from boycott.positions import DataScope, Position, Stance
from consent.codes import ConsentModel, ConsentState

BOYCOTT = (Position.NON_COOPERATION, DataScope.ALL)
BOYCOTT_ADDITIONAL = (Position.NON_COOPERATION, DataScope.ADDITIONAL_ONLY)
EXPLICIT_ONLY = (Position.EXPLICIT_CONSENT_ONLY, DataScope.ALL)
EXPLICIT_ONLY_ADDITIONAL = (Position.EXPLICIT_CONSENT_ONLY, DataScope.ADDITIONAL_ONLY)
COOPERATE = (Position.COOPERATE, DataScope.ALL)
COOPERATE_ADDITIONAL = (Position.COOPERATE, DataScope.ADDITIONAL_ONLY)

EXPLICIT = ConsentModel.EXPLICIT
IMPLIED = ConsentModel.IMPLIED_CORE
IMPLIED_ALL = ConsentModel.IMPLIED_CORE_AND_ADDITIONAL
C = ConsentState


class Case(NamedTuple):
    """One row: the facts that differ, the outcome, the scope, and the codes of all reasons."""

    name: str
    facts: dict[str, Any]
    outcome: str
    scope: str | None = None
    reasons: tuple[str, ...] = ()


def send(name: str, scope: str = "CORE", **facts: Any) -> Case:
    return Case(name, facts, "SEND", scope)


def hold(name: str, *reasons: str, **facts: Any) -> Case:
    return Case(name, facts, "HOLD", None, reasons)


def cancel(name: str, *reasons: str, **facts: Any) -> Case:
    return Case(name, facts, "CANCEL", None, reasons)


def positions(*in_force: tuple[Position, DataScope]) -> frozenset[tuple[Position, DataScope]]:
    return frozenset(in_force)


CASES = [
    # The patient's own decision.
    send("express consent to core"),
    send("express consent to additional", "CORE_ADDITIONAL", consent=C.EXPRESS_ADDITIONAL),
    hold("no decision", "consent.none", consent=C.NONE),
    cancel("refused", "consent.refused", consent=C.EXPRESS_DISSENT),
    cancel("refused, under implied consent too", "consent.refused", consent=C.EXPRESS_DISSENT, consent_model=IMPLIED_ALL, letter="WINDOW_PASSED"),
    cancel("withdrawn", "consent.withdrawn", consent=C.WITHDRAWN),
    cancel("withdrawn, under implied consent too", "consent.withdrawn", consent=C.WITHDRAWN, consent_model=IMPLIED_ALL, letter="WINDOW_PASSED"),
    hold("conflicting", "consent.conflict", consent=C.CONFLICT),
    hold("conflicting, under implied consent too", "consent.conflict", consent=C.CONFLICT, consent_model=IMPLIED, letter="WINDOW_PASSED"),
    hold("starts later", "consent.later", consent=C.LATER),
    hold("starts later, under implied consent too", "consent.later", consent=C.LATER, consent_model=IMPLIED, letter="WINDOW_PASSED"),
    # Implied consent: by model, and after a letter.
    hold("implied, but express is asked for", "consent.implied", consent=C.IMPLIED_CORE, letter="WINDOW_PASSED"),
    hold("no decision, letter passed, explicit model", "consent.none", consent=C.NONE, letter="WINDOW_PASSED"),
    send("no decision, implied model, letter passed", consent=C.NONE, consent_model=IMPLIED, letter="WINDOW_PASSED"),
    send("implied recorded, implied model, letter passed", consent=C.IMPLIED_CORE, consent_model=IMPLIED, letter="WINDOW_PASSED"),
    hold("no decision, implied model, no letter", "consent.letter", consent=C.NONE, consent_model=IMPLIED, letter="NOT_SENT"),
    hold("no decision, implied model, letter window open", "consent.letter", consent=C.NONE, consent_model=IMPLIED, letter="WINDOW_OPEN"),
    hold("implied recorded, implied model, no letter", "consent.letter", consent=C.IMPLIED_CORE, consent_model=IMPLIED, letter="NOT_SENT"),
    send("no decision, implied core and additional", "CORE_ADDITIONAL", consent=C.NONE, consent_model=IMPLIED_ALL, letter="WINDOW_PASSED"),
    send("implied recorded, implied core and additional", "CORE_ADDITIONAL", consent=C.IMPLIED_CORE, consent_model=IMPLIED_ALL, letter="WINDOW_PASSED"),
    send("express core stays core under implied additional", consent_model=IMPLIED_ALL, letter="WINDOW_PASSED"),
    send("express consent needs no letter", consent_model=IMPLIED, letter="NOT_SENT"),
    send("express additional under implied core", "CORE_ADDITIONAL", consent=C.EXPRESS_ADDITIONAL, consent_model=IMPLIED),
    # The state must be of today, and the facts whole.
    hold("state of another day", "facts.stale", consent_is_current=False),
    hold("facts incomplete", "facts.unknown", complete=False),
    hold("undo window open", "consent.waiting", undo_window_open=True),
    # The store's own say.
    hold("the store refuses", "consent.differs", store_permission="REFUSED"),
    send("the store allows", store_permission="ALLOWED"),
    # The union's position, and the practice's answer to it.
    hold("boycott, followed", "policy.bma", positions=positions(BOYCOTT)),
    send("boycott, not followed", positions=positions(BOYCOTT), stance=Stance.DO_NOT_FOLLOW),
    hold("boycott, held whatever the policy", "policy.bma", "policy.practice", positions=positions(BOYCOTT), stance=Stance.HOLD),
    send("co-operation", positions=positions(COOPERATE)),
    send("co-operation, followed, additional", "CORE_ADDITIONAL", consent=C.EXPRESS_ADDITIONAL, positions=positions(COOPERATE, COOPERATE_ADDITIONAL)),
    hold("held by the practice", "policy.practice", stance=Stance.HOLD),
    hold("positions disagree", "policy.conflict", "policy.bma", positions=positions(BOYCOTT, COOPERATE)),
    hold("positions disagree without a boycott", "policy.conflict", positions=positions(EXPLICIT_ONLY, COOPERATE)),
    hold("positions disagree about additional", "policy.conflict", positions=positions(EXPLICIT_ONLY_ADDITIONAL, COOPERATE_ADDITIONAL)),
    hold("positions disagree, held whatever the policy", "policy.conflict", "policy.practice", positions=positions(EXPLICIT_ONLY, COOPERATE), stance=Stance.HOLD),
    send("positions disagree, not followed", positions=positions(BOYCOTT, COOPERATE), stance=Stance.DO_NOT_FOLLOW),
    send("positions on different parts agree", positions=positions(COOPERATE, BOYCOTT_ADDITIONAL)),
    send("explicit consent only, and it is express", positions=positions(EXPLICIT_ONLY)),
    hold("explicit consent only, and nothing is recorded", "policy.explicit", consent=C.NONE, consent_model=IMPLIED, letter="WINDOW_PASSED", positions=positions(EXPLICIT_ONLY)),
    hold("explicit consent only, and it is implied", "policy.explicit", consent=C.IMPLIED_CORE, consent_model=IMPLIED, letter="WINDOW_PASSED", positions=positions(EXPLICIT_ONLY)),
    send("explicit consent only, not followed", consent=C.NONE, consent_model=IMPLIED, letter="WINDOW_PASSED", positions=positions(EXPLICIT_ONLY), stance=Stance.DO_NOT_FOLLOW),
    send("boycott of additional only", consent=C.EXPRESS_ADDITIONAL, positions=positions(BOYCOTT_ADDITIONAL)),
    send("boycott of additional only, not followed", "CORE_ADDITIONAL", consent=C.EXPRESS_ADDITIONAL, positions=positions(BOYCOTT_ADDITIONAL), stance=Stance.DO_NOT_FOLLOW),
    send("explicit only for additional, implied", consent=C.NONE, consent_model=IMPLIED_ALL, letter="WINDOW_PASSED", positions=positions(EXPLICIT_ONLY_ADDITIONAL)),
    send("explicit only for additional, express", "CORE_ADDITIONAL", consent=C.EXPRESS_ADDITIONAL, positions=positions(EXPLICIT_ONLY_ADDITIONAL)),
    send("explicit only for additional, express, implied model", "CORE_ADDITIONAL", consent=C.EXPRESS_ADDITIONAL, consent_model=IMPLIED_ALL, positions=positions(EXPLICIT_ONLY_ADDITIONAL)),
    # GP, programme, patient.
    hold("held by the GP", "policy.gp", gp_holds=True),
    hold("practice has not joined", "rollout.closed", rollout_open=False),
    hold("identity not verified", "identity.unverified", identity_verified=False),
    hold("sensitive", "patient.sensitive", sensitive=True),
    hold("stopped", "system.stop", stopped=True),
    cancel("left", "patient.left", left=True),
    cancel("died", "patient.died", died=True),
    # All reasons are given; what ends the upload comes first.
    cancel(
        "everything at once",
        "patient.died", "patient.left", "consent.refused", "facts.unknown", "facts.stale", "consent.differs",
        "policy.conflict", "policy.bma", "policy.practice", "policy.gp", "rollout.closed", "identity.unverified",
        "patient.sensitive", "system.stop", "consent.waiting",
        consent=C.EXPRESS_DISSENT, died=True, left=True, complete=False, consent_is_current=False,
        store_permission="REFUSED", positions=positions(BOYCOTT, COOPERATE), stance=Stance.HOLD, gp_holds=True,
        rollout_open=False, identity_verified=False, sensitive=True, stopped=True, undo_window_open=True,
    ),
    # A withdrawal is never held.
    Case("withdrawal", {"kind": "WITHDRAWAL"}, "SEND", "BLANK"),
    Case(
        "withdrawal against everything",
        {
            "kind": "WITHDRAWAL", "consent": C.EXPRESS_DISSENT, "died": True, "left": True, "complete": False,
            "positions": positions(BOYCOTT, COOPERATE), "stance": Stance.HOLD, "gp_holds": True,
            "rollout_open": False, "stopped": True, "store_permission": "REFUSED", "undo_window_open": True,
        },
        "SEND",
        "BLANK",
    ),
    # A notice says on the store's own copy that it is kept up no more: only what ended it does not hold it.
    send("notice, the patient left", "AS_HELD", kind="NOTICE", left=True),
    send("notice, held by the practice", "AS_HELD", kind="NOTICE", notice="ENDED", stance=Stance.HOLD),
    send("notice, boycott followed", "AS_HELD", kind="NOTICE", notice="ENDED", positions=positions(BOYCOTT)),
    send("notice, boycott in a conflict", "AS_HELD", kind="NOTICE", notice="ENDED", positions=positions(BOYCOTT, COOPERATE)),
    send(
        "notice, implied consent and only express asked for", "AS_HELD", kind="NOTICE", notice="ENDED", stance=Stance.HOLD,
        consent=C.NONE, consent_model=IMPLIED, letter="WINDOW_PASSED", positions=positions(EXPLICIT_ONLY),
    ),
    send("notice, consent to additional", "AS_HELD", kind="NOTICE", left=True, consent=C.EXPRESS_ADDITIONAL),
    cancel("notice, nothing to note", "notice.needless", kind="NOTICE"),
    cancel("notice, boycott not followed", "notice.needless", kind="NOTICE", notice="ENDED", positions=positions(BOYCOTT), stance=Stance.DO_NOT_FOLLOW),
    cancel("notice, not left and only the practice has ended it", "notice.needless", kind="NOTICE", stance=Stance.HOLD, positions=positions(BOYCOTT)),
    cancel("notice, the practice contributes and the patient left", "notice.needless", kind="NOTICE", notice="ENDED", left=True),
    cancel("notice, the patient refused", "consent.refused", kind="NOTICE", left=True, consent=C.EXPRESS_DISSENT),
    cancel("notice, the patient died", "patient.died", kind="NOTICE", left=True, died=True),
    hold(
        "notice against everybody else", "facts.unknown", "consent.none", "facts.stale", "consent.differs", "policy.gp",
        "rollout.closed", "identity.unverified", "patient.sensitive", "system.stop", "consent.waiting",
        kind="NOTICE", left=True, consent=C.NONE, complete=False, consent_is_current=False,
        store_permission="REFUSED", gp_holds=True, rollout_open=False, identity_verified=False, sensitive=True,
        stopped=True, undo_window_open=True,
    ),
]  # fmt: skip


def open_facts(gate: Any, **changes: Any) -> Any:
    """Facts under which an upload of express core consent goes, with changes, for a gate module."""
    enums = {
        "kind": gate.Kind,
        "notice": gate.Notice,
        "letter": gate.Letter,
        "store_permission": gate.StorePermission,
    }
    values = {
        "kind": "UPLOAD",
        "consent": C.EXPRESS_CORE,
        "consent_model": EXPLICIT,
        "letter": "NOT_SENT",
        "undo_window_open": False,
        "positions": frozenset(),
        "stance": Stance.FOLLOW,
        "gp_holds": False,
        "rollout_open": True,
        "identity_verified": True,
        "sensitive": False,
        "left": False,
        "died": False,
        "stopped": False,
        "store_permission": "NOT_READ",
        "consent_is_current": True,
        "complete": True,
    } | changes
    return gate.Facts(
        **{name: enums[name](value) if name in enums else value for name, value in values.items()}
    )


def failure(gate: Any, case: Case) -> str:
    """What is wrong with a gate's answer to a case, or nothing."""
    decision = gate.decide(open_facts(gate, **case.facts))
    answer = (
        decision.outcome.value,
        decision.scope.value if decision.scope else None,
        tuple(reason.code for reason in decision.reasons),
    )
    wanted = (case.outcome, case.scope, case.reasons)
    return "" if answer == wanted else f"{case.name}: {answer} instead of {wanted}"
