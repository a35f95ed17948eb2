"""The page of one patient: what holds, what becomes of uploads, and who has looked."""

import datetime
import uuid
from collections.abc import Sequence
from functools import partial
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from carerecords import access
from carerecords.access import requires
from carerecords.access_log import who_has_looked
from carerecords.middleware import CareRequest
from carerecords.models import AccessEvent, Patient
from carerecords.permissions import Permission
from consent import corrections, form_drafts, notices, presenters
from consent.codes import CHOSEN_BY_HAND, ConsentState
from consent.forms import HINTS, DecisionForm, SensitiveReason, SensitiveReasonForm, new_form_key
from consent.list_query import ListQuery
from consent.list_rows import ended
from consent.models import ConsentEvent
from consent.patient_door import asks_reason, keep_reason, of_patient, reason_given
from consent.queries import history
from consent.recording import may_undo
from consent.views.permitted import permissions_of


@require_safe
@requires(Permission.FIND_PATIENTS)
@of_patient
def patient_page(request: CareRequest, patient: Patient) -> HttpResponse:
    """The patient, with an empty decision form where the role may record one."""
    reason = reason_given(request, patient)
    detail = f"patient, sensitive: {reason}" if reason and patient.is_sensitive else "patient"
    access.record(request, AccessEvent.Kind.VIEWED, patient=patient, detail=detail)
    return draw(request, patient)


def draw(request: CareRequest, patient: Patient, form: DecisionForm | None = None) -> HttpResponse:
    """The page, with the form as it was sent if it has errors."""
    at, today = timezone.now(), timezone.localdate()
    events = history(patient)
    current = next((event for event in events if event.pk == patient.consent_event_id), None)
    context = {
        "patient": patient,
        "today": today,
        "current": current,
        "decision_rows": presenters.decision_rows(current),
        "history": presenters.history_items(
            events[: presenters.SHOWN], undoable(request, at), correctable(request)
        ),
        "older": len(events) - presenters.SHOWN,
        "sides": sides_of(request, patient, events, today),
        "letters": notices.letters_of(patient),
        "time_to_object": notices.time_to_object(patient, today),
        "looks": presenters.looks(who_has_looked(patient)),
        "facts": presenters.patient_facts(patient),
        "ended": ended(patient, today),
        "form": form or decision_form(request, patient, current),
        "hints": HINTS,
        "back": back_of(request),
        "Permission": Permission,
    }
    return render(request, "consent/patient.jinja", context)


def sides_of(
    request: CareRequest, patient: Patient, events: Sequence[ConsentEvent], today: datetime.date
) -> list[dict[str, Any]]:
    """The decisions that disagree, each with what confirming it sends, for who may; none else."""
    if patient.consent_state != ConsentState.CONFLICT:
        return []
    seen = next((event.public_id for event in events if event.pk == patient.consent_event_id), "")
    may = request.can(Permission.RESOLVE_CONFLICT) and patient.is_here_on(today)
    return [
        {
            "event": event,
            "rows": presenters.decision_rows(event),
            "fields": {"seen": str(seen), "form_key": new_form_key()}
            if may and event.preference in CHOSEN_BY_HAND
            else None,
        }
        for event in corrections.rivals(events, today)
    ]


def correctable(request: CareRequest) -> bool:
    """Whether this user may mark decisions as recorded in error."""
    return request.can(Permission.REVERSE_ANY_DECISION)


def undoable(request: CareRequest, at: datetime.datetime) -> presenters.MayUndo:
    """Which events this user may undo now."""
    window = datetime.timedelta(seconds=settings.UNDO_WINDOW_SECONDS)
    return partial(_may_undo, request, at, window)


def _may_undo(
    request: CareRequest, at: datetime.datetime, window: datetime.timedelta, event: ConsentEvent
) -> bool:
    return may_undo(request, event, at, window)


def decision_form(
    request: CareRequest, patient: Patient, current: ConsentEvent | None, **options: Any
) -> DecisionForm | None:
    """A form that knows what the page shows, empty or with the user's own answers that were not saved;
    None where nothing can be recorded."""
    if not request.can(Permission.RECORD_REFUSAL) or not patient.is_here_on(timezone.localdate()):
        return None
    draft = form_drafts.read(user=request.user, patient=patient, at=timezone.now())
    initial: dict[str, Any] = {"seen": current.public_id if current else "", "form_key": new_form_key()}
    form = DecisionForm(
        patient=patient,
        may=permissions_of(request),
        today=timezone.localdate(),
        initial=initial | (form_drafts.initial_of(draft) if draft else {}),
        **options,
    )
    form.kept_at = draft.saved_at if draft else None
    return form


def back_of(request: CareRequest) -> str | None:
    """The place in the list to which this page leads back, or None: the user came another way."""
    text = request.POST.get("from", request.GET.get("from"))
    return None if text is None else str(ListQuery.read(text))


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.OPEN_SENSITIVE_RECORD)
def reason(request: CareRequest, public_id: uuid.UUID) -> HttpResponse:
    """Asks a GP why a sensitive record is opened, before anything of it is shown."""
    patient = access.get_patient(request, public_id)
    if not asks_reason(request, patient):
        return redirect("consent:patient", patient.public_id)
    form = SensitiveReasonForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        keep_reason(request, patient, SensitiveReason(form.cleaned_data["reason"]))
        return redirect("consent:patient", patient.public_id)
    return render(request, "consent/reason.jinja", {"form": form, "patient": patient})
