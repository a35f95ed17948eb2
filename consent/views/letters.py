"""Notice letters on the patient's page: one that came back undelivered."""

import uuid

from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from carerecords import access, flash
from carerecords.access import requires
from carerecords.formats import nhs_date
from carerecords.middleware import CareRequest
from carerecords.models import AccessEvent, Patient
from carerecords.permissions import Permission
from consent import notices
from consent.letters import LetterRefused, letter_returned
from consent.patient_door import of_patient


@require_POST
@requires(Permission.RECORD_REFUSAL)
@of_patient
def returned(request: CareRequest, patient: Patient, letter_id: uuid.UUID) -> HttpResponse:
    """Notes that a letter came back: the time to object then runs from the one before, if any."""
    letter = notices.letter_of(patient, letter_id)
    if letter is None:
        raise Http404
    try:
        with transaction.atomic():
            letter_returned(letter=letter, by=request.user, at=timezone.now())
            detail = "letter came back undelivered"
            access.record(request, AccessEvent.Kind.DECISION, patient=patient, detail=detail)
    except LetterRefused as refused:
        flash.notice(request, f"{refused}. Nothing was changed.")
    else:
        sent = nhs_date(letter.sent_on)
        flash.success(request, f"The letter of {sent} is noted as undelivered. It counts as not sent.")
    return redirect(f"{reverse('consent:patient', args=[patient.public_id])}#letters")
