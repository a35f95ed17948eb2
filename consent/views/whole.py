"""What the patient's page shows in part: the whole history, and everybody who has looked."""

from django.core import signing
from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from carerecords import access
from carerecords.access import requires
from carerecords.access_log import MOST, looks_page
from carerecords.middleware import CareRequest
from carerecords.models import AccessEvent, Patient
from carerecords.permissions import Permission
from consent import presenters
from consent.patient_door import of_patient
from consent.queries import history
from consent.views.patient import correctable, undoable

_SIGNER = signing.Signer(salt="access log page")


@require_safe
@requires(Permission.FIND_PATIENTS)
@of_patient
def whole_history(request: CareRequest, patient: Patient) -> HttpResponse:
    """Every decision and every taking back."""
    access.record(request, AccessEvent.Kind.VIEWED, patient=patient, detail="history")
    items = presenters.history_items(
        history(patient), undoable(request, timezone.now()), correctable(request)
    )
    context = {"patient": patient, "history": items, "today": timezone.localdate()}
    return render(request, "consent/history.jinja", context)


@require_safe
@requires(Permission.SEE_ACCESS_LOG)
@of_patient
def who_has_looked(request: CareRequest, patient: Patient) -> HttpResponse:
    """The access log of one patient, to be read or printed for them; this reading is its first line."""
    access.record(request, AccessEvent.Kind.VIEWED, patient=patient, detail="who has looked")
    before, everything = _row(request.GET.get("before", "")), "all" in request.GET
    page = looks_page(patient, before=before, everything=everything)
    here = reverse("consent:access", args=[patient.public_id])
    older = urlencode({"before": _SIGNER.sign(str(page.next_before))}) if page.next_before else ""
    context = {
        "patient": patient,
        "looks": presenters.looks(page.events),
        "total": page.total,
        "is_whole": everything and page.next_before is None,
        "most": MOST,
        "first_url": here if before else None,
        "older_url": f"{here}?{older}" if older and not everything else None,
        "at": timezone.now(),
        "today": timezone.localdate(),
    }
    return render(request, "consent/access.jinja", context)


def _row(text: str) -> int | None:
    """The line after which the page begins; a token that is not ours begins at the newest."""
    try:
        return int(_SIGNER.unsign(text))
    except (signing.BadSignature, ValueError):
        return None
