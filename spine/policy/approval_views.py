"""Deciding on a change of policy: approving what somebody else sent, rejecting it, or giving it up."""

import time
import uuid
from collections.abc import Callable
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods

from boycott.actions import ChangeRefused
from boycott.approvals import Approved, approve_change, reject_change
from boycott.change_forms import ApprovalForm, CommentForm
from boycott.change_states import Step
from boycott.dossier import Dossier
from boycott.drafting import cancel_change
from boycott.positions import Position
from boycott.steps import check_state
from carerecords import confirmation, drafts, flash
from carerecords.access import requires
from carerecords.confirmation import NotConfirmed
from carerecords.formats import nhs_datetime
from carerecords.middleware import CareRequest
from carerecords.permissions import Permission
from spine.policy.change_page import change_page
from spine.policy.views import back, get_change, show_change


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.APPROVE_POSITION)
def change_approve(request: CareRequest, public_id: uuid.UUID) -> HttpResponse:
    """The effect computed afresh, the phrase, a comment. Asks for the password where it was long ago."""
    found = get_change(public_id)
    name = f"approval-{public_id}"
    try:
        check_state(found, Step.APPROVED, timezone.now())
    except ChangeRefused as refusal:
        return back(request, found, refusal)
    if request.user.pk in found.authors:
        return show_change(request, found, "You cannot approve your own change")
    if request.method != "POST":
        if not _is_confirmed(request):
            return _ask_again(request)
        kept = drafts.read(request, name)
        drafts.drop(request, name)
        return _approval_page(request, found, kept=kept.values if kept else None)
    try:
        return _approve(request, found)
    except NotConfirmed:
        drafts.keep(request, name, {"comment": request.POST.get("comment", "")})
        return _ask_again(request)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.APPROVE_POSITION)
def change_reject(request: CareRequest, public_id: uuid.UUID) -> HttpResponse:
    """Sends it back with a reason."""
    return _decide(request, public_id, reject_change, Step.REJECTED, "The change is rejected.")


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.CHANGE_POSITION)
def change_cancel(request: CareRequest, public_id: uuid.UUID) -> HttpResponse:
    """Gives it up for good."""
    return _decide(request, public_id, cancel_change, Step.CANCELLED, "The change is cancelled.")


def _approve(request: CareRequest, found: Dossier) -> HttpResponse:
    at, began = timezone.now(), time.monotonic()
    page = change_page(found, request.user, request.role, at)
    form = ApprovalForm(request.POST, asked=page.effect.phrase if page.effect else None)
    if not form.is_valid():
        return _approval_page(request, found, form)
    try:
        done = approve_change(
            change=found.change,
            seen=request.POST.get("seen", ""),
            phrase=form.cleaned_data.get("phrase", ""),
            comment=form.cleaned_data["comment"],
            confirmed=confirmation.by_log_in(request, request.user),
            by=request.user,
            at=at,
            began=began,
        )
    except ChangeRefused as refusal:
        if refusal.field == "state":
            return back(request, found, refusal)
        form.add_error(refusal.field if refusal.field in form.fields else None, str(refusal))
        return _approval_page(request, get_change(found.change.public_id), form)
    flash.success(request, _done(done))
    return redirect("boycott:policy")


def _approval_page(
    request: CareRequest, found: Dossier, form: ApprovalForm | None = None, kept: Any = None
) -> HttpResponse:
    page = change_page(found, request.user, request.role, timezone.now())
    asked = page.effect.phrase if page.effect else None
    form = form or ApprovalForm(asked=asked, initial=kept)
    return render(request, "spine/change_approve.jinja", {"page": page, "found": found, "form": form})


def _is_confirmed(request: CareRequest) -> bool:
    confirmed = confirmation.by_log_in(request, request.user)
    return confirmed is not None and confirmed.holds(request.user, timezone.now())


def _ask_again(request: CareRequest) -> HttpResponse:
    """To the page that asks for the password, and back here from there."""
    return redirect(f"{reverse('account_reauthenticate')}?{urlencode({'next': request.path})}")


def _done(done: Approved) -> str:
    position = Position(done.revision.position)
    if done.dossier.content.starts_at is not None:
        return f"Approved. “{position.label}” starts on {nhs_datetime(done.revision.effective_from)}."
    if position is Position.NON_COOPERATION:
        return f"The BMA boycott has started. {done.quiet.sentence}"
    return f"The position is now: {position.label}. It holds for every upload from now on."


def _decide(
    request: CareRequest, public_id: uuid.UUID, verb: Callable[..., Dossier], kind: Step, said: str
) -> HttpResponse:
    found, at = get_change(public_id), timezone.now()
    form = CommentForm(request.POST if request.method == "POST" else None)
    try:
        check_state(found, kind, at)
        if request.method == "POST" and form.is_valid():
            verb(change=found.change, comment=form.cleaned_data["comment"], by=request.user, at=at)
            flash.success(request, said)
            return redirect("spine:change", public_id)
    except ChangeRefused as refusal:
        return back(request, found, refusal)
    context = {"form": form, "found": found, "cancels": kind is Step.CANCELLED}
    return render(request, "spine/change_decide.jinja", context)
