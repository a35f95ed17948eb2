"""What an upload of one patient would contain: a page to read, with nothing on it to send."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from carerecords.access import record, requires
from carerecords.middleware import CareRequest
from carerecords.models import AccessEvent, Patient
from carerecords.permissions import Permission, roles_with
from consent.patient_door import of_patient
from spine.uploads.preview import Standing, preview


@require_safe
@requires(Permission.FIND_PATIENTS)
@of_patient
def upload_preview(request: CareRequest, patient: Patient) -> HttpResponse:
    """The message as it would go now. Roles that may not read clinical content see counts."""
    clinical = request.can(Permission.SEE_CLINICAL_PREVIEW)
    detail = "upload preview" if clinical else "upload preview, counts only"
    record(request, AccessEvent.Kind.PREVIEWED, patient=patient, detail=detail)
    at = timezone.now()
    context = {
        "patient": patient,
        "today": timezone.localdate(at),
        "at": at,
        "found": preview(patient, at),
        "Standing": Standing,
        "clinical": clinical,
        "who_may": [role.rule.name for role in roles_with(Permission.SEE_CLINICAL_PREVIEW)],
    }
    return render(request, "spine/preview.jinja", context)
