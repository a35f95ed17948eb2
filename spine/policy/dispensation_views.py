"""Dispensations from the union's position: asking for one, seeing what it would do, deciding on it.

Here and not beside the positions: the page counts for how many patients the gate would answer otherwise
(docs/adr/0061-pages-live-on-the-floor-of-what-they-show.md).
"""

import datetime
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_safe

from boycott.actions import ChangeRefused
from boycott.dispensations import actions
from boycott.dispensations.forms import QUESTIONS, DecisionForm, DispensationForm
from boycott.dispensations.reading import Standing, practices_of, standing_of, standings
from boycott.dispensations.vocabulary import State, Step
from boycott.positions import Position
from boycott.queries import open_revisions, rows_of, standing_revisions
from boycott.rules import Release, Revision, with_release
from carerecords import confirmation, drafts, flash, quiet
from carerecords.access import check, requires
from carerecords.confirmation import NotConfirmed
from carerecords.middleware import CareRequest
from carerecords.models import Quieted
from carerecords.permissions import Permission
from spine.policy.impact import impact_of


@dataclass(frozen=True)
class Does:
    """One thing that can be done: who may, which step it is, how, and what is said afterwards."""

    permission: Permission
    step: Step
    act: Callable[..., None]
    said: str


DOES: Mapping[str, Does] = {
    "agree": Does(Permission.APPROVE_POSITION, Step.AGREED, actions.agree, "The dispensation is agreed."),
    "refuse": Does(Permission.APPROVE_POSITION, Step.REFUSED, actions.refuse, "The dispensation is refused."),
    "take_back": Does(
        Permission.CHANGE_POSITION, Step.TAKEN_BACK, actions.take_back, "The request is taken back."
    ),
    "end": Does(
        Permission.CHANGE_POSITION,
        Step.ENDED,
        actions.end,
        "The dispensation has ended. The position binds those practices again.",
    ),
}


@require_safe
@requires(Permission.SEE_POLICY_CHANGES)
def dispensations(request: CareRequest) -> HttpResponse:
    """Every one and where it stands."""
    context = {"rows": standings(timezone.now()), "Permission": Permission}
    return render(request, "spine/dispensations.jinja", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.CHANGE_POSITION)
def dispensation_new(request: CareRequest) -> HttpResponse:
    """Asks for one. It frees nobody before somebody else agrees."""
    at = timezone.now()
    holding = [one for one in rows_of(open_revisions(at)) if one.position != Position.COOPERATE]
    posted = request.POST if request.method == "POST" else None
    form = DispensationForm(posted, positions=holding, today=timezone.localdate(at))
    if posted is not None and form.is_valid():
        try:
            made = actions.ask(**form.asked(at), by=request.user, at=at)
        except ChangeRefused as refusal:
            field = form.SHOWN_AT.get(refusal.field, refusal.field)
            form.add_error(field if field in form.fields else None, str(refusal))
        else:
            flash.success(
                request, "The dispensation is asked for. It frees nobody before a colleague agrees."
            )
            return redirect("spine:dispensation", made.public_id)
    context = {"form": form, "positions": holding}
    return render(request, "spine/dispensation_form.jinja", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.SEE_POLICY_CHANGES)
def dispensation(request: CareRequest, public_id: uuid.UUID) -> HttpResponse:
    """One with every step, what it would do, and what this person may do about it."""
    found = get_dispensation(public_id)
    if request.method != "POST" or request.POST.get("do", "") not in DOES:
        return _page(request, found)
    does = request.POST["do"]
    check(request, DOES[does].permission)
    form = DecisionForm(request.POST, does=does)
    if form.is_valid():
        try:
            _act(request, found, does, form.cleaned_data["comment"])
        except NotConfirmed:
            drafts.keep(request, _draft(public_id), dict(form.cleaned_data))
            return redirect(f"{reverse('account_reauthenticate')}?{urlencode({'next': request.path})}")
        except ChangeRefused as refusal:
            form.add_error("comment" if refusal.field == "comment" else None, str(refusal))
        else:
            drafts.drop(request, _draft(public_id))
            flash.success(request, DOES[does].said)
            return redirect("spine:dispensation", public_id)
    return _page(request, get_dispensation(public_id), {does: form})


def _act(request: CareRequest, found: Standing, does: str, comment: str) -> None:
    more = {}
    if does == "agree":
        more["confirmed"] = confirmation.by_log_in(request, request.user)
    act = DOES[does].act
    act(dispensation=found.dispensation, comment=comment, by=request.user, at=timezone.now(), **more)


def _page(
    request: CareRequest, found: Standing, sent: Mapping[str, DecisionForm] | None = None
) -> HttpResponse:
    at = timezone.now()
    kept = drafts.read(request, _draft(found.dispensation.public_id))
    initial = {"agree": dict(kept.values)} if kept else {}
    may = _may(request, found)
    context: dict[str, Any] = {
        "found": found,
        "practices": practices_of(found),
        "may": may,
        "own": found.state is State.ASKED and found.dispensation.made_by_id == request.user.pk,
        "quiet": quiet.told_of(Quieted.Kind.DISPENSATION, found.dispensation.pk, request.practice),
        "freed": _freed(found, at) if found.state is State.ASKED else None,
        "forms": {does: DecisionForm(does=does, initial=initial.get(does)) for does in QUESTIONS}
        | dict(sent or {}),
        # What was sent and cannot be done any more still says why.
        "problem": next(iter((sent or {}).values()), None),
        "at": at,
    }
    return render(request, "spine/dispensation.jinja", context)


def _freed(found: Standing, at: datetime.datetime) -> int:
    """For how many patients uploads would start if it held now, by the gate's own answer."""
    return impact_of(as_if_agreed(found, at), at).effect.start


def as_if_agreed(found: Standing, at: datetime.datetime) -> tuple[Revision, ...]:
    """The standing revisions as they would be with it in force now."""
    asked = found.dispensation
    as_if_now = Release(0, frozenset(asked.ods_codes), at, asked.ends_at)
    return with_release(standing_revisions(), asked.revision_id, as_if_now)


def _may(request: CareRequest, found: Standing) -> list[str]:
    """What this person can do, the likeliest first; the verbs have the last word."""
    own = found.dispensation.made_by_id == request.user.pk
    return [
        name
        for name, does in DOES.items()
        if request.can(does.permission)
        and found.allows(does.step)
        and not (own and does.permission is Permission.APPROVE_POSITION)
        and not (not own and name == "take_back")
    ]


def get_dispensation(public_id: uuid.UUID) -> Standing:
    """The dispensation of that id, or 404."""
    found = standing_of(public_id, timezone.now())
    if found is None:
        raise Http404
    return found


def _draft(public_id: uuid.UUID) -> str:
    return f"dispensation-{public_id}"
