"""The emergency stop: one national admin stops, another resumes."""

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from carerecords import flash
from carerecords.access import requires
from carerecords.middleware import CareRequest
from carerecords.permissions import Permission
from spine.actions import StopRefused, may_resume, resume_uploads, stop_uploads
from spine.forms import ResumeForm, StopForm
from spine.queries import stop_history, uploads_under_way
from spine.standing import latest_stop


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.STOP_UPLOADS)
def stop(request: CareRequest) -> HttpResponse:
    """What stands, and the one thing that can be done about it.

    The form says which of the two was meant, so that a doubled press or a stale page cannot do the
    opposite.
    """
    if request.method == "POST":
        return _stop(request) if request.POST.get("do") == "stop" else _resume(request)
    return _page(request)


def _stop(request: CareRequest) -> HttpResponse:
    form = StopForm(request.POST)
    if form.is_valid():
        try:
            silence = stop_uploads(reason=form.cleaned_data["reason"], by=request.user, at=timezone.now())
        except StopRefused as refusal:
            return _refused(request, refusal, form)
        flash.success(request, f"All uploads are stopped. {silence.sentence}")
        return redirect("spine:stop")
    return _page(request, form)


def _resume(request: CareRequest) -> HttpResponse:
    form = ResumeForm(request.POST)
    if form.is_valid():
        try:
            resume_uploads(reason=form.cleaned_data["reason"], by=request.user, at=timezone.now())
        except StopRefused as refusal:
            return _refused(request, refusal, form)
        flash.success(request, "Uploads run again. Every held upload is looked at afresh.")
        return redirect("spine:stop")
    return _page(request, form)


def _refused(request: CareRequest, refusal: StopRefused, form: StopForm) -> HttpResponse:
    form.add_error(refusal.field or None, str(refusal))
    return _page(request, form)


def _page(request: CareRequest, form: StopForm | None = None) -> HttpResponse:
    standing = latest_stop()
    stopped = bool(standing and standing.stopped)
    context = {
        "standing": standing,
        "stopped": stopped,
        "may_resume": standing is not None and may_resume(standing, request.user),
        "form": form or (ResumeForm() if stopped else StopForm()),
        "under_way": uploads_under_way(),
        "history": stop_history(),
    }
    return render(request, "spine/stop.jinja", context)
