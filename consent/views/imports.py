"""Imports: send a file in, see what it would do, approve or cancel it, watch and undo it."""

import uuid
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from carerecords import access, database_clock, doorbell, flash
from carerecords.access import requires
from carerecords.middleware import CareRequest
from carerecords.models import AccessEvent
from carerecords.permissions import Permission
from consent import bulk_runs
from consent.codes import ImportKind, ImportState, RowVerdict
from consent.imports import actions, approval, blank_files, pages
from consent.imports.actions import ImportRefused
from consent.imports.checking import check
from consent.imports.error_file import error_file
from consent.imports.files import BY_BROWSER, FileRefused
from consent.imports.layouts import LAYOUTS
from consent.imports.registering import register
from consent.imports.staging import stage
from consent.imports.upload import AT_ONCE, SizeLimit, UploadForm
from consent.models import Import
from consent.views.permitted import permissions_of, practice_of

IMPORTED = AccessEvent.Kind.IMPORTED


@require_safe
@requires(Permission.SEE_IMPORTS)
def import_list(request: CareRequest) -> HttpResponse:
    """The practice's imports, newest first; `?show=ready` leaves those that wait for approval."""
    only_ready = request.GET.get("show") == "ready"
    made = pages.recent(practice_of(request), only_ready=only_ready)
    context = {
        "imports": [(one, pages.standing(one)) for one in made],
        "only_ready": only_ready,
        "at": timezone.now(),
    }
    return render(request, "consent/imports/list.jinja", context | _may(request))


@csrf_exempt
@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.UPLOAD_IMPORT)
def new(request: CareRequest) -> HttpResponse:
    """The form for a file. The limit of its size is set before anything reads the request, so the
    token of the form is looked for here and not before."""
    limit = SizeLimit(request)
    if request.method == "POST":
        request.upload_handlers.insert(0, limit)

    @csrf_protect
    def answer(_: HttpRequest) -> HttpResponse:
        return _upload(request, limit)

    return answer(request)


def _upload(request: CareRequest, limit: SizeLimit) -> HttpResponse:
    if request.method != "POST":
        return _form_page(request, UploadForm())
    files = request.FILES
    form = UploadForm(request.POST, files, too_large=limit.exceeded)
    if not form.is_valid():
        return _form_page(request, form)
    at, file = timezone.now(), form.cleaned_data["file"]
    try:
        made = stage(
            practice=practice_of(request),
            kind=form.chosen,
            file=file.file,
            name=file.name,
            limits=BY_BROWSER,
            by=request.user,
            at=at,
        )
    except FileRefused as refusal:
        form.add_error("file", str(refusal))
        return _form_page(request, form)
    access.record(request, IMPORTED, detail=f"{made.kind.lower()}, uploaded", rows=made.total)
    if made.total <= AT_ONCE:
        check(import_id=made.pk, at=at)
    else:
        actions.ring_for_check(made)
    return _to(made)


def _form_page(request: CareRequest, form: UploadForm) -> HttpResponse:
    kinds = [(kind, LAYOUTS[kind]) for kind in ImportKind]
    return render(request, "consent/imports/new.jinja", {"form": form, "kinds": kinds})


@require_safe
@requires(Permission.SEE_IMPORTS)
def import_page(request: CareRequest, public_id: uuid.UUID) -> HttpResponse:
    """What the file would do, or what became of it; a part of the page while it is under way."""
    made = _import(request, public_id)
    context = _page_of(request, made)
    if request.htmx:
        return render(request, "consent/imports/part.jinja", context)
    shown = len(context["bad"]) + len(context["changes"])
    if shown:
        access.record(request, AccessEvent.Kind.LISTED, detail="rows of an import", rows=shown)
    return render(request, "consent/imports/import.jinja", context)


def _page_of(request: CareRequest, made: Import, refusal: str = "") -> dict[str, Any]:
    at = timezone.now()
    is_ready = made.state == ImportState.READY
    why_not = approval.fault(actions.proposal(made, request.user, at), permissions_of(request))
    return {
        "made": made,
        "kind": ImportKind(made.kind),
        "tag": pages.standing(made),
        "headline": pages.headline(made),
        "under_way": pages.is_under_way(made),
        "progress": pages.progress(made),
        "poll": _poll(request, made),
        "paused": pages.is_under_way(made) and not doorbell.answers(),
        "bad": pages.bad_rows(made),
        "changes": pages.changes(made) if is_ready else [],
        "is_ready": is_ready,
        "why_not": why_not,
        "refusal": refusal,
        "undo_until": pages.undo_until(made, at),
        "facts": pages.facts(made),
        "at": at,
        **_may(request),
    }


def _poll(request: CareRequest, made: Import) -> str:
    """What the page asks in a second, or nothing: it ends by itself, to let the session end."""
    asked = request.GET.get("asked", "")
    number = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 5 else 0
    if not pages.is_under_way(made) or number >= pages.MOST_POLLS:
        return ""
    return f"{reverse('imports:import', args=[made.public_id])}?asked={number + 1}"


@require_POST
@requires(Permission.APPLY_IMPORT)
def approve(request: CareRequest, public_id: uuid.UUID) -> HttpResponse:
    """Applies it: at once if it is small, else a worker does."""
    made, at = _import(request, public_id), timezone.now()
    try:
        approved = actions.approve(made=made, by=request.user, may=permissions_of(request), at=at)
    except ImportRefused as refusal:
        return _refused(request, made, refusal)
    if made.state == ImportState.READY:  # else it was approved before
        access.record(request, IMPORTED, detail=f"{made.kind.lower()}, approved", rows=made.writes)
    if made.writes <= AT_ONCE:
        _work(approved)
    return _to(made)


@require_POST
@requires(Permission.SEE_IMPORTS)
def cancel(request: CareRequest, public_id: uuid.UUID) -> HttpResponse:
    """Deletes the upload."""
    made = _import(request, public_id)
    try:
        actions.cancel(made=made, by=request.user, at=timezone.now())
    except ImportRefused as refusal:
        return _refused(request, made, refusal)
    access.record(request, IMPORTED, detail=f"{made.kind.lower()}, cancelled", rows=made.total)
    flash.success(request, "The upload was cancelled and deleted. Nothing was changed.")
    return redirect("imports:list")


@require_POST
@requires(Permission.APPLY_IMPORT)
def undo(request: CareRequest, public_id: uuid.UUID) -> HttpResponse:
    """Takes back what it recorded."""
    made = _import(request, public_id)
    try:
        actions.undo(made=made, by=request.user, at=timezone.now())
    except ImportRefused as refusal:
        return _refused(request, made, refusal)
    access.record(request, IMPORTED, detail=f"{made.kind.lower()}, undone", rows=made.writes)
    if made.writes <= AT_ONCE:
        _work(made)
    return _to(made)


@require_safe
@requires(Permission.SEE_IMPORTS)
def errors(request: CareRequest, public_id: uuid.UUID) -> StreamingHttpResponse:
    """The rows that could not be used, with the reason, to be mended and sent in again."""
    made = _import(request, public_id)
    rows = made.rows.filter(verdict=RowVerdict.BAD).order_by("number")
    access.record(request, AccessEvent.Kind.EXPORTED, detail="rows of an import", rows=made.bad)
    told = rows.values_list("number", "cells", "problem").iterator(chunk_size=2000)
    answer = StreamingHttpResponse(error_file(made.heading, told), content_type=blank_files.CSV)
    answer["Content-Disposition"] = f'attachment; filename="{made.kind.lower()}-errors.csv"'
    return answer


@require_safe
@requires(Permission.UPLOAD_IMPORT)
def template(request: CareRequest, kind: ImportKind, form: str) -> HttpResponse:
    """An empty file with the heading of a kind."""
    is_csv = form == "csv"
    content = blank_files.blank_csv(kind) if is_csv else blank_files.blank_xlsx(kind)
    answer = HttpResponse(content, content_type=blank_files.CSV if is_csv else blank_files.XLSX)
    answer["Content-Disposition"] = f'attachment; filename="{kind.lower()}.{form}"'
    return answer


def _work(made: Import) -> None:
    if made.run:
        bulk_runs.work(made.run.public_id, database_clock.now)
    else:
        register(import_id=made.pk, at=database_clock.now())


def _refused(request: CareRequest, made: Import, refusal: ImportRefused) -> HttpResponse:
    made.refresh_from_db()
    context = _page_of(request, made, str(refusal))
    return render(request, "consent/imports/import.jinja", context, status=400)


def _import(request: CareRequest, public_id: uuid.UUID) -> Import:
    """An import of the user's own practice; for anybody else's it does not exist."""
    practice: Any = practice_of(request)
    known = practice.imports.select_related("run", "uploaded_by", "approved_by", "practice")
    try:
        return known.get(public_id=public_id)
    except Import.DoesNotExist:
        raise Http404 from None


def _to(made: Import) -> HttpResponseRedirect:
    return redirect("imports:import", made.public_id)


def _may(request: CareRequest) -> dict[str, bool]:
    return {
        "may_upload": request.can(Permission.UPLOAD_IMPORT),
        "may_apply": request.can(Permission.APPLY_IMPORT),
    }
