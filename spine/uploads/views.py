"""Uploads of the user's own practice and what became of each. Reading only."""

import uuid

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from carerecords.access import check, record, requires
from carerecords.middleware import CareRequest
from carerecords.models import AccessEvent, JobKind, JobState, Practice
from carerecords.permissions import Permission
from consent.patient_door import asks_reason
from spine.models import StoreCopy
from spine.reasons import Reason
from spine.uploads.backlog import outlook_of
from spine.uploads.copy_age import copy_age
from spine.uploads.endings import Ending
from spine.uploads.queries import PERIODS, UploadFilters, last_receipt_at, upload_record, uploads_page
from spine.uploads.steps import RUN_CANCELLED, may_cancel, why_not_again
from spine.uploads.timeline import check_words, headline, receipt_words, timeline


@require_safe
@requires(Permission.SEE_UPLOADS)
def uploads(request: CareRequest) -> HttpResponse:
    """The practice's uploads, newest first."""
    practice = _practice(request)
    names = ("state", "kind", "reason", "latest", "run", "days", "ended")
    filters = UploadFilters.of(*(request.GET.get(name, "") for name in names))
    page = uploads_page(practice, filters, _uuid(request.GET.get("before")))
    record(request, AccessEvent.Kind.LISTED, detail="uploads", rows=len(page.jobs))
    address = reverse("spine:uploads")
    query = filters.as_query()
    older = query | {"before": str(page.before)}
    at = timezone.now()
    queue, outlook = outlook_of(practice, at)
    context = {
        "page": page,
        "filters": filters,
        "chips": _chips(filters),
        "states": JobState,
        "kinds": JobKind,
        "reasons": Reason,
        "periods": PERIODS,
        "endings": Ending,
        "address": address,
        "here": request.get_full_path(),
        "first_url": f"{address}?{urlencode(query)}" if query else address,
        "is_first": "before" not in request.GET,
        "next_url": f"{address}?{urlencode(older)}" if page.before else None,
        "last_receipt_at": None if page.jobs else last_receipt_at(practice),
        "receipt_words": receipt_words,
        "check_words": check_words,
        "headline": headline,
        "queue": queue,
        "outlook": outlook,
        "at": at,
        "permissions": Permission,
    }
    return render(request, "spine/uploads.jinja", context)


@require_safe
@requires(Permission.SEE_UPLOADS)
def upload(request: CareRequest, public_id: uuid.UUID) -> HttpResponse:
    """One upload: every check with its reasons, every send, every answer."""
    found = upload_record(_practice(request), public_id)
    if found is None:
        raise Http404
    patient = found.job.patient
    if patient.is_sensitive:
        check(request, Permission.OPEN_SENSITIVE_RECORD, patient=patient)
        if asks_reason(request, patient):
            return redirect("consent:reason", patient.public_id)
    record(request, AccessEvent.Kind.VIEWED, patient=patient, detail="upload")
    at = timezone.now()
    today = timezone.localdate(at)
    may_retry = request.can(Permission.RETRY_UPLOAD)
    why_not = why_not_again(found.job) if may_retry else ""
    context = {
        "job": found.job,
        "copy_age": copy_age(StoreCopy.objects.filter(patient=patient).first(), today),
        "sends": len(found.left),
        "lines": timeline(found),
        "headline": headline,
        "at": at,
        "today": today,
        "may_try_again": may_retry and not why_not,
        "run_cancelled": RUN_CANCELLED if why_not == RUN_CANCELLED else "",
        "may_cancel": may_retry and may_cancel(found.job),
    }
    return render(request, "spine/upload.jinja", context)


def _practice(request: CareRequest) -> Practice:
    if request.practice is None:
        raise Http404
    return request.practice


def _uuid(text: str | None) -> uuid.UUID | None:
    """An address that was cut or typed wrong shows the first page."""
    try:
        return uuid.UUID(text or "")
    except ValueError:
        return None


def _chips(filters: UploadFilters) -> list[tuple[str, str, str]]:
    """Each filter in force, its value, and the address of the list without it."""
    query, address = filters.as_query(), reverse("spine:uploads")
    return [
        (name, value, f"{address}?{urlencode({key: one for key, one in query.items() if key != name})}")
        for name, value in query.items()
    ]
