"""The patient list as others write it, drawn with the product's own components and columns."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from carerecords.models import Patient

SIZE = 50


def n_plus_one(request: HttpRequest) -> HttpResponse:
    """As it is written first: each row asks for its GP, its newest job and its newest decision."""
    patients = _patients(request)
    return _drawn(request, patients[:SIZE], patients.count(), lambda rows: rows.order_by("-pk").first())


def paginator(request: HttpRequest) -> HttpResponse:
    """As a careful developer writes it: related rows fetched with the page, Django's own paginator."""
    patients = _patients(request).select_related("usual_gp").prefetch_related("upload_jobs", "consent_events")
    page = Paginator(patients, SIZE).get_page(request.GET.get("page"))
    newest = partial(max, key=lambda row: row.pk, default=None)
    return _drawn(request, page.object_list, page.paginator.count, lambda rows: newest(rows.all()))


def _patients(request: HttpRequest) -> Any:
    practice = request.practice  # type: ignore[attr-defined]
    here = Patient.objects.filter(practice=practice, left_on__isnull=True, died_on__isnull=True)
    return here.order_by("family_name", "given_name", "id")


def _drawn(request: HttpRequest, patients: Any, total: int, newest: Callable[[Any], Any]) -> HttpResponse:
    context = {"patients": patients, "total": total, "newest": newest}
    return render(request, "peers/list.jinja", context)
