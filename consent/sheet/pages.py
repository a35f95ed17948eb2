"""Working through a sheet: save, undo, put off."""

import uuid

from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from carerecords import access, flash
from carerecords.access import requires
from carerecords.date_parts import DATE_PARTS
from carerecords.formats import nhs_date
from carerecords.kept_answers import keeps_answers
from carerecords.middleware import CareRequest
from carerecords.models import AccessEvent
from carerecords.permissions import Permission
from consent import deferrals, recording, wording
from consent.models import Sheet, SheetRow
from consent.sheet import rows as sheet_rows
from consent.sheet import saving, standing
from consent.sheet.door import keep_late, of_sheet
from consent.sheet.drawing import draw, may_undo, top_form
from consent.sheet.forms import DeferForm
from consent.sheet.saving import Given, Told
from consent.sheet.standing import RowView

_NOTHING = "Select at least one decision"


@require_http_methods(["GET", "HEAD", "POST"])
@keeps_answers(keep_late)
@requires(Permission.RECORD_CONSENT)
@of_sheet
def sheet_page(request: CareRequest, sheet: Sheet) -> HttpResponse:
    """GET shows the sheet; POST keeps all that stands on it, and does what the button says."""
    if request.method != "POST":
        access.record(request, AccessEvent.Kind.LISTED, detail=f"sheet {sheet.public_id}", rows=sheet.size)
        return draw(request, sheet, press=_press(request))
    rows, posted = list(sheet_rows.of_sheet(sheet)), request.POST.dict()
    given = saving.given_in(posted, rows)
    if "today" in posted:
        today = timezone.localdate()
        posted |= {f"decided_on_{part}": str(getattr(today, part)) for part in DATE_PARTS}
    saving.keep(sheet, posted, given, timezone.now())
    if "today" in posted:
        return _to(sheet, "id_decided_on-today")
    if pressed := _pressed(posted, rows):
        button, row = pressed
        return {"undo": _undo, "ask": _ask_now, "defer": _defer}[button](request, sheet, row)
    return _save(request, sheet, given)


def _save(request: CareRequest, sheet: Sheet, given: list[Given]) -> HttpResponse:
    top = top_form(request, sheet, data=sheet.typed, answers=[one.answer for one in given])
    faults = [] if given else [{"text": _NOTHING, "href": "#rows"}]
    if not top.is_valid() or faults:
        return draw(request, sheet, top=top, faults=faults)
    told = Told(top.evidence, top.cleaned_data["decided_on"])
    press = saving.save_all(request, sheet, given, told, timezone.now())
    return _to(sheet, "result", press)


def _undo(request: CareRequest, sheet: Sheet, row: SheetRow) -> HttpResponse:
    at = timezone.now()
    if row.event is not None and not may_undo(request, at)(row.event):
        access.record(request, AccessEvent.Kind.REFUSED, patient=row.patient, detail="undo after its time")
        flash.notice(request, recording.too_late())
    elif done := saving.undo_row(request, row, at):
        flash.success(request, recording.with_pause(wording.undone(done, row.patient)))
    else:
        flash.notice(request, f"The decision for {wording.name_of(row.patient)} was already undone.")
    return _to(sheet, f"row-{row.position}", _press(request))


def _ask_now(request: CareRequest, sheet: Sheet, row: SheetRow) -> HttpResponse:
    """Ends what put the patient off, so that the row asks again."""
    today = timezone.localdate()
    running = deferrals.running(sheet.practice, today).filter(patient=row.patient_id)
    ids = list(running.values_list("pk", flat=True))
    deferrals.end_deferrals(deferral_ids=ids, today=today, by=request.user, at=timezone.now())
    return _to(sheet, f"row-{row.position}")


def _defer(request: CareRequest, sheet: Sheet, row: SheetRow) -> HttpResponse:
    return redirect("sheet:defer", sheet.public_id, row.public_id)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.RECORD_CONSENT)
@of_sheet
def defer(request: CareRequest, sheet: Sheet, row_id: uuid.UUID) -> HttpResponse:
    """Asks why one patient's decision is put off, and until when; counts as done on the sheet."""
    view, today = _open_row(request, sheet, row_id), timezone.localdate()
    if view is None:
        flash.notice(request, "That row of the sheet is no longer open. Nothing was put off.")
        return _to(sheet, "rows")
    form = DeferForm(request.POST if request.method == "POST" else None)
    if not (request.method == "POST" and form.is_valid()):
        context = {"form": form, "sheet": sheet, "view": view, "patient": view.patient, "today": today}
        return render(request, "consent/sheet/defer.jinja", context)
    until = form.until(today)
    deferrals.defer(
        patient_ids=[view.patient.pk], until=until, reason=form.words, by=request.user, at=timezone.now()
    )
    sheet_rows.clear_answer(view.row)
    flash.success(request, f"The decision for {view.name} is deferred until {nhs_date(until)}.")
    return _to(sheet, f"row-{view.row.position}")


def _open_row(request: CareRequest, sheet: Sheet, row_id: uuid.UUID) -> RowView | None:
    at = timezone.now()
    views = standing.row_views(sheet, at, timezone.localdate(at), may_undo(request, at))
    found = [view for view in views if view.row.public_id == row_id]
    if not found:
        raise Http404
    return found[0] if found[0].is_open else None


def _pressed(posted: dict[str, str], rows: list[SheetRow]) -> tuple[str, SheetRow] | None:
    """The button of a row that was pressed, if it was one of those."""
    for button in ("undo", "ask", "defer"):
        for row in rows:
            if posted.get(button) == str(row.public_id):
                return button, row
    return None


def _press(request: CareRequest) -> int | None:
    """The press of "Save decisions" that the page tells of."""
    text = request.POST.get("saved") or request.GET.get("saved", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else None


def _to(sheet: Sheet, place: str, press: int | None = None) -> HttpResponse:
    query = f"?saved={press}" if press else ""
    return HttpResponseRedirect(f"{reverse('sheet:sheet', args=[sheet.public_id])}{query}#{place}")
