"""What would be sent if a hold ended now, seen before it is ended: the stop, a position, or it for some practices."""

import datetime
import math
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

from django.http import Http404, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from boycott.change_states import UNSETTLED
from boycott.dispensations.vocabulary import State
from boycott.measured_change import base_now, revisions_as_if_now
from carerecords import csv_export
from carerecords.access import requires
from carerecords.middleware import CareRequest
from carerecords.permissions import Permission
from carerecords.small_numbers import suppressed_in_column
from spine.policy.dispensation_views import as_if_agreed, get_dispensation
from spine.policy.drain_chart import drain_chart
from spine.policy.draining import course
from spine.policy.reopening import Plan, if_resumed, if_revised
from spine.policy.stopping import stopping
from spine.policy.views import get_change
from spine.uploads.backlog import most_now, pace_now
from spine.uploads.outlook import duration, time_for

MOST_STEPS = 10
# From full to empty in one step is no picture.
MIN_MOMENTS = 2
HEADINGS = (
    "ODS code",
    "Practice",
    "Region",
    "Held uploads that would go",
    "Uploads that go anyway",
    "Uploads that stay held",
    "Uploads that end unsent",
    "Messages of all practices until its last",
)


@require_safe
@requires(Permission.SEE_POLICY_CHANGES)
def of_stop(request: CareRequest) -> HttpResponseBase:
    """The plan for resuming uploads. 404 where they are not stopped."""
    now, at = stopping(), timezone.now()
    if now is None:
        raise Http404
    plan = if_resumed(at, since=now.stop.made_at)
    return _answer(request, plan, at, "uploads resume", reverse("spine:stop"), since=now.stop.made_at)


@require_safe
@requires(Permission.SEE_POLICY_CHANGES)
def of_change(request: CareRequest, public_id: uuid.UUID) -> HttpResponseBase:
    """The plan for a change of policy. 404 where it is settled."""
    found, at = get_change(public_id), timezone.now()
    if found.state(at) not in UNSETTLED:
        raise Http404
    base, _ = base_now(found, at)
    since = base.effective_from if base and base.begun(at) else None
    plan = if_revised(revisions_as_if_now(found, at), at, since=since)
    back = reverse("spine:change", args=[public_id])
    return _answer(request, plan, at, "this change takes effect", back, since=since)


@require_safe
@requires(Permission.SEE_POLICY_CHANGES)
def of_dispensation(request: CareRequest, public_id: uuid.UUID) -> HttpResponseBase:
    """The plan for a dispensation that is asked for. 404 where it is decided."""
    found, at = get_dispensation(public_id), timezone.now()
    if found.state is not State.ASKED:
        raise Http404
    since = found.revision.effective_from
    plan = if_revised(as_if_agreed(found, at), at, since=since)
    back = reverse("spine:dispensation", args=[public_id])
    return _answer(request, plan, at, "this dispensation is agreed", back, since=since)


def _answer(
    request: CareRequest,
    plan: Plan,
    at: datetime.datetime,
    event: str,
    back: str,
    *,
    since: datetime.datetime | None,
) -> HttpResponseBase:
    """The page; or with `?as=csv` every practice of it."""
    if request.GET.get("as") == "csv":
        name = f"reopening-{timezone.localtime(at):%Y-%m-%d-%H%M}.csv"
        return csv_export.response(name, _rows(plan))
    return render(request, "spine/reopening.jinja", _context(plan, at, event, back, since))


def _context(
    plan: Plan, at: datetime.datetime, event: str, back: str, since: datetime.datetime | None
) -> dict[str, Any]:
    most = most_now()
    moments = course(plan.turns, _steps(plan.turns.total, most))
    names = [_after(one.sent, most) for one in moments]
    return {
        "plan": plan,
        "at": at,
        "event": event,
        "back": back,
        "since": since,
        "most": most,
        "pace": (pace := pace_now(at)),
        "at_that_pace": duration(time_for(plan.turns.total, pace.a_minute)) if pace else "",
        "after": lambda messages: _after(messages, most),
        "moments": list(zip(names, moments, strict=True)),
        "chart": drain_chart(moments, names) if len(moments) > MIN_MOMENTS else None,
    }


def _steps(messages: int, most: float | None) -> int:
    """So many that none is shorter than a minute, the unit in which they are told."""
    minutes = math.floor(messages / most) if most else MOST_STEPS
    return max(1, min(minutes, MOST_STEPS))


def _after(messages: int, most: float | None) -> str:
    """How long so many take at the Spine's limit; without one, how many they are."""
    if not messages:
        return "Start"
    return duration(time_for(messages, most)) if most else f"{messages:,} sent"


def _rows(plan: Plan) -> Iterator[Sequence[object]]:
    """What stays or ends is of a few patients' own making in places: not told of 1 to 4 at a practice."""
    yield HEADINGS
    few_kept, few_over = (
        suppressed_in_column({one.home.id: (getattr(one, name), one.queue) for one in plan.by_practice})
        for name in ("kept", "over")
    )
    for one in plan.by_practice:
        place = one.home.place
        yield (
            place.ods_code,
            one.home.name,
            one.home.region_name,
            one.released,
            one.going,
            "Not shown" if one.home.id in few_kept else one.kept,
            "Not shown" if one.home.id in few_over else one.over,
            plan.until(one) if one.queue else "",
        )
