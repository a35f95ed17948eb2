"""What a run asks for of one patient, by the gate's answer as things stand. Work and forecast share it."""

from django.db.models import Q

from carerecords.models import JobKind, JobState
from carerecords.models.upload_job import BUSY_STATES, OPEN_STATES
from consent.codes import ConsentState
from spine.gate import Decision, Kind, Notice, Outcome
from spine.reasons import Reason
from spine.runs.codes import NOTICES, RunKind

# What the store may hold of them has to go.
REFUSED = (ConsentState.EXPRESS_DISSENT, ConsentState.WITHDRAWN)
# The patient has not said yes. Asking for an upload would only leave a held row: recording consent asks
# for it by itself, and so does the letter's time when it is over.
UNSAID = {Reason.CONSENT_NONE, Reason.CONSENT_IMPLIED, Reason.CONSENT_LETTER}


def asked_for(kind: RunKind) -> Q:
    """Jobs beside which the run asks for nothing: what waits or is on its way.

    A notice takes the place of an upload that is held: that is what it tells of. When the practice
    contributes again, an update sends everything afresh.
    """
    if kind in NOTICES:
        return Q(state__in=[JobState.WAITING, *BUSY_STATES]) | Q(state=JobState.HELD, kind=JobKind.WITHDRAWAL)
    return Q(state__in=[*OPEN_STATES, *BUSY_STATES])


def kind_asked(kind: RunKind) -> Kind:
    """What the gate is asked about."""
    return Kind.NOTICE if kind in NOTICES else Kind.UPLOAD


def notice_asked(kind: RunKind) -> Notice:
    """Which notice, where the run asks for one."""
    return Notice.ENDED if kind is RunKind.ENDED else Notice.LEFT


def requests_a_patient(kind: RunKind) -> int:
    """How many requests the store gets for each: what is there, the copy that a notice is put on, the message."""
    return 3 if kind in NOTICES else 2


def asks_for(kind: RunKind, consent: ConsentState, decision: Decision) -> JobKind | Reason:
    """The kind of job, or the reason why there is none."""
    if kind is RunKind.MIGRATION and consent in REFUSED:
        return JobKind.WITHDRAWAL
    if decision.outcome is Outcome.CANCEL:
        return decision.reasons[0]
    unsaid = next((reason for reason in decision.reasons if reason in UNSAID), None)
    return unsaid or JobKind(kind_asked(kind))
