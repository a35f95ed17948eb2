"""Changing the union's position: the answers, then a check page with the effect and a typed phrase."""

from typing import Any

from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from boycott.actions import Changed, ChangeRefused, change_position, phrase_for
from boycott.forms import PhraseForm, PositionForm
from boycott.models import PositionRevision
from boycott.positions import Phrase, Position
from boycott.queries import NATIONAL_LINE, latest_of
from carerecords import drafts, flash
from carerecords.access import requires
from carerecords.drafts import Draft
from carerecords.middleware import CareRequest
from carerecords.permissions import Permission
from spine.impact import impact_of_position

DRAFT = "position"


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.CHANGE_POSITION)
def change(request: CareRequest) -> HttpResponse:
    """From the position in force to another."""
    latest = latest_of(NATIONAL_LINE)
    now = _position(latest)
    draft = drafts.read(request, DRAFT)
    form = PositionForm(_posted(request), now=now, initial=draft.values if draft else None)
    if request.method == "POST" and form.is_valid():
        drafts.keep(request, DRAFT, form.cleaned_data | {"seen": latest.number if latest else 0})
        return redirect("spine:policy_change_check")
    return render(request, "spine/policy_change.jinja", {"form": form, "latest": latest, "now": now})


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.CHANGE_POSITION)
def check_change(request: CareRequest) -> HttpResponse:
    """What the change would do now; it is made from here."""
    draft = drafts.read(request, DRAFT)
    if draft is None:
        return _nothing_to_check(request)
    latest = latest_of(NATIONAL_LINE)
    if request.method != "POST" and draft.values["seen"] != (latest.number if latest else 0):
        flash.notice(request, "The policy was changed while you were working. Check your answers again.")
        return redirect("spine:policy_change")
    asked = phrase_for(_position(latest), Position(draft.values["position"]))
    form = PhraseForm(_posted(request), asked=asked or "")
    if request.method == "POST" and form.is_valid():
        try:
            return _save(request, draft, form.cleaned_data["phrase"])
        except ChangeRefused as refusal:
            if refusal.field == "seen" and _made_by_same_user(request, draft):
                return _nothing_to_check(request)
            form.add_error(refusal.field if refusal.field in form.fields else None, str(refusal))
    return _check_page(request, draft, latest, asked, form)


def _save(request: CareRequest, draft: Draft, phrase: str) -> HttpResponse:
    if request.POST.get("draft") != draft.id:
        raise ChangeRefused("draft", "Your answers were changed in another window. Check them again")
    values = draft.values
    changed = change_position(
        position=Position(values["position"]),
        text=values["text"],
        reason=values["reason"],
        phrase=phrase,
        seen=values["seen"],
        by=request.user,
        at=timezone.now(),
    )
    drafts.drop(request, DRAFT)
    flash.success(request, _done(changed))
    return redirect("boycott:policy")


def _done(changed: Changed) -> str:
    position = Position(changed.revision.position)
    if position is Position.NON_COOPERATION:
        return f"The BMA boycott has started. {changed.quiet.sentence}"
    return f"The position is now: {position.label}. It holds for every upload from now on."


def _check_page(
    request: CareRequest,
    draft: Draft,
    latest: PositionRevision | None,
    asked: Phrase | None,
    form: PhraseForm,
) -> HttpResponse:
    at = timezone.now()
    position = Position(draft.values["position"])
    context: dict[str, Any] = {
        "draft": draft,
        "position": position,
        "now": _position(latest),
        "asked": asked,
        "starts": asked is Phrase.START,
        "ends": asked is Phrase.END,
        "impact": impact_of_position(position, at),
        "at": at,
        "form": form,
    }
    return render(request, "spine/policy_check.jinja", context)


def _made_by_same_user(request: CareRequest, draft: Draft) -> bool:
    """Whether the button was pressed twice, and the first press won."""
    latest = latest_of(NATIONAL_LINE)
    return (
        latest is not None
        and latest.made_by_id == request.user.pk
        and latest.number == draft.values["seen"] + 1
        and latest.position == draft.values["position"]
    )


def _nothing_to_check(request: CareRequest) -> HttpResponseRedirect:
    """The draft was saved already (a doubled press), or the session that kept it has ended."""
    latest = latest_of(NATIONAL_LINE)
    if request.method == "POST" and latest and latest.made_by_id == request.user.pk:
        flash.notice(request, f"This change is made: it is revision {latest.number}.")
        return redirect("boycott:policy")
    return redirect("spine:policy_change")


def _position(latest: PositionRevision | None) -> Position | None:
    return Position(latest.position) if latest and latest.lasts_after(timezone.now()) else None


def _posted(request: CareRequest) -> QueryDict | None:
    """What was sent, even if that is nothing; None shows a form without errors."""
    return request.POST if request.method == "POST" else None
