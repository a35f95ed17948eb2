"""From a valid form to a stored decision, its line in the access log and what the user is told."""

import datetime
import uuid

from django.db import transaction
from django.urls import reverse

from carerecords import access, doorbell, flash
from carerecords.middleware import CareRequest
from carerecords.models import AccessEvent, Patient
from carerecords.permissions import Permission, roles_with
from consent import form_drafts, wording
from consent.actions import Evidence, Recorded, record_decision, undo_decision
from consent.codes import PERMITTING, ConsentState, EventKind, Preference
from consent.forms import DecisionForm
from consent.models import ConsentEvent
from consent.queries import event_id_of, was_sent


@transaction.atomic
def save(request: CareRequest, patient: Patient, form: DecisionForm, at: datetime.datetime) -> Recorded:
    """Stores what the form says, with the line of the access log; the draft of it has become this."""
    form_drafts.drop(user=request.user, patient=patient)
    return store(
        request,
        patient,
        preference=form.answer,
        evidence=form.evidence,
        decided_on=form.cleaned_data["decided_on"],
        at=at,
        seen=event_id_of(patient, form.cleaned_data["seen"]),
        form_key=form.cleaned_data["form_key"],
    )


def store(
    request: CareRequest,
    patient: Patient,
    *,
    preference: Preference,
    evidence: Evidence,
    decided_on: datetime.date,
    at: datetime.datetime,
    seen: int | None,
    form_key: uuid.UUID | None,
    page: str = "",
) -> Recorded:
    """Stores a decision and the line of the access log. Runs inside the caller's transaction, so that
    both are stored or neither. `page` says where it was made."""
    before = patient.consent_state
    done = record_decision(
        patient=patient,
        preference=preference,
        evidence=evidence,
        decided_on=decided_on,
        by=request.user,
        at=at,
        seen=seen,
        form_key=form_key,
    )
    if done.event.recorded_at == at:  # else this form was sent before
        detail = f"{before} to {done.event.preference}{page}"
        access.record(request, AccessEvent.Kind.DECISION, patient=patient, detail=detail)
    return done


@transaction.atomic
def undo(request: CareRequest, patient: Patient, event: ConsentEvent, at: datetime.datetime) -> Recorded:
    """Takes a decision back and says so in the access log, both or neither."""
    done = undo_decision(event=event, by=request.user, at=at)
    detail = f"{event.preference} back to {done.state.value}"
    access.record(request, AccessEvent.Kind.UNDO, patient=patient, detail=detail)
    return done


def announce(request: CareRequest, text: str, *, action: flash.Action | None = None) -> None:
    """The green banner on the next page; and that sending waits, when the broker is away."""
    flash.success(request, with_pause(text), action=action)


def with_pause(text: str) -> str:
    """The sentence, with a second one when nobody wakes the workers now."""
    return text if doorbell.answers() else f"{text} {wording.SENDING_PAUSED}"


def undo_action(patient: Patient, event: ConsentEvent, back: str | None) -> flash.Action:
    """The Undo button beside what was recorded."""
    address = reverse("consent:undo", args=[patient.public_id, event.public_id])
    return flash.Action("Undo", address, {} if back is None else {"from": back})


def may_undo(
    request: CareRequest, event: ConsentEvent, at: datetime.datetime, window: datetime.timedelta
) -> bool:
    """One's own decision while its upload waits; any decision for those who may reverse any."""
    if event.kind != EventKind.DECISION:
        return False
    if request.can(Permission.REVERSE_ANY_DECISION):
        return True
    mine = event.recorded_by_id == request.user.pk
    return mine and request.can(Permission.REVERSE_OWN_DECISION) and at - event.recorded_at <= window


def too_late() -> str:
    """Why one's own decision can no longer be undone by oneself, and who still can."""
    who = ", ".join(role.rule.name for role in roles_with(Permission.REVERSE_ANY_DECISION))
    return f"The time to undo this decision yourself has passed. This can still be done by: {who}."


def is_stale(patient: Patient, form: DecisionForm) -> bool:
    """Whether the form was drawn before what holds now. Asked before anything else is asked, so
    that nobody confirms what they have not seen; `record_decision` asks again under the lock."""
    if event_id_of(patient, form.cleaned_data["seen"]) == patient.consent_event_id:
        return False
    return not was_sent(patient, form.cleaned_data["form_key"])


def needs_check(patient: Patient, preference: Preference, evidence: Evidence) -> bool:
    """What is likely a mistake, or risky, is shown once more before it is saved (screens design)."""
    return (
        turns_refusal(patient, preference)
        or preference is Preference.EXPRESS_ADDITIONAL
        or bool(evidence.representative_name)
    )


def turns_refusal(patient: Patient, preference: Preference) -> bool:
    """Whether a refusal would become consent."""
    return patient.consent_state == ConsentState.EXPRESS_DISSENT and preference in PERMITTING
