"""Why a patient's record is uploaded or not, in words: for the patient page, the API and commands.

All of them get it from here, so that they cannot tell different stories.
"""

import datetime
from collections.abc import Callable
from dataclasses import dataclass

from django.utils import timezone

from carerecords.formats import nhs_date, nhs_datetime, nhs_time
from carerecords.models import JobState, Patient, UploadJob
from consent.codes import Source
from consent.models import ConsentEvent
from consent.queries import current_event
from spine.facts import Loaded, load_one
from spine.gate import Decision, Outcome, Scope, decide
from spine.models import Receipt, StopRevision, StoreCopy
from spine.permission.page import spine_words
from spine.reasons import Reason
from spine.uploads.as_of import load_as_of
from spine.uploads.copy_age import copy_age
from spine.uploads.heading import heading, is_promised
from spine.uploads.timeline import receipt_words

SCOPE_WORDS = {
    Scope.CORE: "medication, allergies and adverse reactions",
    Scope.CORE_ADDITIONAL: "medication, allergies, adverse reactions and additional information",
    Scope.BLANK: "a blank record that says the summary was withdrawn",
    Scope.AS_HELD: "what the Spine holds, with a notice that it is not kept up to date",
}


@dataclass(frozen=True)
class ReasonLine:
    """One reason as people read it."""

    code: str
    sentence: str
    actor: str


@dataclass(frozen=True)
class LastReceipt:
    """The newest answer of the store about this patient."""

    at: datetime.datetime
    text: str
    reference: str | None


@dataclass(frozen=True)
class Explanation:
    """What will become of a patient's summary, and why."""

    will_upload: bool
    heading: str
    scope: str
    reasons: list[ReasonLine]
    decision: Decision
    loaded: Loaded
    job: UploadJob | None
    last_receipt: LastReceipt | None
    on_store: str
    copy_age: str
    permission: str


def explain(patient: Patient, at: datetime.datetime) -> Explanation:
    """How things stand for one patient. About twelve small queries, none growing with the tables."""
    jobs = UploadJob.objects.filter(patient=patient).select_related("sending_row__run")
    job = jobs.order_by("-pk").first()
    waiting = job is not None and _can_be_undone(job, at)
    loaded = load_one(patient, at, undo_window_open=waiting)
    decision = decide(loaded.facts)
    copy = StoreCopy.objects.filter(patient=patient).first()
    age = copy_age(copy, timezone.localdate(at))
    goes = decision.outcome is Outcome.SEND or decision.reasons == (Reason.CONSENT_WAITING,)
    return Explanation(
        will_upload=goes and is_promised(job),
        heading=heading(job, goes, copy, at),
        scope=SCOPE_WORDS[decision.scope] if decision.scope else "",
        reasons=[_line(reason, patient, loaded, job) for reason in decision.reasons],
        decision=decision,
        loaded=loaded,
        job=job,
        last_receipt=last_receipt(patient),
        on_store=_on_store(copy),
        copy_age=age.words if age else "",
        permission=spine_words(copy),
    )


def _can_be_undone(job: UploadJob, at: datetime.datetime) -> bool:
    """Whether the job still waits so that its decision can be undone, and not for another cause."""
    waits = job.state == JobState.WAITING and job.due_at is not None and job.due_at > at
    return waits and Reason.CONSENT_WAITING.code in job.reasons


def explain_as_of(
    patient: Patient, at: datetime.datetime, known_at: datetime.datetime | None = None
) -> tuple[Decision, list[ReasonLine], Loaded]:
    """The gate's answer as of a moment, from what was recorded by then, or by `known_at`."""
    loaded = load_as_of(patient, at, known_at)
    decision = decide(loaded.facts)
    return decision, [_line(reason, patient, loaded, None) for reason in decision.reasons], loaded


def _on_store(copy: StoreCopy | None) -> str:
    if copy is None or not copy.accepted_at:
        return "Nothing that was sent from here"
    when = nhs_datetime(copy.accepted_at)
    if copy.is_blank:
        return f"A blank record since {when}"
    noted = ", with a notice that it is not kept up to date" if copy.has_notice else ""
    return f"A summary of {SCOPE_WORDS[Scope(copy.scope)]}, sent on {when}{noted}"


def last_receipt(patient: Patient, by: datetime.datetime | None = None) -> LastReceipt | None:
    """The newest answer of the store about this patient, of those that had come `by` a moment."""
    receipts = Receipt.objects.filter(job__patient=patient)
    receipt = (receipts.filter(at__lte=by) if by else receipts).order_by("-pk").first()
    if receipt is None:
        return None
    reference = str(receipt.composition_id) if receipt.composition_id else None
    return LastReceipt(receipt.at, receipt_words(receipt.kind), reference)


def _line(reason: Reason, patient: Patient, loaded: Loaded, job: UploadJob | None) -> ReasonLine:
    detail = _DETAIL.get(reason)
    sentence = (detail(patient, loaded, job) if detail else "") or reason.sentence
    return ReasonLine(reason.code, sentence, reason.actor.value)


Detail = Callable[[Patient, Loaded, UploadJob | None], str]


def _event(patient: Patient, loaded: Loaded) -> ConsentEvent | None:
    event_id = loaded.evidence["consent_event"]
    if event_id is None:
        return None
    if event_id == patient.consent_event_id:
        return current_event(patient)
    return ConsentEvent.objects.select_related("recorded_by").get(pk=event_id)


def _refused(patient: Patient, loaded: Loaded, _: UploadJob | None) -> str:
    event = _event(patient, loaded)
    if event is None:
        return ""
    how = Source(event.source).label.lower()
    return f"The patient refused on {nhs_date(event.decided_on)}, {how} ({event.recorded_by.short_name})."


def _withdrawn(patient: Patient, loaded: Loaded, _: UploadJob | None) -> str:
    event = _event(patient, loaded)
    if event is None:
        return ""
    return f"The patient withdrew consent on {nhs_date(event.decided_on)} ({event.recorded_by.short_name})."


def _later(patient: Patient, loaded: Loaded, _: UploadJob | None) -> str:
    event = _event(patient, loaded)
    return f"Consent starts on {nhs_date(event.effective_from)}." if event else ""


def _waiting(_: Patient, __: Loaded, job: UploadJob | None) -> str:
    if job is None or job.due_at is None:
        return ""
    return f"Waiting until {nhs_time(job.due_at)} so this decision can be undone."


def _gp(patient: Patient, _: Loaded, __: UploadJob | None) -> str:
    return f"{patient.usual_gp.short_name} holds uploads for their patients." if patient.usual_gp else ""


def _rollout(patient: Patient, _: Loaded, __: UploadJob | None) -> str:
    joins = patient.practice.goes_live_on
    return f"This practice joins on {nhs_date(joins)}." if joins else ""


def _left(patient: Patient, _: Loaded, __: UploadJob | None) -> str:
    return f"Left the practice on {nhs_date(patient.left_on)}."


def _died(patient: Patient, _: Loaded, __: UploadJob | None) -> str:
    return f"Died on {nhs_date(patient.died_on)}."


def _stopped(_: Patient, loaded: Loaded, __: UploadJob | None) -> str:
    stop = StopRevision.objects.filter(pk=loaded.evidence["stop"]).select_related("made_by").first()
    return f"All uploads were stopped at {nhs_datetime(stop.made_at)}. Reason: {stop.reason}" if stop else ""


_DETAIL: dict[Reason, Detail] = {
    Reason.CONSENT_REFUSED: _refused,
    Reason.CONSENT_WITHDRAWN: _withdrawn,
    Reason.CONSENT_LATER: _later,
    Reason.CONSENT_WAITING: _waiting,
    Reason.POLICY_GP: _gp,
    Reason.ROLLOUT_CLOSED: _rollout,
    Reason.PATIENT_LEFT: _left,
    Reason.PATIENT_DIED: _died,
    Reason.SYSTEM_STOP: _stopped,
}
