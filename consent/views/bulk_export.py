"""Taking selected patients, or the results of a run, out of the service in a file."""

import uuid
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from django.http import Http404, HttpResponseBase, QueryDict
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from carerecords import access, csv_export
from carerecords.access import requires
from carerecords.formats import count
from carerecords.middleware import CareRequest
from carerecords.models import AccessEvent
from carerecords.permissions import Permission
from consent import bulk_pages
from consent.bulk_forms import ExportForm, ExportReason
from consent.views.patients import draw_list
from consent.views.permitted import practice_of
from consent.views.selection import selected

Lines = Iterable[Sequence[object]]


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.EXPORT_PATIENTS)
def selection(request: CareRequest) -> HttpResponseBase:
    """The selected patients of the list, once a reason is given."""
    if request.method != "POST":
        return redirect("consent:list")
    chosen = selected(request)
    if problem := chosen.problem:
        return draw_list(request, chosen.query, problem=problem, ticked=chosen.ticked)
    form = ExportForm(_answers(request))
    if not form.is_valid():
        context = {"form": form, "selection": chosen, "total": chosen.count}
        return render(request, "consent/bulk_export.jinja", context)
    reason = ExportReason(form.cleaned_data["reason"])
    patients = chosen.patients.select_related("usual_gp").iterator(chunk_size=2000)
    _log(request, "patients", reason, chosen.count)
    about = _about(request, "Patients", chosen.chosen, reason, chosen.count)
    return _file("patients", chain(about, bulk_pages.patient_lines(patients)))


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.EXPORT_PATIENTS)
def results(request: CareRequest, public_id: uuid.UUID) -> HttpResponseBase:
    """What became of each patient of a run, once a reason is given."""
    run = bulk_pages.run_of(practice_of(request), public_id)
    if run is None:
        raise Http404
    form = ExportForm(_answers(request))
    if not form.is_valid():
        context = {"form": form, "run": run, "total": run.total}
        return render(request, "consent/bulk_export.jinja", context)
    reason = ExportReason(form.cleaned_data["reason"])
    _log(request, f"run {run.public_id}", reason, run.total)
    about = _about(request, f"Results: {run.get_kind_display()}", run.chosen, reason, run.total)
    may_open = request.can(Permission.OPEN_SENSITIVE_RECORD)
    return _file("results", chain(about, bulk_pages.result_lines(run, may_open=may_open)))


def _answers(request: CareRequest) -> QueryDict | None:
    """None shows the question without an error."""
    return request.POST if request.method == "POST" and "answers" in request.POST else None


def _log(request: CareRequest, what: str, reason: ExportReason, rows: int) -> None:
    access.record(request, AccessEvent.Kind.EXPORTED, detail=f"{what}, {reason.value}", rows=rows)


def _about(
    request: CareRequest, title: str, chosen: str, reason: ExportReason, rows: int
) -> Iterator[Sequence[object]]:
    """The first lines of every file: what it is, whose, and what was in force."""
    practice = practice_of(request)
    return bulk_pages.about_lines(
        {
            "About": title,
            "Practice": f"{practice.name} ({practice.ods_code})",
            "How they were chosen": chosen,
            "Upload policy": render_to_string("consent/policy_line.jinja", request=request).strip(),
            "Made by": request.user.name,
            "Made at": timezone.localtime().isoformat(timespec="seconds"),
            "Reason": reason.label,
            "Patients": count(rows),
            "Note": "Contains patient information",
        }
    )


def _file(name: str, rows: Lines) -> HttpResponseBase:
    return csv_export.response(f"{name}-{timezone.localdate():%Y-%m-%d}.csv", rows)
