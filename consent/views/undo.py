"""Taking a decision back."""

import datetime
import uuid

from django.conf import settings
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from carerecords import access, flash
from carerecords.access import requires
from carerecords.formats import nhs_datetime
from carerecords.middleware import CareRequest
from carerecords.models import AccessEvent, Patient
from carerecords.permissions import Permission
from consent import recording, wording
from consent.actions import CannotUndo
from consent.codes import EventKind
from consent.models import ConsentEvent
from consent.patient_door import of_patient
from consent.queries import event_of, was_undone
from consent.views import row
from consent.views.patient import back_of


@require_POST
@requires(Permission.FIND_PATIENTS)
@of_patient
def undo_event(request: CareRequest, patient: Patient, event_id: uuid.UUID) -> HttpResponse:
    """Undoes one's own decision while its upload waits; others', and later, with a right to it."""
    event = event_of(patient, event_id)
    if event is None:
        raise Http404
    if was_undone(event) or event.kind != EventKind.DECISION:
        return _answer(request, patient, _already(event), success=False)
    at = timezone.now()
    window = datetime.timedelta(seconds=settings.UNDO_WINDOW_SECONDS)
    if not recording.may_undo(request, event, at, window):
        return _refused(request, patient, event)
    try:
        done = recording.undo(request, patient, event, at)
    except CannotUndo:
        return _answer(request, patient, _already(event_of(patient, event_id)), success=False)
    patient.refresh_from_db()
    return _answer(request, patient, recording.with_pause(wording.undone(done, patient)))


def _refused(request: CareRequest, patient: Patient, event: ConsentEvent) -> HttpResponse:
    """Too late for one's own decision is told kindly; anything else is not this role's to do."""
    own = event.recorded_by_id == request.user.pk and request.can(Permission.REVERSE_OWN_DECISION)
    if not own:
        access.check(request, Permission.REVERSE_ANY_DECISION, patient=patient)
    access.record(request, AccessEvent.Kind.REFUSED, patient=patient, detail="undo after its time")
    return _answer(request, patient, recording.too_late(), success=False)


def _already(event: ConsentEvent | None) -> str:
    """Somebody was first, or the button was pressed twice."""
    reversal = getattr(event, "reversed_by", None)
    if reversal is None:
        return "This decision cannot be undone. Nothing was changed."
    by, when = reversal.recorded_by.short_name, nhs_datetime(reversal.recorded_at)
    return f"This decision was already undone by {by} on {when}."


def _answer(request: CareRequest, patient: Patient, text: str, *, success: bool = True) -> HttpResponse:
    if request.htmx:
        return row.draw(request, patient, said=text)
    (flash.success if success else flash.notice)(request, text)
    back = row.place(back_of(request), patient)
    return HttpResponseRedirect(back or reverse("consent:patient", args=[patient.public_id]))
