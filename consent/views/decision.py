"""Recording a decision: from the patient's page, or in place under a row of the list."""

import datetime
import uuid
from typing import Any

from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from carerecords import access, flash
from carerecords.access import requires
from carerecords.date_parts import DATE_PARTS
from carerecords.kept_answers import keeps_answers
from carerecords.middleware import CareRequest
from carerecords.models import Patient
from carerecords.permissions import Permission
from consent import form_drafts, presenters, recording, wording
from consent.actions import DecisionChanged, DecisionRefused, Recorded
from consent.forms import NEEDED, DecisionForm, new_form_key
from consent.list_rows import ended
from consent.models import ConsentEvent
from consent.patient_door import of_patient
from consent.queries import current_event, last_event
from consent.views import row
from consent.views.patient import back_of, decision_form, draw
from consent.views.permitted import permissions_of

# Sent by the form but no answers: they say what to do, or belong to one sending only.
_NOT_ANSWERS = {"csrfmiddlewaretoken", "confirmed", "change", "today"}


def _keep(request: CareRequest, public_id: uuid.UUID) -> bool:
    """Keeps a decision form that was sent after its session had ended."""
    if not request.can(Permission.RECORD_REFUSAL):
        return False
    patient = access.get_patient(request, public_id)
    return form_drafts.keep(user=request.user, patient=patient, posted=request.POST.dict(), at=timezone.now())


@require_POST
@keeps_answers(_keep)
@requires(Permission.RECORD_REFUSAL)
@of_patient
def draft(request: CareRequest, patient: Patient) -> HttpResponse:
    """Keeps what stands in the form, sent by its page in the background; or forgets it."""
    if "forget" in request.POST:
        form_drafts.drop(user=request.user, patient=patient)
        return redirect(f"{reverse('consent:patient', args=[patient.public_id])}#decision")
    form_drafts.keep(user=request.user, patient=patient, posted=request.POST.dict(), at=timezone.now())
    return HttpResponse(status=204)


@require_http_methods(["GET", "HEAD", "POST"])
@keeps_answers(_keep)
@requires(Permission.RECORD_REFUSAL)
@of_patient
def record(request: CareRequest, patient: Patient) -> HttpResponse:
    """GET opens the short form in the list; POST checks, asks again where needed, and records."""
    if request.method != "POST":
        return _opened(request, patient)
    if not patient.is_here_on(timezone.localdate()):
        flash.notice(request, f"{ended(patient, timezone.localdate())}. Nothing was recorded.")
        return _to(request, patient)
    _check_answer(request, patient)
    form = _sent(request, patient)
    if "today" in request.POST or "change" in request.POST or not form.is_valid():
        return _asked_again(request, patient, form)
    if recording.is_stale(patient, form):
        return _conflict(request, patient, form, current_event(patient), timezone.now())
    if recording.needs_check(patient, form.answer, form.evidence) and "confirmed" not in request.POST:
        return _check_page(request, patient, form)
    return _save(request, patient, form)


def _opened(request: CareRequest, patient: Patient) -> HttpResponse:
    if not request.htmx:
        return redirect(f"{reverse('consent:patient', args=[patient.public_id])}#decision")
    form = None
    if "close" not in request.GET:
        form = decision_form(request, patient, current_event(patient), **row.form_options(patient))
    return row.draw(request, patient, form=form)


def _check_answer(request: CareRequest, patient: Patient) -> None:
    """An answer that the form does not offer to this role was made by hand: refused, and logged."""
    answer = request.POST.get("preference", "")
    for preference, permission in NEEDED.items():
        if preference.value == answer:
            access.check(request, permission, patient=patient)


def _sent(request: CareRequest, patient: Patient) -> DecisionForm:
    today = timezone.localdate()
    data = request.POST.copy()
    if "today" in data:
        for part in DATE_PARTS:
            data[f"decided_on_{part}"] = str(getattr(today, part))
    options = row.form_options(patient) if request.htmx else {}
    return DecisionForm(data, patient=patient, may=permissions_of(request), today=today, **options)


def _asked_again(request: CareRequest, patient: Patient, form: DecisionForm) -> HttpResponse:
    """The form with what was typed; errors only where the user meant to save."""
    filled = "today" in request.POST
    if filled:
        form.errors.clear()
    if request.htmx:
        return row.draw(request, patient, form=form, filled=filled)
    return draw(request, patient, form)


def _check_page(request: CareRequest, patient: Patient, form: DecisionForm) -> HttpResponse:
    current = current_event(patient)
    turned = recording.turns_refusal(patient, form.answer)
    context = {
        "patient": patient,
        "rows": presenters.answer_rows(form),
        "refused_on": current.decided_on if turned and current else None,
        "fields": _answers(request) | {"confirmed": "yes"},
        "today": timezone.localdate(),
    }
    if request.htmx:
        return row.draw(request, patient, check=context)
    return render(request, "consent/check.jinja", context)


def _save(request: CareRequest, patient: Patient, form: DecisionForm) -> HttpResponse:
    at = timezone.now()
    try:
        done = recording.save(request, patient, form, at)
    except DecisionRefused as refusal:
        form.add_error(refusal.field if refusal.field in form.fields else None, str(refusal))
        return _asked_again(request, patient, form)
    except DecisionChanged as changed:
        return _conflict(request, patient, form, changed.current, at)
    return _saved(request, patient, done)


def _saved(request: CareRequest, patient: Patient, done: Recorded) -> HttpResponse:
    text = wording.recorded(done, patient)
    if request.htmx:
        return row.draw(request, patient, said=recording.with_pause(text), undo=done.event)
    action = recording.undo_action(patient, done.event, back_of(request))
    recording.announce(request, text, action=action)
    return _to(request, patient)


def _conflict(
    request: CareRequest,
    patient: Patient,
    form: DecisionForm,
    current: ConsentEvent | None,
    at: datetime.datetime,
) -> HttpResponse:
    """Both answers side by side. "Use mine" is a new form, made in knowledge of theirs."""
    patient.refresh_from_db()
    latest = last_event(patient)
    seen = {"seen": str(current.public_id) if current else "", "form_key": new_form_key()}
    context: dict[str, Any] = {
        "sentence": wording.happened(latest, at) if latest else "The decision was undone.",
        "theirs": presenters.decision_rows(current),
        "mine": presenters.answer_rows(form),
        "action": reverse("consent:record", args=[patient.public_id]),
        "fields": _answers(request) | seen,
        "keep_url": _address(request, patient),
        "today": timezone.localdate(),
    }
    if request.htmx:
        return row.draw(request, patient, conflict=context, status=409)
    return render(request, "consent/conflict.jinja", context | {"patient": patient}, status=409)


def _answers(request: CareRequest) -> dict[str, str]:
    """What was typed, to be sent again by a page that does not show the form."""
    return {name: str(value) for name, value in request.POST.items() if name not in _NOT_ANSWERS}


def _to(request: CareRequest, patient: Patient) -> HttpResponse:
    address = _address(request, patient)
    if request.htmx:
        return HttpResponse(status=204, headers={"HX-Redirect": address})
    return HttpResponseRedirect(address)


def _address(request: CareRequest, patient: Patient) -> str:
    """Back to the place in the list from which the user came, else to the patient."""
    return row.place(back_of(request), patient) or reverse("consent:patient", args=[patient.public_id])
