"""What practices answer, and what GPs' answers mean for coverage."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from boycott.adoption import adoption
from boycott.surveys.queries import Results, closed_intentions
from boycott.surveys.vocabulary import Meaning
from boycott.surveys.wording import intention
from carerecords.access import requires
from carerecords.middleware import CareRequest
from carerecords.permissions import Permission
from reports.coverage import coverage
from reports.forms import ProjectionForm
from reports.line_chart import line_chart
from reports.projection import FACTOR, MONTHS, project

REACHABLE = 99


@require_safe
@requires(Permission.SEE_POLICY)
def adoption_page(request: CareRequest) -> HttpResponse:
    """The live meter: practices and their patients by answer and region, beside the survey's figure."""
    context: dict[str, Any] = {"found": adoption(), "at": timezone.now(), "Permission": Permission}
    if request.can(Permission.SEE_SURVEYS):
        context["surveys"] = [_said(one) for one in closed_intentions(timezone.now())[:1]]
    return render(request, "reports/adoption.jinja", context)


@require_safe
@requires(Permission.SEE_NATIONAL_REPORTS)
def projection_page(request: CareRequest) -> HttpResponse:
    """Coverage month by month if the answers of one survey speak for all, beside what is observed."""
    surveys = closed_intentions(timezone.now())
    form = ProjectionForm(_asked(request, surveys), surveys=surveys)
    context: dict[str, Any] = {"form": form, "surveys": surveys, "at": timezone.now()}
    if surveys and form.is_valid():
        values = form.cleaned_data
        chosen = form.chosen
        months = project(
            follow=_followers(chosen),
            answered=chosen.tally.answers,
            factor=values["factor"] / 100,
            months=values["months"],
            reachable=values["reachable"] / 100,
        )
        context |= {
            "months": months,
            "said": _said(chosen),
            "chart": line_chart(
                [one.nobody for one in months],
                [one.likely for one in months],
                [one.low for one in months],
                [one.high for one in months],
            ),
            "found": adoption(),
            "coverage": coverage(),
        }
    return render(request, "reports/projection.jinja", context)


def _asked(request: CareRequest, surveys: list[Results]) -> dict[str, str]:
    """What the address asks for, with the defaults for what it leaves out."""
    newest = str(surveys[0].standing.survey.public_id) if surveys else ""
    defaults = {
        "survey": newest,
        "factor": str(round(FACTOR * 100)),
        "months": str(MONTHS),
        "reachable": str(REACHABLE),
    }
    return defaults | request.GET.dict()


def _followers(found: Results) -> int:
    assert found.tally.shares is not None
    pairs = zip(found.options, found.tally.shares, strict=True)
    return sum(share.count for option, share in pairs if option.meaning == Meaning.FOLLOW)


def _said(found: Results) -> dict[str, Any]:
    standing = found.standing
    return {
        "title": standing.wording.title,
        "public_id": standing.survey.public_id,
        "ended_at": standing.ended_at,
        "sentence": intention(_followers(found), found.tally.answers),
    }
