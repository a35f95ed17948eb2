"""How a page watches a run under way: what it asks next, and what it reads out."""

from dataclasses import dataclass

from django.http import HttpRequest

from carerecords import doorbell
from carerecords.formats import plural
from consent import bulk_pages
from consent.codes import RunState
from consent.models import BulkRun

# After so many answers the page stops asking: a forgotten window must not stay logged in.
MOST = 300


@dataclass(frozen=True)
class Poll:
    """`address`: what the page asks in a second, or nothing. `spoken`: what is read out now."""

    address: str
    spoken: str
    # The broker does not answer: the run starts when it does.
    paused: bool


def poll_of(request: HttpRequest, run: BulkRun, page: str) -> Poll | None:
    """How `page`, an address, watches a run. None for one that nothing happens to, unless a watching
    page has still to hear of its end."""
    asked, told = _number(request.GET.get("asked", "")), _number(request.GET.get("told", ""))
    watching = "asked" in request.GET
    if run.state not in bulk_pages.UNDER_WAY:
        return Poll("", bulk_pages.headline(run), paused=False) if watching else None
    paused = run.state == RunState.QUEUED and not doorbell.answers()
    quarter = bulk_pages.progress_of(run).quarter
    spoken = bulk_pages.headline(run) if watching and quarter > told else ""
    address = ""
    if asked < MOST and not paused:
        address = f"{page}?asked={asked + 1}&told={quarter}"
    return Poll(address, spoken, paused)


def paused_line(run: BulkRun) -> str:
    """What a run says that nobody wakes a worker for."""
    return f"{plural(run.total, 'patient')} wait. This starts by itself when the connection is back."


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 5 else 0
