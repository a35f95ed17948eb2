"""The API's door to one patient: the same people may pass as at the pages' door."""

import uuid

from django.http import Http404
from rest_framework.exceptions import PermissionDenied

from carerecords import access
from carerecords.middleware import CareRequest
from carerecords.models import AccessEvent, Patient
from carerecords.permissions import Permission
from consent.models import ConsentEvent
from consent.patient_door import asks_reason

ASK_FIRST = "This record is sensitive. Open it in the browser and say why, then ask again."


def open_patient(request: CareRequest, public_id: uuid.UUID) -> Patient:
    """A patient of the user's own practice; a stranger gets 404, a sensitive record needs a right."""
    patient = access.get_patient(request, public_id)
    check_sensitive(request, patient)
    return patient


def open_event(request: CareRequest, public_id: uuid.UUID) -> ConsentEvent:
    """An event of a patient of the user's own practice, wherever it was recorded."""
    if request.practice is None:
        raise Http404
    of_practice = ConsentEvent.objects.filter(patient__practice=request.practice)
    found = of_practice.select_related("patient__practice", "recorded_by", "reversed_by")
    event = found.filter(public_id=public_id).first()
    if event is None:
        raise Http404
    check_sensitive(request, event.patient)
    return event


def check_sensitive(request: CareRequest, patient: Patient) -> None:
    """A GP gives the reason once, on the page that asks for it; it holds for that log-in."""
    if not patient.is_sensitive:
        return
    access.check(request, Permission.OPEN_SENSITIVE_RECORD, patient=patient)
    if asks_reason(request, patient):
        access.record(request, AccessEvent.Kind.REFUSED, patient=patient, detail="api: no reason given")
        raise PermissionDenied(ASK_FIRST)
