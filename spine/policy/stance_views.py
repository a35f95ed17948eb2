"""How a practice, and each GP for their own patients, responds to the union's policy.

Here and not beside the stances: before saving, the page shows for how many patients the gate would
answer otherwise (docs/adr/0061-pages-live-on-the-floor-of-what-they-show.md).
"""

import datetime
from typing import Any

from django import forms
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from boycott.actions import ChangeRefused, set_gp_stance, set_stance
from boycott.forms import GpStanceForm, StanceForm
from boycott.positions import GpStance, Stance
from boycott.queries import gp_stance_history, gp_stance_of, stance_history
from carerecords import drafts, flash, quiet
from carerecords.access import check, requires
from carerecords.drafts import Draft
from carerecords.middleware import CareRequest
from carerecords.models import Practice, Quieted
from carerecords.permissions import Permission
from spine.policy.impact import impact_of_gp_stance, impact_of_stance
from spine.uploads.backlog import outlook_if_released
from spine.uploads.queries import gps_of, patients_of_gp

PRACTICE, OWN = "stance", "own_stance"


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.SEE_POLICY)
def practice_stance(request: CareRequest) -> HttpResponse:
    """The practice's answer: for the manager to give, for the others of the practice to read."""
    practice = _practice(request)
    if request.method == "POST":
        check(request, Permission.SET_PRACTICE_STANCE)
    history = stance_history(practice)
    form = _practice_form(request, history[0].stance if history else None)
    if request.method == "POST" and form.is_valid():
        _keep(request, PRACTICE, form)
        return redirect("spine:practice_stance_check")
    context = {
        "form": form if request.can(Permission.SET_PRACTICE_STANCE) else None,
        "may_set_own": request.can(Permission.SET_OWN_GP_STANCE),
        "history": history,
        "gps": gps_of(practice),
        "quiet": quiet.told_of(Quieted.Kind.STANCE, history[0].pk, practice) if history else None,
    }
    return render(request, "spine/practice_stance.jinja", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.SET_PRACTICE_STANCE)
def check_practice_stance(request: CareRequest) -> HttpResponse:
    """What the answer would do; it is saved from here."""
    practice, draft = _practice(request), drafts.read(request, PRACTICE)
    if draft is None:
        return redirect("spine:practice_stance")
    stance, agreed_on = Stance(draft.values["stance"]), datetime.date.fromisoformat(draft.values["agreed_on"])
    form = forms.Form(_posted(request))
    if request.method == "POST" and form.is_valid():
        try:
            _expect(request, draft)
            set_stance(
                practice=practice,
                stance=stance,
                agreed_by=draft.values["agreed_by"],
                agreed_on=agreed_on,
                note=draft.values["note"],
                by=request.user,
                at=timezone.now(),
            )
        except ChangeRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            drafts.drop(request, PRACTICE)
            flash.success(request, f"Your practice's answer is recorded: {stance.label}.")
            return redirect("spine:practice_stance")
    at = timezone.now()
    effect = impact_of_stance(practice, stance, at)
    context = {
        "draft": draft,
        "stance": stance,
        "agreed_on": agreed_on,
        "effect": effect,
        "released": outlook_if_released(effect.released, at),
        "at": at,
        "form": form,
    }
    return render(request, "spine/practice_stance_check.jinja", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.SET_OWN_GP_STANCE)
def own_stance(request: CareRequest) -> HttpResponse:
    """A GP's own answer for the patients whose usual GP they are."""
    practice = _practice(request)
    stance, latest = gp_stance_of(request.user)
    draft = drafts.read(request, OWN)
    initial = dict(draft.values) if draft else ({"stance": stance.value} if latest else None)
    form = GpStanceForm(_posted(request), initial=initial)
    if request.method == "POST" and form.is_valid():
        _keep(request, OWN, form)
        return redirect("spine:own_stance_check")
    context = {
        "form": form,
        "stance": stance,
        "patients": patients_of_gp(practice, request.user),
        "history": gp_stance_history(request.user),
    }
    return render(request, "spine/own_stance.jinja", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.SET_OWN_GP_STANCE)
def check_own_stance(request: CareRequest) -> HttpResponse:
    """What the GP's answer would do; it is saved from here."""
    practice, draft = _practice(request), drafts.read(request, OWN)
    if draft is None:
        return redirect("spine:own_stance")
    stance = GpStance(draft.values["stance"])
    form = forms.Form(_posted(request))
    if request.method == "POST" and form.is_valid():
        try:
            _expect(request, draft)
        except ChangeRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            set_gp_stance(
                gp=request.user,
                practice=practice,
                stance=stance,
                note=draft.values["note"],
                at=timezone.now(),
            )
            drafts.drop(request, OWN)
            flash.success(request, f"Your answer is recorded: {stance.label}.")
            return redirect("spine:own_stance")
    at = timezone.now()
    effect = impact_of_gp_stance(request.user, stance, at)
    released = outlook_if_released(effect.released, at)
    context = {
        "draft": draft,
        "stance": stance,
        "effect": effect,
        "released": released,
        "at": at,
        "form": form,
    }
    return render(request, "spine/own_stance_check.jinja", context)


def _practice(request: CareRequest) -> Practice:
    """The user's practice; for national roles these pages do not exist."""
    if request.practice is None:
        raise Http404
    return request.practice


def _practice_form(request: CareRequest, stance: str | None) -> StanceForm:
    """As drafted before, else with the practice's last answer, else with nothing chosen."""
    draft = drafts.read(request, PRACTICE)
    initial: dict[str, Any] = {"stance": stance} if stance else {}
    if draft:
        initial = {**draft.values, "agreed_on": datetime.date.fromisoformat(draft.values["agreed_on"])}
    return StanceForm(_posted(request), initial=initial, today=timezone.localdate())


def _keep(request: CareRequest, name: str, form: forms.Form) -> None:
    drafts.keep(
        request,
        name,
        {
            key: value.isoformat() if isinstance(value, datetime.date) else value
            for key, value in form.cleaned_data.items()
        },
    )


def _expect(request: CareRequest, draft: Draft) -> None:
    """What is saved must be what was shown."""
    if request.POST.get("draft") != draft.id:
        raise ChangeRefused("draft", "Your answers were changed in another window. Check them again")


def _posted(request: CareRequest) -> QueryDict | None:
    """What was sent, even if that is nothing; None shows a form without errors."""
    return request.POST if request.method == "POST" else None
