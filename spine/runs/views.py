"""Pages of runs of uploads: a practice's own, or the programme's for many practices, which names no patient."""

import datetime
import uuid
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from carerecords import confirmation, flash
from carerecords.access import requires
from carerecords.confirmation import NotConfirmed
from carerecords.formats import plural
from carerecords.middleware import CareRequest
from carerecords.permissions import Permission
from spine.runs import actions, pages, telling
from spine.runs.actions import RunRefused
from spine.runs.codes import RunGroup, RunKind, RunState, RunStep
from spine.runs.forecast import expected_end, forecast
from spine.runs.forms import NationalRunForm, RunForm
from spine.runs.listed import filter_of, words_of
from spine.runs.models import SendingRun
from spine.runs.picture import HEIGHT, WIDTH, Stretch, stretches
from spine.runs.progress import Part, by_practice, progress_of
from spine.runs.queries import failed_of, programme_runs_for, run_of, steps_open

# The figures of a check page that stood open for longer say nothing of now.
CHECKED_FOR = datetime.timedelta(minutes=30)
# So many of the programme's runs are shown to a practice, and practices of a run to the programme.
SHOWN = 20
TOO_OLD = "These figures are over 30 minutes old. Check them again"


@require_safe
@requires(Permission.RUN_UPLOADS)
def runs(request: CareRequest) -> HttpResponse:
    """All runs, newest first."""
    after = _uuid(request.GET.get("after", ""))
    found, more = pages.page_of(request.practice, after)
    context = {
        "runs": found,
        "kinds": RunKind,
        "states": RunState,
        "groups": RunGroup,
        "hours": pages.hours,
        "programme": programme_runs_for(request.practice)[:SHOWN] if request.practice else [],
        "first": after is None,
        "next": f"{reverse('spine:runs')}?after={found[-1].public_id}" if more else None,
    }
    return render(request, "spine/runs/runs.jinja", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.RUN_UPLOADS)
def run_new(request: CareRequest) -> HttpResponse:
    """What the run should do; it does nothing before it is checked and started."""
    form = _form(request)
    if request.method == "POST" and form.is_valid():
        try:
            run = actions.make(
                practice=request.practice,
                practices=form.practices(),
                by=request.user,
                at=timezone.now(),
                **form.asked,
            )
        except RunRefused as refusal:
            form.add_error("kind", str(refusal))
        else:
            return redirect("spine:run_check", run.public_id)
    listed = form["list_filter"].value()
    context = {
        "form": form,
        "hints": {kind.value: kind.sentence for kind in RunKind},
        "listed": words_of(request.practice, filter_of(listed)) if request.practice and listed else "",
    }
    return render(request, "spine/runs/new.jinja", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.RUN_UPLOADS)
def run_check(request: CareRequest, public_id: uuid.UUID) -> HttpResponse:
    """What would become of its patients now; it is started from here."""
    run, at = _run(request, public_id), timezone.now()
    if run.state != RunState.DRAFT:
        return redirect("spine:run", public_id)
    if request.method != "POST":
        return _check_page(request, run, at)
    if "cancel" in request.POST:
        actions.cancel(run, by=request.user, at=at)
        flash.notice(request, "Cancelled. Nothing was asked for.")
        return redirect("spine:runs")
    if _is_old(request.POST.get("as_at", ""), at):
        return _check_page(request, run, at, TOO_OLD)
    try:
        confirmed = confirmation.by_log_in(request, request.user)
        actions.start(run, by=request.user, at=at, confirmed=confirmed)
    except NotConfirmed:
        return redirect(f"{reverse('account_reauthenticate')}?{urlencode({'next': request.path})}")
    except RunRefused as refusal:
        return _check_page(request, run, at, str(refusal))
    return redirect("spine:run", public_id)


@require_safe
@requires(Permission.RUN_UPLOADS)
def run(request: CareRequest, public_id: uuid.UUID) -> HttpResponse:
    """How far the run has come. The part alone for htmx."""
    found, at = _run(request, public_id), timezone.now()
    progress = progress_of(found)
    told = pages.headline(found, progress, timezone.localtime(at))
    parts = telling.parts(found, progress)
    context = {
        "run": found,
        "title": RunKind(found.kind).label,
        "state": RunState(found.state),
        "headline": told,
        "progress": progress,
        "parts": parts,
        "figure": partial(telling.figure, found),
        "picture": {"width": WIDTH, "height": HEIGHT, "stretches": _stretches(found, parts)},
        "by_practice": telling.practices(by_practice(found, SHOWN)) if found.practice_id is None else [],
        "failed": failed_of(found).count() if progress.number("failed") else 0,
        "ends": expected_end(found, telling.counted(found, progress.to_go), at)
        if found.state == RunState.RUNNING
        else None,
        "reasons": telling.reasons(found, progress),
        "may": steps_open(found),
        "steps": RunStep,
        "answers": pages.answers(found, progress.practices),
        "history": pages.history(found),
        "poll": pages.poll_of(request, found, progress, told),
        "at": at,
    }
    return render(request, f"spine/runs/{'run_part' if request.htmx else 'run'}.jinja", context)


@require_POST
@requires(Permission.RUN_UPLOADS)
def run_step(request: CareRequest, public_id: uuid.UUID) -> HttpResponse:
    """Pauses, resumes, or asks again for what failed."""
    found = _run(request, public_id)
    verb = _STEPS.get(request.POST.get("do", ""))
    if verb is not None:
        try:
            flash.success(request, verb(request, found))
        except RunRefused as refusal:
            flash.notice(request, f"{refusal}.")
    return redirect("spine:run", public_id)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.RUN_UPLOADS)
def run_cancel(request: CareRequest, public_id: uuid.UUID) -> HttpResponse:
    """Ends a run, once it was said what that means."""
    found = _run(request, public_id)
    if RunStep.CANCELLED not in steps_open(found):
        flash.notice(request, "This run is over. Nothing was changed.")
        return redirect("spine:run", public_id)
    if request.method != "POST":
        progress = progress_of(found)
        context = {
            "run": found,
            "kind": RunKind(found.kind),
            "done": telling.done(found, progress),
            "total": telling.figure(found, progress.total),
        }
        return render(request, "spine/runs/cancel.jinja", context)
    try:
        actions.cancel(found, by=request.user, at=timezone.now())
        flash.success(request, "The run is cancelled. What it has sent stays at the Spine.")
    except RunRefused as refusal:
        flash.notice(request, f"{refusal}.")
    return redirect("spine:run", public_id)


def _pause(request: CareRequest, found: SendingRun) -> str:
    actions.pause(found, by=request.user, at=timezone.now())
    return "The run is paused. Uploads that are being sent just now end as they would have."


def _resume(request: CareRequest, found: SendingRun) -> str:
    actions.resume(found, by=request.user, at=timezone.now())
    return "The run goes on."


def _rerun(request: CareRequest, found: SendingRun) -> str:
    number = actions.rerun_failed(found, by=request.user, at=timezone.now())
    # The programme's table says how many, where that may be told.
    asked = plural(number, "failed upload") if found.practice_id else "Failed uploads"
    return f"{asked} asked for again. Each is checked again before it is sent."


_STEPS: Mapping[str, Callable[[CareRequest, SendingRun], str]] = {
    "pause": _pause,
    "resume": _resume,
    "rerun": _rerun,
}


def _check_page(
    request: CareRequest, found: SendingRun, at: datetime.datetime, problem: str = ""
) -> HttpResponse:
    foreseen = forecast(found, at)
    context: dict[str, Any] = {
        "run": found,
        "kind": RunKind(found.kind),
        "forecast": foreseen,
        "held": telling.shown_to(found, foreseen.held),
        "left_out": telling.shown_to(found, foreseen.left_out),
        "figure": partial(telling.figure, found),
        "patients": partial(telling.patients, found),
        "answers": pages.answers(found, foreseen.practices),
        "ends": expected_end(found, telling.counted(found, foreseen.go + foreseen.removals), at),
        "problem": problem,
        "at": at,
    }
    return render(request, "spine/runs/check.jinja", context)


def _stretches(found: SendingRun, parts: list[Part]) -> list[Stretch]:
    """The bar, unless its only part is of fewer than may be told."""
    return (
        [] if any(telling.figure(found, part.number) == telling.FEW for part in parts) else stretches(parts)
    )


def _form(request: CareRequest) -> RunForm:
    data = request.POST if request.method == "POST" else None
    if request.practice is not None:
        listed = filter_of(request.GET.get("list", ""))
        return RunForm(data, practice=request.practice, listed=listed)
    return NationalRunForm(data, today=timezone.localdate())


def _run(request: CareRequest, public_id: uuid.UUID) -> SendingRun:
    """The practice's own, or the programme's; for strangers there is none (404)."""
    found = run_of(request.practice, public_id)
    if found is None:
        raise Http404
    return found


def _is_old(text: str, at: datetime.datetime) -> bool:
    try:
        checked = parse_datetime(text)
    except ValueError:
        checked = None
    return checked is None or checked.tzinfo is None or at - checked > CHECKED_FOR


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text) if text else None
    except ValueError:
        return None
