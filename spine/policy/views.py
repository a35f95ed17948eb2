"""Changes of policy: writing them, seeing what they would do, sending them for approval."""

import uuid
from typing import Any

from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from boycott.actions import ChangeRefused
from boycott.change_forms import NEW_LINE, ChangeForm, empty, initial_of
from boycott.change_states import UNSETTLED
from boycott.dossier import Dossier, dossier_of
from boycott.drafting import draft_change, edit_change, submit_change
from boycott.lines import Line, line_to_begin, lines
from boycott.measured_change import revisions_as_if_now
from boycott.motion_queries import standing_motions
from boycott.scopes import regions
from carerecords import csv_export, flash
from carerecords.access import requires
from carerecords.middleware import CareRequest
from carerecords.permissions import Permission
from spine.policy.change_page import change_page
from spine.policy.impact import impact_of
from spine.policy.impact_table import practice_rows


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.CHANGE_POSITION)
def change_new(request: CareRequest) -> HttpResponse:
    """A new change, as a draft."""
    at = timezone.now()
    known = lines(at)
    form = _form(request, known, empty(timezone.localdate(at)))
    if request.method == "POST" and form.is_valid():
        chosen = form.cleaned_data.get("line", NEW_LINE)
        line = line_to_begin() if chosen == NEW_LINE else uuid.UUID(chosen)
        try:
            made = draft_change(line=line, content=form.content(), by=request.user, at=at)
        except ChangeRefused as refusal:
            show(form, refusal)
        else:
            flash.success(request, "The draft is saved. Nothing takes effect before it is approved.")
            return redirect("spine:change", made.change.public_id)
    return render(request, "spine/change_form.jinja", {"form": form, "found": None})


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.CHANGE_POSITION)
def change_edit(request: CareRequest, public_id: uuid.UUID) -> HttpResponse:
    """Writes a change again. Whatever was sent or approved before is void."""
    found, at = get_change(public_id), timezone.now()
    form = _form(request, None, initial_of(found.content, timezone.localdate(at)))
    if request.method == "POST" and form.is_valid():
        try:
            edit_change(
                change=found.change,
                content=form.content(),
                seen=request.POST.get("seen", ""),
                by=request.user,
                at=at,
            )
        except ChangeRefused as refusal:
            if refusal.field == "state":
                return back(request, found, refusal)
            show(form, refusal)
        else:
            flash.success(request, "The draft is saved. Whatever was sent or approved before is void.")
            return redirect("spine:change", public_id)
    seen = request.POST.get("seen") or found.fingerprint
    return render(request, "spine/change_form.jinja", {"form": form, "found": found, "seen": seen})


@require_safe
@requires(Permission.SEE_POLICY_CHANGES)
def change(request: CareRequest, public_id: uuid.UUID) -> HttpResponse:
    """A change with its effect as it would be now, and every step."""
    return show_change(request, get_change(public_id))


@require_safe
@requires(Permission.SEE_POLICY_CHANGES)
def change_practices(request: CareRequest, public_id: uuid.UUID) -> StreamingHttpResponse:
    """Every practice where a change would alter anything, measured now. 404 where it is settled."""
    found, at = get_change(public_id), timezone.now()
    if found.state(at) not in UNSETTLED:
        raise Http404
    practices = impact_of(revisions_as_if_now(found, at), at).by_practice
    name = f"practices-affected-{timezone.localtime(at):%Y-%m-%d-%H%M}.csv"
    return csv_export.response(name, practice_rows(practices))


@require_POST
@requires(Permission.CHANGE_POSITION)
def change_submit(request: CareRequest, public_id: uuid.UUID) -> HttpResponse:
    """Sends what was seen for approval."""
    found = get_change(public_id)
    try:
        submit_change(
            change=found.change, seen=request.POST.get("seen", ""), by=request.user, at=timezone.now()
        )
    except ChangeRefused as refusal:
        return show_change(request, get_change(public_id), str(refusal))
    flash.success(request, "The change is sent. Another policy admin or a national admin can approve it.")
    return redirect("spine:change", public_id)


def get_change(public_id: uuid.UUID) -> Dossier:
    """The change of that id, or 404."""
    found = dossier_of(public_id)
    if found is None:
        raise Http404
    return found


def show_change(request: CareRequest, found: Dossier, problem: str = "") -> HttpResponse:
    """The page of one change, with what stood in the way of the last try."""
    page = change_page(found, request.user, request.role, timezone.now())
    context: dict[str, Any] = {"page": page, "found": found, "problem": problem, "Permission": Permission}
    return render(request, "spine/change.jinja", context)


def back(request: CareRequest, found: Dossier, refusal: ChangeRefused) -> HttpResponse:
    """To the change, where something happened to it meanwhile: pressed twice, or by somebody else."""
    flash.notice(request, f"{refusal}.")
    return redirect("spine:change", found.change.public_id)


def show(form: Any, refusal: ChangeRefused) -> None:
    """Puts the refusal beside the field that it names, or above the form."""
    field = ChangeForm.SHOWN_AT.get(refusal.field, refusal.field)
    form.add_error(field if field in form.fields else None, str(refusal))


def _form(request: CareRequest, known: list[Line] | None, initial: dict[str, Any]) -> ChangeForm:
    return ChangeForm(
        request.POST if request.method == "POST" else None,
        motions=list(standing_motions()),
        regions=regions(),
        lines=known,
        today=timezone.localdate(),
        initial=initial,
    )
