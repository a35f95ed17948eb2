"""The door to one patient's pages: the practice's own, and sensitive ones only with a right to them."""

import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from carerecords import access
from carerecords.middleware import CareRequest
from carerecords.models import Patient
from carerecords.permissions import Permission, Role
from consent.forms import SensitiveReason

_KEY = "sensitive_reasons"


def of_patient(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Gives a view the patient instead of an id. A stranger gets 404; a sensitive record is refused
    to roles without the permission, and a GP is first asked why."""

    @wraps(view)
    def opened(request: CareRequest, public_id: uuid.UUID, **others: Any) -> HttpResponse:
        patient = access.get_patient(request, public_id)
        if patient.is_sensitive:
            access.check(request, Permission.OPEN_SENSITIVE_RECORD, patient=patient)
            if asks_reason(request, patient):
                return redirect("consent:reason", patient.public_id)
        return view(request, patient, **others)

    return opened


def asks_reason(request: CareRequest, patient: Patient) -> bool:
    """Whether this user has still to say why they open a sensitive record.

    A privacy officer's whole work is the reason (roles table of the screens design: "Y reason" for
    GPs, "Y" for privacy officers).
    """
    return patient.is_sensitive and request.role is Role.GP and not reason_given(request, patient)


def reason_given(request: HttpRequest, patient: Patient) -> str:
    """The reason kept for this patient until log-out, or nothing."""
    return str(request.session.get(_KEY, {}).get(str(patient.public_id), ""))


def keep_reason(request: HttpRequest, patient: Patient, reason: SensitiveReason) -> None:
    """Keeps the reason for the rest of the session, for this patient only."""
    kept = request.session.get(_KEY, {})
    request.session[_KEY] = kept | {str(patient.public_id): reason.value}
