"""Recording and taking back decisions. Each function is one transaction and writes its own event."""

import datetime
import uuid
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from carerecords import database_clock, upload_queue
from carerecords.models import Cause, Patient, UploadJob, User
from consent import derivation, queries, rules
from consent.codes import (
    CHOSEN_BY_HAND,
    NEEDS_REFERENCE,
    ConsentState,
    EventKind,
    Preference,
    Source,
)
from consent.models import ConsentEvent


class DecisionRefused(Exception):
    """The decision cannot be recorded; `field` names what to mend, the message says how."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class DecisionChanged(Exception):
    """Somebody recorded another decision since this one was begun; nothing was saved."""

    def __init__(self, current: ConsentEvent | None) -> None:
        super().__init__("This record changed while you were working.")
        self.current = current


class CannotUndo(Exception):
    """The event was already taken back, or is itself a taking back."""


@dataclass(frozen=True)
class Evidence:
    """How a decision came to the practice."""

    source: Source
    reference: str = ""
    note: str = ""
    representative_name: str = ""
    representative_authority: str = ""


@dataclass(frozen=True)
class Recorded:
    """A stored event, the state that follows from it, and the job it left open (if any)."""

    event: ConsentEvent
    state: ConsentState
    job: UploadJob | None


# The form leaves out `seen`: it did not show what stands. Distinct from having seen nothing.
UNSEEN = object()


@transaction.atomic
def record_decision(
    *,
    patient: Patient,
    preference: Preference,
    evidence: Evidence,
    decided_on: datetime.date,
    by: User,
    at: datetime.datetime,
    seen: object = UNSEEN,
    form_key: uuid.UUID | None = None,
) -> Recorded:
    """Appends one decision and asks for the upload or withdrawal that follows from it.

    `seen` is the id of the event that the recorder was shown as current (None: no decision): a
    different current one raises `DecisionChanged`. `DecisionRefused` for a fault of the input.
    `form_key` names the form: sent again with the same answers it changes nothing and gives back
    what it made the first time. May wait for the patient's upload that is being sent right now (one
    batch at most).
    """
    locked = Patient.objects.lock().get(pk=patient.pk)
    if form_key is not None and (before := _already(locked, form_key, preference, evidence, decided_on, by)):
        return before
    _check_decision(locked, preference, evidence, decided_on, at)
    if seen is not UNSEEN and locked.consent_event_id != seen:
        raise DecisionChanged(queries.current_event(locked))
    event = ConsentEvent.objects.create(
        patient=locked,
        practice_id=locked.practice_id,
        kind=EventKind.DECISION.value,
        preference=preference,
        source=evidence.source,
        decided_on=decided_on,
        effective_from=decided_on,
        reference=evidence.reference,
        note=evidence.note,
        representative_name=evidence.representative_name,
        representative_authority=evidence.representative_authority,
        supersedes_id=locked.consent_event_id if _is_in_view(seen, preference) else None,
        recorded_at=at,
        recorded_by=by,
        form_key=form_key,
    )
    return _settle(locked, event, cause=Cause.DECISION, by=by, at=at)


def undo_decision(*, event: ConsentEvent, by: User, at: datetime.datetime) -> Recorded:
    """Appends the reversal of a decision; what was before it holds again.

    Lossless while the upload still waits. Where it has been sent, a withdrawal is asked for.
    Raises `CannotUndo` when the event does not stand.
    """
    return _take_back(event, EventKind.REVERSAL, note="", by=by, at=at)


def invalidate_decision(*, event: ConsentEvent, note: str, by: User, at: datetime.datetime) -> Recorded:
    """Marks a decision as recorded in error, however old; `note` says why. It stays in the history.

    What was before it holds again. Raises `DecisionRefused` without a note, `CannotUndo` when the
    event does not stand.
    """
    if not note.strip():
        raise DecisionRefused("note", "Enter why this decision is not right")
    return _take_back(event, EventKind.INVALID, note=note.strip(), by=by, at=at)


@transaction.atomic
def _take_back(
    event: ConsentEvent, kind: EventKind, *, note: str, by: User, at: datetime.datetime
) -> Recorded:
    patient = Patient.objects.lock().get(pk=event.patient_id)
    if event.kind != EventKind.DECISION.value or ConsentEvent.objects.filter(reverses=event).exists():
        raise CannotUndo
    reversal = ConsentEvent.objects.create(
        patient=patient,
        practice_id=patient.practice_id,
        kind=kind.value,
        reverses=event,
        note=note,
        recorded_at=at,
        recorded_by=by,
    )
    return _settle(patient, reversal, cause=Cause.UNDO, by=by, at=at)


def derive_due(*, at: datetime.datetime, limit: int = 500) -> int:
    """Derives again the patients whose state changes by the calendar; returns how many."""
    today = timezone.localdate(at)
    due = Patient.objects.filter(consent_changes_on__lte=today).values_list("pk", flat=True)[:limit]
    for patient_id in list(due):
        with transaction.atomic():
            patient = Patient.objects.lock().get(pk=patient_id)
            _derive(patient, at)
            _ask(patient, cause=Cause.DECISION, by=None, at=at)
    return len(due)


def _already(
    patient: Patient,
    form_key: uuid.UUID,
    preference: Preference,
    evidence: Evidence,
    decided_on: datetime.date,
    by: User,
) -> Recorded | None:
    """What this form made when it was sent before. With other answers it is another decision, and one
    that was undone since is not recorded: whoever sent it must first see what stands now."""
    event_id = queries.event_of_form(form_key)
    if event_id is None:
        return None
    event = ConsentEvent.objects.select_related("recorded_by").get(pk=event_id)
    told = Evidence(
        Source(event.source),
        event.reference,
        event.note,
        event.representative_name,
        event.representative_authority,
    )
    same = (patient.pk, preference, evidence, decided_on, by.pk)
    before = event.patient_id, Preference(event.preference), told, event.decided_on, event.recorded_by_id
    if same != before or queries.was_undone(event):
        raise DecisionChanged(queries.current_event(patient))
    job = UploadJob.objects.filter(patient=patient).order_by("-pk").first()
    return Recorded(event, ConsentState(patient.consent_state), job)


def _check_decision(
    patient: Patient,
    preference: Preference,
    evidence: Evidence,
    decided_on: datetime.date,
    at: datetime.datetime,
) -> None:
    today = timezone.localdate(at)
    if preference not in CHOSEN_BY_HAND:
        raise DecisionRefused("preference", "Select what the patient decided")
    if decided_on > today:
        raise DecisionRefused("decided_on", "Date of decision must be today or in the past")
    if decided_on < patient.born_on:
        raise DecisionRefused(
            "decided_on",
            "Date of decision must be the same as or after the date of birth",
        )
    if not _may_still_decide(patient, preference, today):
        raise DecisionRefused(
            "preference",
            "This patient has died or left, so no decision can be recorded",
        )
    if preference is Preference.WITHDRAWN:
        _check_withdrawal(patient, evidence)
    if evidence.source in NEEDS_REFERENCE and not evidence.reference.strip():
        raise DecisionRefused("reference", "Enter a letter or form reference")
    if evidence.source == Source.REPRESENTATIVE and not (
        evidence.representative_name.strip() and evidence.representative_authority.strip()
    ):
        raise DecisionRefused("representative_name", "Enter who decided for the patient")


def _is_in_view(seen: object, preference: Preference) -> bool:
    """Whether the recorder knew what stood: shown it, or told of it by the withdrawal itself."""
    return seen is not UNSEEN or preference is Preference.WITHDRAWN


def _may_still_decide(patient: Patient, preference: Preference, today: datetime.date) -> bool:
    """Who left may still end what we sent of them; nothing else is ours to record then."""
    return patient.is_here_on(today) or (
        preference in {Preference.EXPRESS_DISSENT, Preference.WITHDRAWN} and patient.is_alive_on(today)
    )


def _check_withdrawal(patient: Patient, evidence: Evidence) -> None:
    """Only a consent that was given can be withdrawn; a patient who never gave one refuses."""
    state = ConsentState(patient.consent_state)
    # One side of a conflict may be a withdrawal, which somebody confirms.
    if not rules.permits_upload(state) and state is not ConsentState.CONFLICT:
        raise DecisionRefused(
            "preference", "There is no consent to withdraw. Select Refuses if the patient refuses"
        )
    if not evidence.note.strip():
        raise DecisionRefused("note", "Enter why consent was withdrawn")


def _settle(
    patient: Patient,
    event: ConsentEvent,
    *,
    cause: Cause,
    by: User,
    at: datetime.datetime,
) -> Recorded:
    state = _derive(patient, at)
    # The event is of the web server's time; what follows is claimed by the database's.
    job = _ask(patient, cause=cause, by=by, at=database_clock.of(at))
    return Recorded(event, state, job)


def _derive(patient: Patient, at: datetime.datetime) -> ConsentState:
    """Writes the patient's derived columns from all their events."""
    derived = rules.state_from(queries.events_of(patient), timezone.localdate(at))
    current = derived.event
    patient.consent_state = derived.state
    patient.consent_source = current.source if current and current.source else ""
    patient.consent_decided_on = current.decided_on if current else None
    patient.consent_event_id = current.sequence if current else None
    patient.consent_changes_on = derived.changes_on
    derivation.write({patient.pk: derived})
    return derived.state


def _ask(patient: Patient, *, cause: Cause, by: User | None, at: datetime.datetime) -> UploadJob | None:
    """Asks for what the state calls for: an upload, a withdrawal, or nothing."""
    match derivation.calls_for(ConsentState(patient.consent_state)):
        case "upload":
            window = datetime.timedelta(seconds=settings.UNDO_WINDOW_SECONDS)
            return upload_queue.request_upload(patient, cause=cause, by=by, at=at, not_before=at + window)
        case "withdraw":
            return upload_queue.request_withdrawal(patient, cause=cause, by=by, at=at)
        case "nothing":
            if upload_queue.may_be_at_store(patient):
                return upload_queue.request_withdrawal(patient, cause=cause, by=by, at=at)
            upload_queue.cancel_open(patient, reason=upload_queue.NOTHING_ASKED, at=at)
    # A conflict or a later start neither asks nor takes back: the open job, if any, is held.
    return None
