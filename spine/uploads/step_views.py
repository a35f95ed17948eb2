"""Work lists of uploads that went wrong, and the doors to try again or cancel."""

import uuid
from collections.abc import Callable
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from carerecords import flash
from carerecords.access import check, requires
from carerecords.middleware import CareRequest
from carerecords.models import Practice, UploadJob
from carerecords.permissions import Permission
from spine.uploads import steps as upload_steps
from spine.uploads.problems import DIFFERS, cause_of, problems_of
from spine.uploads.steps import MOST_AT_ONCE, StepRefused


@require_safe
@requires(Permission.SEE_UPLOAD_PROBLEMS)
def problems(request: CareRequest) -> HttpResponse:
    """What went wrong at the practice, by cause; for the programme, anywhere. Counts only."""
    context = {
        "groups": problems_of(request.practice),
        "differs": DIFFERS,
        "may_retry": request.can(Permission.RETRY_UPLOAD),
        "at": timezone.now(),
        "here": request.get_full_path(),
    }
    return render(request, "spine/problems.jinja", context)


@require_POST
@requires(Permission.RETRY_UPLOAD)
def try_all_again(request: CareRequest) -> HttpResponse:
    """Tries again what failed for one cause."""
    cause = cause_of(request.POST.get("cause", ""), request.POST.get("kind", ""))
    if cause is not None and cause.kind is not None:
        tried = upload_steps.try_all_again(
            request.practice,
            kind=cause.kind,
            reason=cause.reason.code,
            by=request.user,
            at=timezone.now(),
        )
        more = f" At most {MOST_AT_ONCE:,} go at once." if tried >= MOST_AT_ONCE else ""
        told = "is tried again. It is" if tried == 1 else "are tried again. Each is"
        if tried:
            flash.success(request, f"{tried:,} {told} checked again before it is sent.{more}")
        else:
            flash.notice(request, "None is tried again. Nothing of this cause is left that could be.")
    return redirect("spine:problems")


@require_POST
@requires(Permission.RETRY_UPLOAD)
def try_again(request: CareRequest, public_id: uuid.UUID) -> HttpResponse:
    """Makes one upload due now."""
    return _step(
        request,
        public_id,
        upload_steps.try_again,
        "It is tried again. It is checked again before it is sent.",
    )


@require_POST
@requires(Permission.RETRY_UPLOAD)
def cancel(request: CareRequest, public_id: uuid.UUID) -> HttpResponse:
    """Ends one upload."""
    return _step(
        request,
        public_id,
        upload_steps.cancel,
        "The upload is cancelled. What the patient decided stays as it is.",
    )


def _step(request: CareRequest, public_id: uuid.UUID, verb: Callable[..., Any], done: str) -> HttpResponse:
    job = UploadJob.objects.filter(practice=_practice(request), public_id=public_id)
    found = job.select_related("patient").first()
    if found is None:
        raise Http404
    if found.patient.is_sensitive:
        check(request, Permission.OPEN_SENSITIVE_RECORD, patient=found.patient)
    try:
        verb(found, by=request.user, at=timezone.now())
        flash.success(request, done)
    except StepRefused as refusal:
        flash.notice(request, f"{refusal}.")
    return redirect("spine:upload", public_id)


def _practice(request: CareRequest) -> Practice:
    if request.practice is None:
        raise Http404
    return request.practice
