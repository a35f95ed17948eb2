"""Two decisions of one day that disagree: one of them is confirmed."""

import uuid

from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from carerecords import flash
from carerecords.access import requires
from carerecords.middleware import CareRequest
from carerecords.models import Patient
from carerecords.permissions import Permission
from consent import corrections, recording, wording
from consent.actions import DecisionChanged, DecisionRefused
from consent.correction_forms import ConfirmForm
from consent.patient_door import of_patient
from consent.queries import event_id_of, event_of, history, last_event

SETTLED = "These decisions no longer disagree. Nothing was changed."


@require_POST
@requires(Permission.RESOLVE_CONFLICT)
@of_patient
def confirm(request: CareRequest, patient: Patient, event_id: uuid.UUID) -> HttpResponse:
    """Confirms one side of a conflict, of what the page showed and nothing else."""
    event, form, at = event_of(patient, event_id), ConfirmForm(request.POST), timezone.now()
    if event is None:
        raise Http404
    back = redirect("consent:patient", patient.public_id)
    # The same form sent twice is answered as the first time, though the conflict is over by then.
    known = form.is_valid() and form.was_sent(patient)
    sides = {one.pk for one in corrections.rivals(history(patient), timezone.localdate(at))}
    if not form.is_valid() or (event.pk not in sides and not known):
        flash.notice(request, SETTLED)
        return back
    try:
        seen = event_id_of(patient, form.cleaned_data["seen"])
        key = form.cleaned_data["form_key"]
        done = corrections.confirm(request, patient, event, seen=seen, form_key=key, at=at)
    except DecisionChanged:
        latest = last_event(patient)
        said = wording.happened(latest, at) if latest else ""
        flash.notice(request, f"This record changed while you were working. {said} Nothing was confirmed.")
        return back
    except DecisionRefused as refused:
        flash.notice(request, f"{refused}. Nothing was confirmed.")
        return back
    action = recording.undo_action(patient, done.event, None)
    recording.announce(request, wording.recorded(done, patient), action=action)
    return back
