"""What a sheet's page sends by itself: each answer as it is given, and what is typed meanwhile.

Answers are JSON of words to show. Whatever goes wrong here, the answer stays chosen on the page, and
"Save decisions" sends it by the same key.
"""

import uuid

from django.http import Http404, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.http import require_POST

from carerecords.access import requires
from carerecords.kept_answers import keeps_answers
from carerecords.middleware import CareRequest
from carerecords.permissions import Permission
from consent import recording, wording
from consent.actions import DecisionChanged, DecisionRefused
from consent.models import Sheet, SheetRow
from consent.queries import current_event
from consent.sheet import rows as sheet_rows
from consent.sheet import saving
from consent.sheet.door import keep_late, of_sheet
from consent.sheet.drawing import may_undo, top_form
from consent.sheet.forms import ANSWERS
from consent.sheet.saving import Given, Told
from consent.sheet.standing import RowView, Standing, is_changed


@require_POST
@keeps_answers(keep_late)
@requires(Permission.RECORD_CONSENT)
@of_sheet
def draft(request: CareRequest, sheet: Sheet) -> HttpResponse:
    """Keeps what stands on the sheet and is not saved."""
    posted = request.POST.dict()
    saving.keep(sheet, posted, saving.given_in(posted, sheet_rows.of_sheet(sheet)), timezone.now())
    return HttpResponse(status=204)


@require_POST
@keeps_answers(keep_late)
@requires(Permission.RECORD_CONSENT)
@of_sheet
def row(request: CareRequest, sheet: Sheet, row_id: uuid.UUID) -> HttpResponse:
    """Saves the answer of one row, or takes it back."""
    found = sheet_rows.row_of(sheet, row_id)
    if found is None:
        raise Http404
    if "undo" in request.POST:
        return _undo(request, found)
    posted = request.POST.dict()
    given = saving.given_in(posted, [found])
    if not given:
        return _answer("unsaved", "Select Consents or Refuses", status=400)
    return _save(request, sheet, given[0], posted)


def _save(request: CareRequest, sheet: Sheet, given: Given, posted: dict[str, str]) -> HttpResponse:
    at, typed = timezone.now(), saving.typed_of(posted)
    top = top_form(request, sheet, data=typed, answers=[given.answer])
    if not top.is_valid():
        saving.keep(sheet, posted, [given], at)
        return _answer("unsaved", str(next(iter(top.errors.values()))[0]), status=400)
    sheet_rows.touch(sheet, typed, at)
    try:
        saving.save_row(request, given, Told(top.evidence, top.cleaned_data["decided_on"]), at)
    except DecisionRefused as refusal:
        return _answer("unsaved", str(refusal), status=400)
    except DecisionChanged:
        return _changed(given)
    event = given.row.event
    assert event is not None
    view = RowView(
        given.row,
        Standing.DECIDED,
        wording.name_of(given.row.patient),
        wording.saved_at(event),
        event.preference,
        may_undo(request, at)(event),
    )
    said = wording.noted(given.answer, given.row.patient)
    return _answer("decided", f"{said} Undo" if view.may_undo else said, view=view)


def _undo(request: CareRequest, row: SheetRow) -> HttpResponse:
    at = timezone.now()
    if row.event is not None and not may_undo(request, at)(row.event):
        return _answer("decided", recording.too_late(), status=400)
    done = saving.undo_row(request, row, at)
    name = wording.name_of(row.patient)
    said = wording.undone(done, row.patient) if done else f"The decision for {name} was already undone."
    view = RowView(row, Standing.OPEN, name, "", row.patient.consent_state)
    return _answer("open", said, view=view)


def _changed(given: Given) -> HttpResponse:
    """Theirs stands; the user's own answer is kept beside it."""
    row = given.row
    row.patient.refresh_from_db()
    if not is_changed(row):  # an older form of the row: its decision was undone since
        return _answer("unsaved", "This row changed since the page was opened. Open it again", status=409)
    sheet_rows.keep_answer(row, given.answer)
    event = current_event(row.patient)
    said = wording.changed(event, row.patient)
    view = RowView(
        row, Standing.CHANGED, wording.name_of(row.patient), said, row.patient.consent_state, theirs=event
    )
    return _answer("changed", f"{said}. Your answer was not saved.", view=view, status=409)


def _answer(state: str, say: str, *, view: RowView | None = None, status: int = 200) -> HttpResponse:
    body = {"state": state, "say": say}
    if view is not None:
        context = {"view": view, "answers": ANSWERS, "name": saving.name_of(view.row)}
        body["status"] = render_to_string("consent/sheet/status.jinja", context)
        body["choices"] = render_to_string("consent/sheet/choices.jinja", context)
    return JsonResponse(body, status=status)
