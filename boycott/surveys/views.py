"""Surveys and ballots for those who are asked, and results for those who may read them."""

import datetime
import uuid
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from boycott.models import RollEntry
from boycott.surveys import wording
from boycott.surveys.door import open_door, visible
from boycott.surveys.forms import AnswerForm
from boycott.surveys.interval_chart import interval_chart
from boycott.surveys.queries import (
    Results,
    Standing,
    done_by,
    has_voted,
    latest_answer,
    motion_of,
    options_of,
    region_names,
    results_of,
    standings,
    turnout,
)
from boycott.surveys.refusal import SurveyRefused
from boycott.surveys.vocabulary import Kind, SurveyState
from boycott.surveys.voting import answer, closed_words, vote
from carerecords import access, flash
from carerecords.access import check, requires
from carerecords.formats import nhs_date, nhs_time
from carerecords.middleware import CareRequest
from carerecords.models import AccessEvent
from carerecords.permissions import Permission


@require_safe
@requires(Permission.SEE_SURVEYS)
def survey_list(request: CareRequest) -> HttpResponse:
    """What the reader is asked, runs or may read; what is open first."""
    at = timezone.now()
    found = standings(visible(request, at), at)
    done = done_by(request.user, [one.survey for one in found])
    context = {
        "waiting": [one for one in found if one.state is not SurveyState.CLOSED],
        "over": [one for one in found if one.state is SurveyState.CLOSED],
        "done": done,
        "may_run": request.can(Permission.RUN_SURVEY),
        "may_answer": request.can(Permission.ANSWER_SURVEY),
    }
    return render(request, "boycott/surveys/list.jinja", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.SEE_SURVEYS)
def survey(request: CareRequest, public_id: uuid.UUID) -> HttpResponse:
    """The question; for a GP on the roll the way to answer it.

    No check page stands between: a choice that waits in a session would be a record of who chose what.
    """
    at = timezone.now()
    standing, entry = open_door(request, public_id, at)
    if request.method == "POST":
        check(request, Permission.ANSWER_SURVEY)
        assert entry is not None
        return _answer(request, standing, entry, at)
    return _page(request, standing, entry, None)


@require_safe
@requires(Permission.SEE_SURVEYS)
def results(request: CareRequest, public_id: uuid.UUID) -> HttpResponse:
    """What was answered, as far as it may be shown, beside the meeting's vote."""
    standing, _ = open_door(request, public_id, timezone.now())
    found = results_of(standing)
    context: dict[str, Any] = {"standing": standing, "survey": standing.survey, "found": found}
    if found is not None:
        access.record(request, AccessEvent.Kind.RESULTS, detail=str(standing.survey.public_id))
        context |= _told(found) | {"motion": motion_of(standing.wording), "regions": region_names()}
    return render(request, "boycott/surveys/results.jinja", context)


def _answer(
    request: CareRequest, standing: Standing, entry: RollEntry, at: datetime.datetime
) -> HttpResponse:
    """Refusals come first: who is too late is not asked to mend the form."""
    form = _form(request, standing, entry)
    secret = standing.survey.is_secret
    if secret and has_voted(entry):
        return _page(request, standing, entry, form, "You have already voted")
    if standing.state is SurveyState.CLOSED:
        return _page(request, standing, entry, form, closed_words(standing.survey, standing.ended_at))
    if not form.is_valid():
        return _page(request, standing, entry, form)
    try:
        if secret:
            vote(entry=entry, option=form.chosen, at=at)
        else:
            answer(entry=entry, option=form.chosen, comment=form.cleaned_data["comment"], at=at)
    except SurveyRefused as refusal:
        return _page(request, standing, entry, form, str(refusal))
    access.record(request, AccessEvent.Kind.VOTED, detail=str(standing.survey.public_id))
    flash.success(request, _done(standing))
    return redirect("surveys:survey", standing.survey.public_id)


def _done(standing: Standing) -> str:
    until = f"{nhs_time(standing.ended_at)} on {nhs_date(standing.ended_at)}"
    if standing.survey.is_secret:
        return f"You have voted. The result is shown here after {until}."
    return f"Your answer is recorded. You can change it until {until}."


def _form(request: CareRequest, standing: Standing, entry: RollEntry) -> AnswerForm:
    given = None if standing.survey.is_secret else latest_answer(entry)
    initial = {"option": str(given.option.position), "comment": given.comment} if given else None
    return AnswerForm(
        request.POST if request.method == "POST" else None,
        initial=initial,
        question=standing.wording.question,
        options=options_of(standing.wording),
        entry=entry,
    )


def _page(
    request: CareRequest,
    standing: Standing,
    entry: RollEntry | None,
    form: AnswerForm | None,
    problem: str = "",
) -> HttpResponse:
    secret = standing.survey.is_secret
    voted = entry is not None and secret and has_voted(entry)
    can_answer = entry is not None and standing.state is SurveyState.OPEN and not voted
    context = {
        "standing": standing,
        "survey": standing.survey,
        "entry": entry,
        "voted": voted,
        "given": latest_answer(entry) if entry is not None and not secret else None,
        "form": (form or _form(request, standing, entry)) if can_answer and entry else None,
        "has_form_errors": form is not None and not problem,
        "problem": problem,
        "options": options_of(standing.wording),
        "turnout": turnout(standing.survey) if standing.opening else None,
        "motion": motion_of(standing.wording),
        "may_run": request.can(Permission.RUN_SURVEY),
    }
    return render(request, "boycott/surveys/survey.jinja", context)


def _told(found: Results) -> dict[str, Any]:
    """The sentences and the chart of results that are shown."""
    kind = Kind(found.standing.survey.kind)
    told: dict[str, Any] = {
        "response": wording.response(kind, found.tally),
        "too_few": wording.TOO_FEW,
        "volunteered": wording.VOLUNTEERED[kind],
    }
    if found.tally.shares is not None:
        labels = [option.label for option in found.options]
        shown = list(zip(labels, found.tally.shares, found.sentences, strict=True))
        told |= {"sentences": found.sentences, "shown": shown, "chart": interval_chart(shown)}
    return told
