"""What a run asks for of one patient, by the gate's answer as things stand. Work and forecast share it."""

from carerecords.models import JobKind
from consent.codes import ConsentState
from spine.gate import Decision, Outcome
from spine.reasons import Reason
from spine.runs.codes import RunKind

# What the store may hold of them has to go.
REFUSED = (ConsentState.EXPRESS_DISSENT, ConsentState.WITHDRAWN)
# The patient has not said yes. Asking for an upload would only leave a held row: recording consent asks
# for it by itself, and so does the letter's time when it is over.
UNSAID = {Reason.CONSENT_NONE, Reason.CONSENT_IMPLIED, Reason.CONSENT_LETTER}


def asks_for(kind: RunKind, consent: ConsentState, decision: Decision) -> JobKind | Reason:
    """The kind of job, or the reason why there is none."""
    if kind is RunKind.MIGRATION and consent in REFUSED:
        return JobKind.WITHDRAWAL
    if decision.outcome is Outcome.CANCEL:
        return decision.reasons[0]
    return next((reason for reason in decision.reasons if reason in UNSAID), JobKind.UPLOAD)
