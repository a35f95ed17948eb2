"""History run again: the scenarios, and each of them month by month."""

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from carerecords.access import requires
from carerecords.middleware import CareRequest
from carerecords.permissions import Permission
from reports.line_chart import line_chart
from reports.replays.engine import ALL_FOLLOWED, AS_IT_WAS, NOTHING_ASKED, WORLDS, replay
from reports.replays.history import SCENARIOS


@require_safe
@requires(Permission.SEE_POLICY)
def replays(request: CareRequest) -> HttpResponse:
    """What there is to run again."""
    return render(request, "reports/replays.jinja", {"scenarios": list(SCENARIOS.values())})


@require_safe
@requires(Permission.SEE_POLICY)
def replay_page(request: CareRequest, scenario: str) -> HttpResponse:
    """One scenario: its chart, what would have been sent each month, and why the rest was not."""
    found = SCENARIOS.get(scenario)
    if found is None:
        raise Http404
    months = replay(found)
    # What a scenario is about: the whole summary, or its additional part.
    about = (
        "additional" if len({month.sent[AS_IT_WAS.name].summaries for month in months}) == 1 else "summaries"
    )
    shares = {
        world.name: [getattr(month.sent[world.name], about) / month.patients for month in months]
        for world in WORLDS
    }
    was = shares[AS_IT_WAS.name]
    chart = line_chart(shares[NOTHING_ASKED.name], was, shares[ALL_FOLLOWED.name], was)
    context = {"scenario": found, "months": months, "worlds": WORLDS, "chart": chart, "about": about}
    return render(request, "reports/replay.jinja", context)
