"""The emergency stop: one national admin stops, a second reviews, two together resume."""

from collections.abc import Callable, Mapping
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods

from carerecords import confirmation, drafts, flash, quiet
from carerecords.access import requires
from carerecords.confirmation import NotConfirmed
from carerecords.middleware import CareRequest
from carerecords.models import Quieted
from carerecords.permissions import Permission
from spine.policy.actions import (
    StopRefused,
    agree_to_resume,
    ask_to_resume,
    decline_to_resume,
    review_stop,
    stop_uploads,
)
from spine.policy.forms import QUESTIONS, StopForm
from spine.policy.stopping import Stopping, stop_history, stopping
from spine.uploads.queries import uploads_under_way

DRAFT = "agree-to-resume"


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.STOP_UPLOADS)
def stop(request: CareRequest) -> HttpResponse:
    """What stands, and what this person can do about it.

    Each form says what was meant, so that a doubled press or a stale page cannot do the opposite.
    """
    if request.method != "POST":
        return _page(request)
    does = request.POST.get("do", "")
    if does not in _DONE:
        return _page(request)
    form = StopForm(request.POST, does=does)
    if form.is_valid():
        try:
            flash.success(request, _DONE[does](request, form.cleaned_data["reason"]))
            return redirect("spine:stop")
        except NotConfirmed:
            drafts.keep(request, DRAFT, {"reason": form.cleaned_data["reason"]})
            return redirect(f"{reverse('account_reauthenticate')}?{urlencode({'next': request.path})}")
        except StopRefused as refusal:
            form.add_error(refusal.field or None, str(refusal))
    return _page(request, {does: form})


def _stop(request: CareRequest, reason: str) -> str:
    silence = stop_uploads(reason=reason, by=request.user, at=timezone.now())
    return f"All uploads are stopped. {silence.sentence}"


def _review(request: CareRequest, reason: str) -> str:
    review_stop(note=reason, by=request.user, at=timezone.now())
    return "The stop is reviewed. It goes on until two people resume uploads."


def _ask(request: CareRequest, reason: str) -> str:
    ask_to_resume(reason=reason, by=request.user, at=timezone.now())
    return "You asked to resume uploads. They stay stopped until another national admin agrees."


def _decline(request: CareRequest, reason: str) -> str:
    decline_to_resume(note=reason, by=request.user, at=timezone.now())
    return "Uploads stay stopped."


def _agree(request: CareRequest, reason: str) -> str:
    confirmed = confirmation.by_log_in(request, request.user)
    agree_to_resume(note=reason, confirmed=confirmed, by=request.user, at=timezone.now())
    drafts.drop(request, DRAFT)
    return "Uploads run again. Every held upload is looked at afresh."


_DONE: Mapping[str, Callable[[CareRequest, str], str]] = {
    "stop": _stop,
    "review": _review,
    "ask": _ask,
    "decline": _decline,
    "agree": _agree,
}


def _page(request: CareRequest, sent: Mapping[str, StopForm] | None = None) -> HttpResponse:
    now, at = stopping(), timezone.now()
    kept = drafts.read(request, DRAFT)
    initial = {"agree": dict(kept.values)} if kept else {}
    unsent = {does: StopForm(does=does, initial=initial.get(does)) for does in QUESTIONS}
    may = _may(request, now)
    sent = dict(sent or {})
    context: dict[str, Any] = {
        "now": now,
        "at": at,
        "overdue": now is not None and now.is_overdue(at),
        "may": may,
        "forms": unsent | sent,
        # What was sent and cannot be done any more still says why.
        "problem": next(iter(sent.values()), None),
        "under_way": uploads_under_way(),
        "history": stop_history(),
        "quiet": quiet.told_of(Quieted.Kind.STOP, now.stop.pk, request.practice) if now else None,
    }
    return render(request, "spine/stop.jinja", context)


def _may(request: CareRequest, now: Stopping | None) -> list[str]:
    """What this person can do, the likeliest first."""
    if now is None:
        return ["stop"]
    may = []
    if now.may_agree(request.user):
        may.append("agree")
    if now.may_review(request.user):
        may.append("review")
    may.append("decline" if now.asked else "ask")
    return may
