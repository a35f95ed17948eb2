"""One answer for many patients: asked, checked over a frozen list, and recorded in the background."""

import datetime
import uuid
from typing import Any

from django.http import Http404, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_http_methods, require_safe

from carerecords import access, database_clock, flash
from carerecords.access import requires
from carerecords.middleware import CareRequest
from carerecords.models import AccessEvent
from carerecords.permissions import Permission
from consent import bulk_pages, bulk_polling, bulk_runs, bulk_work
from consent.bulk_forms import FORMS, OFFERED
from consent.bulk_runs import CONSENT_CAP, TOO_MANY_CONSENTS, RunRefused
from consent.codes import BulkKind, RowResult, RunState
from consent.models import BulkRun
from consent.views.patients import draw_list
from consent.views.permitted import permissions_of, practice_of
from consent.views.selection import Selection, selected

# So few are done before the answer goes out: nobody waits, and nothing waits for a worker.
AT_ONCE = 200
# The figures of a check page that stood open for longer say nothing of now.
CHECKED_FOR = datetime.timedelta(minutes=30)
TOO_OLD = "This list is over 30 minutes old. Check it again."


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.BULK_REFUSAL)
def new(request: CareRequest) -> HttpResponse:
    """From a selection of the list to the answer for all of them; then the list is frozen."""
    kind = _kind(request.POST.get("kind", ""))
    if request.method != "POST" or kind is None:
        return redirect("consent:list")
    access.check(request, OFFERED[kind])
    selection = selected(request)
    if problem := _problem(selection, kind):
        return draw_list(request, selection.query, problem=problem, ticked=selection.ticked)
    data: QueryDict | None = request.POST if "answers" in request.POST else None
    form = FORMS[kind](data, may=permissions_of(request), today=timezone.localdate())
    if data is None or not form.is_valid():
        context = {
            "form": form,
            "kind": kind,
            "selection": selection,
            "title": bulk_pages.title(kind, selection.count),
            "example": _example(kind),
        }
        return render(request, "consent/bulk_new.jinja", context)
    run = bulk_runs.freeze(
        practice=practice_of(request),
        kind=kind,
        patients=selection.patients,
        by=request.user,
        at=timezone.now(),
        chosen=selection.chosen,
        **form.answer,
    )
    return redirect("bulk:check", run.public_id)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.BULK_REFUSAL)
def check(request: CareRequest, public_id: uuid.UUID) -> HttpResponse:
    """What would become of the frozen list now; it is confirmed from here."""
    run, at = _run(request, public_id), timezone.now()
    if run.state != RunState.CHECK:
        return redirect("bulk:run", run.public_id)
    if request.method != "POST":
        return _check_page(request, run, at)
    if "cancel" in request.POST:
        bulk_runs.drop(run=run)
        flash.notice(request, "Cancelled. Nothing was changed.")
        return redirect("consent:list")
    if run.created_by_id != request.user.pk:
        return _check_page(request, run, at, f"Only {run.created_by.short_name}, who made it, can confirm it")
    if _is_old(request.POST.get("as_at", ""), at):
        return _check_page(request, run, at, TOO_OLD)
    return _confirm(request, run, at)


@require_safe
@requires(Permission.BULK_REFUSAL)
def run_page(request: CareRequest, public_id: uuid.UUID) -> HttpResponse:
    """How far a run has come, and what became of each patient. The part alone for htmx."""
    run = _run(request, public_id)
    template = "consent/bulk_run_part.jinja" if request.htmx else "consent/bulk_run.jinja"
    return render(request, template, _run_context(request, run))


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.BULK_REFUSAL)
def undo(request: CareRequest, public_id: uuid.UUID) -> HttpResponse:
    """Takes a run back, once it was said how many that concerns."""
    run, at = _run(request, public_id), timezone.now()
    until = bulk_pages.undo_until(run, at)
    if until is None:
        if run.state not in {RunState.UNDOING, RunState.UNDONE}:
            flash.notice(request, "This can no longer be undone. Nothing was changed.")
        return redirect("bulk:run", run.public_id)
    if request.method != "POST":
        back, later = bulk_pages.undo_forecast(run)
        context = {"run": run, "kind": BulkKind(run.kind), "back": back, "later": later, "at": at}
        context["title"] = bulk_pages.title(BulkKind(run.kind), run.total)
        return render(request, "consent/bulk_undo.jinja", context)
    try:
        bulk_runs.undo(run=run, by=request.user, at=at)
    except RunRefused as refusal:
        flash.notice(request, f"{refusal}. Nothing was changed.")
        return redirect("bulk:run", run.public_id)
    access.record(request, AccessEvent.Kind.BULK, detail=f"undo {run.kind} {run.public_id}", rows=run.changed)
    return _worked_on(run, run.changed)


@require_safe
@requires(Permission.BULK_REFUSAL)
def runs(request: CareRequest) -> HttpResponse:
    """All that the practice did to several patients at once, newest first."""
    after = _uuid(request.GET.get("after", ""))
    found, more = bulk_pages.runs_of(practice_of(request), after)
    context = {
        "runs": [(run, BulkKind(run.kind), bulk_pages.headline(run)) for run in found],
        "first": after is None,
        "next": f"{reverse('bulk:runs')}?after={found[-1].public_id}" if more else None,
    }
    return render(request, "consent/bulk_runs.jinja", context)


def _example(kind: BulkKind) -> str:
    """A date such as the form asks for, in three numbers."""
    back = -30 if kind is BulkKind.DEFERRAL else 3
    day = timezone.localdate() - datetime.timedelta(days=back)
    return f"{day.day} {day.month} {day.year}"


def _problem(selection: Selection, kind: BulkKind) -> str:
    if kind is BulkKind.CONSENT and selection.count > CONSENT_CAP:
        return TOO_MANY_CONSENTS
    return selection.problem


def _check_page(request: CareRequest, run: BulkRun, at: datetime.datetime, problem: str = "") -> HttpResponse:
    forecast = bulk_work.forecast(run, at, named=bulk_pages.NAMED)
    changed, skipped = bulk_pages.named_rows(run, forecast, may_open=_may_open(request))
    access.record(
        request, AccessEvent.Kind.LISTED, detail=f"check {run.kind} {run.public_id}", rows=run.total
    )
    context = {
        "run": run,
        "kind": BulkKind(run.kind),
        "forecast": forecast,
        "changed": changed,
        "skipped": skipped,
        "warnings": bulk_pages.warnings_of(run, forecast),
        "answers": bulk_pages.answer_rows(run),
        "confirm": bulk_pages.title(BulkKind(run.kind), forecast.changed),
        "mine": run.created_by_id == request.user.pk,
        "problem": problem,
        "at": at,
    }
    return render(request, "consent/bulk_check.jinja", context)


def _confirm(request: CareRequest, run: BulkRun, at: datetime.datetime) -> HttpResponse:
    try:
        started = bulk_runs.start(run=run, at=at)
    except RunRefused as refusal:
        flash.notice(request, f"{refusal}. Nothing was changed.")
        return redirect("consent:list")
    if started.started_at == at:  # else the button was pressed twice
        access.record(request, AccessEvent.Kind.BULK, detail=f"{run.kind} {run.public_id}", rows=run.total)
    return _worked_on(started, started.total)


def _worked_on(run: BulkRun, size: int) -> HttpResponseRedirect:
    """A short run is done at once; a worker that was quicker is not disturbed."""
    if size <= AT_ONCE:
        bulk_runs.work(run.public_id, database_clock.now)
    return HttpResponseRedirect(reverse("bulk:run", args=[run.public_id]))


def _run_context(request: CareRequest, run: BulkRun) -> dict[str, Any]:
    at = timezone.now()
    result = request.GET.get("result", "")
    counts = bulk_pages.counts_of(run)
    result = result if result in {each.value for each, _ in counts} else ""
    under_way = run.state in bulk_pages.UNDER_WAY
    page = None
    if not under_way:
        page = bulk_pages.page_of(
            run,
            result=result,
            after=_position(request.GET.get("after", "")),
            before=_position(request.GET.get("before", "")),
            may_open=_may_open(request),
        )
        access.record(request, AccessEvent.Kind.LISTED, detail=f"run {run.public_id}", rows=len(page.rows))
    return {
        "run": run,
        "kind": BulkKind(run.kind),
        "answers": bulk_pages.answer_rows(run),
        "headline": bulk_pages.headline(run),
        "progress": bulk_pages.progress_of(run) if under_way else None,
        "counts": counts,
        "reasons": bulk_pages.reasons_of(run),
        "title": bulk_pages.title(BulkKind(run.kind), run.total),
        "result": result,
        "result_label": RowResult(result).label if result else "",
        "page": page,
        "links": _links(run, page, result),
        "undo_until": bulk_pages.undo_until(run, at),
        "can_export": request.can(Permission.EXPORT_PATIENTS),
        "poll": bulk_polling.poll_of(request, run, reverse("bulk:run", args=[run.public_id])),
        "at": at,
    }


def _links(run: BulkRun, page: bulk_pages.RowPage | None, result: str) -> dict[str, str | None]:
    here = reverse("bulk:run", args=[run.public_id])
    wanted = f"&result={result}" if result else ""
    return {
        "here": f"{here}?result={result}" if result else here,
        "previous": f"{here}?before={page.before}{wanted}#patients" if page and page.before else None,
        "next": f"{here}?after={page.after}{wanted}#patients" if page and page.after else None,
    }


def _kind(text: str) -> BulkKind | None:
    kind = BulkKind(text) if text in set(BulkKind) else None
    return kind if kind in OFFERED else None


def _run(request: CareRequest, public_id: uuid.UUID) -> BulkRun:
    """The practice's own run, if the role may do what it does; for strangers there is none (404)."""
    run = bulk_pages.run_of(practice_of(request), public_id)
    if run is None:
        raise Http404
    access.check(request, OFFERED.get(BulkKind(run.kind), Permission.BULK_REFUSAL))
    return run


def _may_open(request: CareRequest) -> bool:
    return request.can(Permission.OPEN_SENSITIVE_RECORD)


def _is_old(text: str, at: datetime.datetime) -> bool:
    try:
        checked = parse_datetime(text)
    except ValueError:
        checked = None
    return checked is None or checked.tzinfo is None or at - checked > CHECKED_FOR


def _position(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else None


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text) if text else None
    except ValueError:
        return None
