"""One patient's part of the list, drawn alone, for pages that replace it without a reload."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from carerecords.middleware import CareRequest
from carerecords.models import Patient
from consent import listed
from consent.forms import HINTS, DecisionForm
from consent.list_rows import Rows
from consent.models import ConsentEvent
from consent.views.patient import back_of
from consent.views.permitted import permissions_of


def draw(
    request: CareRequest,
    patient: Patient,
    *,
    form: DecisionForm | None = None,
    filled: bool = False,
    check: dict[str, Any] | None = None,
    conflict: dict[str, Any] | None = None,
    said: str = "",
    undo: ConsentEvent | None = None,
    status: int = 200,
) -> HttpResponse:
    """The row, and under it what is asked or was said: a form, a check, a conflict, a result."""
    place, today = back_of(request) or "", timezone.localdate()
    rows = Rows(may=permissions_of(request), at=timezone.now(), today=today, place=place)
    context = {
        "row": rows.row(listed.one(patient.pk)),
        "form": form,
        # Today's date was filled in: the focus stays on the button that did it.
        "filled": filled,
        "check": check,
        "conflict": conflict,
        "said": said,
        "undo": undo,
        "hints": HINTS,
        "place": place,
        "today": today,
    }
    return render(request, "consent/row.jinja", context, status=status)


def form_options(patient: Patient) -> dict[str, Any]:
    """The short form, with ids of its own: several may be open in one list."""
    return {"short": True, "auto_id": f"p{patient.public_id.hex[:8]}_%s"}


def place(back: str | None, patient: Patient) -> str | None:
    """The address of the patient's row in the list."""
    if back is None:
        return None
    query = f"?{back}" if back else ""
    return f"{reverse('consent:list')}{query}#patient-{patient.public_id}"
