"""Surveys and ballots for those who run them: drafting, opening, closing early."""

import datetime
import uuid
from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from boycott.models import Survey, SurveyWording
from boycott.surveys.eligibility import reach
from boycott.surveys.forms import ClosingForm, SurveyForm
from boycott.surveys.queries import (
    motion_of,
    motions,
    options_of,
    region_names,
    standing_of,
    turnout,
)
from boycott.surveys.refusal import SurveyRefused
from boycott.surveys.running import close_survey, draft, open_survey, rewrite
from boycott.surveys.vocabulary import Kind, SurveyState
from carerecords import flash
from carerecords.access import requires
from carerecords.formats import nhs_datetime, plural
from carerecords.middleware import CareRequest
from carerecords.permissions import Permission


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.RUN_SURVEY)
def survey_new(request: CareRequest) -> HttpResponse:
    """A survey or ballot that is not there yet."""
    at = timezone.now()
    form = _form(request, None, at)
    if request.method == "POST" and form.is_valid():
        made = draft(kind=Kind(form.cleaned_data["kind"]), content=form.content, by=request.user, at=at)
        return redirect("surveys:run", made.public_id)
    return render(request, "boycott/surveys/edit.jinja", {"form": form})


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.RUN_SURVEY)
def survey_edit(request: CareRequest, public_id: uuid.UUID) -> HttpResponse:
    """The next writing of a draft. What was opened is frozen, and leads to its own page."""
    at = timezone.now()
    survey = get_object_or_404(Survey, public_id=public_id)
    standing = standing_of(survey, at)
    if standing.opening is not None:
        flash.notice(request, "This has been opened. Neither question nor closing time can change.")
        return redirect("surveys:run", public_id)
    form = _form(request, standing.wording, at)
    seen = request.POST.get("seen", "")
    if request.method == "POST" and form.is_valid():
        number = int(seen) if seen.isdecimal() else 0
        try:
            rewrite(survey=survey, content=form.content, seen=number, by=request.user, at=at)
        except SurveyRefused as refusal:
            form.add_error(refusal.field, str(refusal))
        else:
            return redirect("surveys:run", public_id)
    context = {"form": form, "survey": survey, "seen": seen or standing.wording.number}
    return render(request, "boycott/surveys/edit.jinja", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.RUN_SURVEY)
def survey_run(request: CareRequest, public_id: uuid.UUID) -> HttpResponse:
    """What is asked of whom, and the one thing that can be done about it: open it, or close it early."""
    survey = get_object_or_404(Survey, public_id=public_id)
    if request.method != "POST":
        return _run_page(request, survey, ClosingForm())
    if request.POST.get("do") == "close":
        return _close(request, survey)
    return _open(request, survey)


def _open(request: CareRequest, survey: Survey) -> HttpResponse:
    seen = request.POST.get("seen", "")
    try:
        opening = open_survey(
            survey=survey, seen=int(seen) if seen.isdecimal() else 0, by=request.user, at=timezone.now()
        )
    except SurveyRefused as refusal:
        return _run_page(request, survey, ClosingForm(), str(refusal))
    invited = plural(turnout(survey).invited, "GP is", "GPs are")
    opens = "is open" if opening.opens_at <= opening.made_at else f"opens on {nhs_datetime(opening.opens_at)}"
    flash.success(request, f"{invited} on the roll. It {opens}.")
    return redirect("surveys:run", survey.public_id)


def _close(request: CareRequest, survey: Survey) -> HttpResponse:
    form = ClosingForm(request.POST)
    if form.is_valid():
        try:
            close_survey(
                survey=survey, reason=form.cleaned_data["reason"], by=request.user, at=timezone.now()
            )
        except SurveyRefused as refusal:
            form.add_error(refusal.field, str(refusal))
        else:
            flash.success(request, "It is closed.")
            return redirect("surveys:run", survey.public_id)
    return _run_page(request, survey, form)


def _run_page(
    request: CareRequest, survey: Survey, closing_form: ClosingForm, problem: str = ""
) -> HttpResponse:
    at = timezone.now()
    standing = standing_of(survey, at)
    text = standing.wording
    context: dict[str, Any] = {
        "standing": standing,
        "survey": survey,
        "options": options_of(text),
        "motion": motion_of(text),
        "regions": region_names(),
        "reach": reach(text.region_codes, text.ods_codes, at) if standing.opening is None else None,
        "turnout": turnout(survey) if standing.opening else None,
        "closing_form": closing_form,
        "problem": problem,
        "may_close": standing.state in {SurveyState.OPEN, SurveyState.SCHEDULED},
    }
    return render(request, "boycott/surveys/run.jinja", context)


def _form(request: CareRequest, text: SurveyWording | None, at: datetime.datetime) -> SurveyForm:
    return SurveyForm(
        request.POST if request.method == "POST" else None,
        initial=_initial(text) if text else None,
        now=at,
        regions=region_names(),
        motions=motions(),
        fixed_kind=text is not None,
    )


def _initial(text: SurveyWording) -> dict[str, Any]:
    closes = timezone.localtime(text.closes_at)
    initial: dict[str, Any] = {
        "title": text.title,
        "question": text.question,
        "explanation": text.explanation,
        "motion": str(text.motion or ""),
        "closes_on": closes.date(),
        "closes_hour": f"{closes.hour:02}",
        "region_codes": text.region_codes,
        "ods_codes": "\n".join(text.ods_codes),
    }
    if text.opens_at:
        opens = timezone.localtime(text.opens_at)
        initial |= {"opens_on": opens.date(), "opens_hour": f"{opens.hour:02}"}
    for number, option in enumerate(options_of(text), 1):
        initial |= {f"option_{number}": option.label, f"meaning_{number}": option.meaning}
    return initial
