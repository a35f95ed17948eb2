"""Motions: everybody reads them, policy admins record them and what became of them."""

import dataclasses
import uuid

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from boycott.actions import ChangeRefused
from boycott.models import MotionRevision
from boycott.motion_forms import MotionForm
from boycott.motion_queries import revisions_of, standing_motions
from boycott.motions import content_of, record_motion, revise_motion
from boycott.queries import in_force_on_motion
from carerecords import flash
from carerecords.access import requires
from carerecords.middleware import CareRequest
from carerecords.permissions import Permission


@require_safe
@requires(Permission.SEE_POLICY)
def motions(request: CareRequest) -> HttpResponse:
    """All motions as they stand."""
    context = {"motions": standing_motions(), "Permission": Permission}
    return render(request, "boycott/motions.jinja", context)


@require_safe
@requires(Permission.SEE_POLICY)
def motion(request: CareRequest, motion_id: uuid.UUID) -> HttpResponse:
    """One motion with its full wording and every revision."""
    revisions = _revisions(motion_id)
    context = {
        "motion": revisions[0],
        "revisions": revisions,
        "positions": in_force_on_motion(motion_id, timezone.now()),
        "Permission": Permission,
    }
    return render(request, "boycott/motion.jinja", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.CHANGE_POSITION)
def motion_new(request: CareRequest) -> HttpResponse:
    """A motion that is not recorded yet."""
    form = MotionForm(request.POST if request.method == "POST" else None, revises=False)
    if request.method == "POST" and form.is_valid():
        try:
            made = record_motion(content=form.content(), by=request.user, at=timezone.now())
        except ChangeRefused as refusal:
            _show(form, refusal)
        else:
            flash.success(request, "The motion is recorded.")
            return redirect("boycott:motion", made.motion)
    return render(request, "boycott/motion_form.jinja", {"form": form, "motion": None})


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.CHANGE_POSITION)
def motion_edit(request: CareRequest, motion_id: uuid.UUID) -> HttpResponse:
    """What became of a motion, or a correction."""
    latest = _revisions(motion_id)[0]
    initial = dataclasses.asdict(content_of(latest))
    form = MotionForm(request.POST if request.method == "POST" else None, revises=True, initial=initial)
    if request.method == "POST" and form.is_valid():
        seen = request.POST.get("seen", "")
        try:
            revise_motion(
                motion=motion_id,
                content=form.content(),
                reason=form.cleaned_data["reason"],
                seen=int(seen) if seen.isdecimal() else 0,
                by=request.user,
                at=timezone.now(),
            )
        except ChangeRefused as refusal:
            _show(form, refusal)
        else:
            flash.success(request, "The motion is changed. Changes of policy that rest on it are suspended.")
            return redirect("boycott:motion", motion_id)
    context = {"form": form, "motion": latest}
    return render(request, "boycott/motion_form.jinja", context)


def _revisions(motion_id: uuid.UUID) -> list[MotionRevision]:
    found = revisions_of(motion_id)
    if not found:
        raise Http404
    return found


def _show(form: MotionForm, refusal: ChangeRefused) -> None:
    form.add_error(refusal.field if refusal.field in form.fields else None, str(refusal))
