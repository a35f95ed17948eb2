"""The letter to a patient: on the screen for printing, as PDF, and many as one PDF."""

import uuid

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from carerecords.access import record, requires
from carerecords.middleware import CareRequest
from carerecords.models import AccessEvent, Patient
from carerecords.permissions import Permission
from consent.patient_door import of_patient
from spine.letters.facts import letter_facts, patients_of_run
from spine.letters.pdf import letters_pdf
from spine.letters.words import Letter, letter_of

# Of one file: some three seconds to draw, and a pile that fits into one tray of a printer.
MOST = 500


@require_safe
@requires(Permission.FIND_PATIENTS)
@of_patient
def letter(request: CareRequest, patient: Patient) -> HttpResponse:
    """The letter as it would be printed now."""
    written = None
    if patient.died_on is None:
        record(request, AccessEvent.Kind.PRINTED, patient=patient, detail="letter")
        written = _written([patient])[0]
    context = {"patient": patient, "letter": written, "today": timezone.localdate()}
    return render(request, "spine/letter.jinja", context)


@require_safe
@requires(Permission.FIND_PATIENTS)
@of_patient
def letter_pdf(request: CareRequest, patient: Patient) -> HttpResponse:
    """The same as PDF. Nobody writes to a patient who died."""
    if patient.died_on is not None:
        return redirect("spine:letter", patient.public_id)
    record(request, AccessEvent.Kind.PRINTED, patient=patient, detail="letter as PDF")
    return _file(_written([patient]), "letter.pdf")


@require_safe
@requires(Permission.BULK_REFUSAL)
def run_letters(request: CareRequest, public_id: uuid.UUID) -> HttpResponse:
    """The letters of a bulk run that notes letters, 500 a file: `?part=2` for the next ones."""
    if request.practice is None:
        raise Http404
    patients = patients_of_run(request.practice, public_id, _part(request), MOST)
    if not patients:
        raise Http404
    record(request, AccessEvent.Kind.PRINTED, detail="letters of a bulk run as PDF", rows=len(patients))
    return _file(_written(patients), "letters.pdf")


def _part(request: CareRequest) -> int:
    """Which part is asked for, from 1; what is no number is the first."""
    text = request.GET.get("part", "1")
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) < 5 else 1


def _written(patients: list[Patient]) -> list[Letter]:
    return [letter_of(facts) for facts in letter_facts(patients, timezone.now())]


def _file(letters: list[Letter], name: str) -> HttpResponse:
    response = HttpResponse(letters_pdf(letters), content_type="application/pdf")
    # The name goes into a folder of downloads: nobody's name stands in it.
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
