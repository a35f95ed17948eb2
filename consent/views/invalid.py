"""Marking a decision as recorded in error: a reason, a check page, and it stays to be seen."""

import uuid

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from carerecords import flash
from carerecords.access import requires
from carerecords.middleware import CareRequest
from carerecords.models import Patient
from carerecords.permissions import Permission
from consent import corrections, presenters, recording
from consent.actions import CannotUndo
from consent.codes import EventKind
from consent.correction_forms import InvalidForm
from consent.models import ConsentEvent
from consent.patient_door import of_patient
from consent.queries import event_of, was_undone

GONE = "This decision was already taken back, or is not one that can be. Nothing was changed."


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.REVERSE_ANY_DECISION)
@of_patient
def invalid(request: CareRequest, patient: Patient, event_id: uuid.UUID) -> HttpResponse:
    """Asks why, shows what will hold then, and marks the decision."""
    event = event_of(patient, event_id)
    if event is None:
        raise Http404
    if was_undone(event) or event.kind != EventKind.DECISION:
        flash.notice(request, GONE)
        return redirect("consent:patient", patient.public_id)
    posted = request.method == "POST"
    form = InvalidForm(request.POST if posted else None)
    if not posted or not form.is_valid() or "change" in request.POST:
        return _page(request, patient, event, form)
    if "confirmed" not in request.POST:
        return _page(request, patient, event, form, checks=True)
    return _mark(request, patient, event, form.cleaned_data["note"])


def _page(
    request: CareRequest, patient: Patient, event: ConsentEvent, form: InvalidForm, *, checks: bool = False
) -> HttpResponse:
    at = timezone.now()
    context = {
        "patient": patient,
        "event": event,
        "rows": presenters.decision_rows(event),
        "after": corrections.state_without(patient, event, at).label,
        "form": form,
        "today": timezone.localdate(at),
    }
    return render(request, "consent/invalid_check.jinja" if checks else "consent/invalid.jinja", context)


def _mark(request: CareRequest, patient: Patient, event: ConsentEvent, note: str) -> HttpResponse:
    try:
        done = corrections.invalidate(request, patient, event, note, timezone.now())
    except CannotUndo:  # somebody was first
        flash.notice(request, GONE)
    else:
        recording.announce(request, corrections.said_after(done, patient))
    return redirect("consent:patient", patient.public_id)
