"""Motions: everybody reads them, policy admins record them and what became of them."""

import dataclasses
import datetime
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
from boycott.surveys.door import visible
from boycott.surveys.queries import Results, results_about
from carerecords import access, flash
from carerecords.access import requires
from carerecords.middleware import CareRequest
from carerecords.models import AccessEvent
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
    """One motion with its full wording, the meeting's vote, what GPs answered beside it, and every revision."""
    revisions, at = _revisions(motion_id), timezone.now()
    context = {
        "motion": revisions[0],
        "revisions": revisions,
        "positions": in_force_on_motion(motion_id, at),
        "asked": _asked(request, motion_id, at),
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


def _asked(request: CareRequest, motion_id: uuid.UUID, at: datetime.datetime) -> list[Results]:
    """What GPs answered about it, as far as the reader may see results. Each look at one is logged."""
    if not request.can(Permission.SEE_SURVEYS):
        return []
    found = results_about(motion_id, visible(request, at), at)
    for one in found:
        access.record(request, AccessEvent.Kind.RESULTS, detail=str(one.standing.survey.public_id))
    return found


def _revisions(motion_id: uuid.UUID) -> list[MotionRevision]:
    found = revisions_of(motion_id)
    if not found:
        raise Http404
    return found


def _show(form: MotionForm, refusal: ChangeRefused) -> None:
    form.add_error(refusal.field if refusal.field in form.fields else None, str(refusal))
