"""What the pages of runs show: a run in words, its steps, and how a page watches one under way."""

import datetime
import uuid
from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from carerecords.formats import nhs_datetime, nhs_time, plural
from carerecords.models import Practice
from consent.bulk_polling import Poll
from spine.runs import telling
from spine.runs.codes import UNDER_WAY, RunGroup, RunKind, RunState, RunStep
from spine.runs.hours import When
from spine.runs.listed import words_of
from spine.runs.models import SendingRun
from spine.runs.progress import Progress
from spine.runs.queries import PAGE, runs_of

# After so many answers, one every five seconds, a page stops asking: a forgotten window must not stay logged in.
MOST = 180


def page_of(practice: Practice | None, after: uuid.UUID | None) -> tuple[list[SendingRun], bool]:
    """A page of runs, newest first, and whether there are older ones. Two queries at most."""
    runs = runs_of(practice)
    if after:
        runs = runs.filter(pk__lt=runs_of(practice).filter(public_id=after).values("pk"))
    found = list(runs.order_by("-pk")[: PAGE + 1])
    return found[:PAGE], len(found) > PAGE


def answers(run: SendingRun, practices: int) -> list[dict[str, Any]]:
    """What the run does, for a summary list."""
    pairs = [("What it does", RunKind(run.kind).sentence)]
    if run.practice_id is None:
        pairs.append(("Practices", f"{practices:,}"))
    pairs.append(("Patients", RunGroup(run.group).label))
    if run.list_filter and run.practice:
        pairs.append(("Only of the list", words_of(run.practice, run.list_filter)))
    if run.older_than_days:
        pairs.append(("Copies", f"Older than {plural(run.older_than_days, 'day')}"))
    pairs.append(("When it may send", hours(run)))
    pairs.append(("Made", f"{nhs_datetime(run.made_at)} by {run.made_by.short_name}"))
    return [{"key": key, "value": value} for key, value in pairs]


def hours(run: SendingRun) -> str:
    """The hours in words."""
    between = f"{nhs_time(run.opens)} to {nhs_time(run.closes)}"
    match When(run.hours):
        case When.EVERY_DAY:
            return f"{between}, every day"
        case When.WEEKENDS_TOO:
            return f"{between}, and all day on Saturdays and Sundays"
    return When.ANY.label


def headline(run: SendingRun, progress: Progress, local: datetime.datetime) -> str:
    """How the run stands, in a sentence."""
    done, total = telling.done(run, progress), telling.figure(run, progress.total)
    match RunState(run.state):
        case RunState.DRAFT:
            return "Not started yet. Nothing was asked for."
        case RunState.PAUSED:
            return f"Paused: {done} of {total} done. Nothing of it is sent."
        case RunState.CANCELLED:
            return telling.cancelled(run, progress)
        case RunState.FINISHED:
            return f"Finished: {total} {'patient' if total == '1' else 'patients'}."
    if not run.sending_hours.is_open(local):
        opening = nhs_datetime(run.sending_hours.next_opening(local))
        return f"Waiting for its hours: it goes on {opening}. {done} of {total} done."
    if not progress.total:
        return "Running: its patients are being listed."
    return f"Running: {done} of {total} done."


def history(run: SendingRun) -> list[dict[str, str]]:
    """The steps, newest first, for a timeline. One query."""
    steps = run.steps.select_related("made_by").order_by("-pk")
    return [
        {
            "title": RunStep(step.kind).label,
            "who": step.made_by.short_name if step.made_by else "by itself",
            "when": nhs_datetime(step.made_at),
        }
        for step in steps
    ]


def poll_of(request: HttpRequest, run: SendingRun, progress: Progress, told: str) -> Poll | None:
    """How the page watches the run. None for one that nothing happens to, unless a watching page has
    still to hear of its end."""
    asked, before = _number(request, "asked"), _number(request, "told")
    watching = "asked" in request.GET
    if run.state not in UNDER_WAY:
        return Poll("", told, paused=False) if watching else None
    spoken = told if watching and progress.quarter > before else ""
    page = reverse("spine:run", args=[run.public_id])
    address = f"{page}?asked={asked + 1}&told={progress.quarter}" if asked < MOST else ""
    return Poll(address, spoken, paused=False)


def _number(request: HttpRequest, name: str) -> int:
    text = request.GET.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 5 else 0
