"""How old the copies on the Spine are: of the reader's practice, or of the country in figures that name no few."""

import datetime
from collections.abc import Iterator, Sequence
from typing import Any

from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.http import require_safe

from carerecords import access, csv_export
from carerecords.access import check, requires
from carerecords.middleware import CareRequest
from carerecords.models import AccessEvent, JobState, Practice
from carerecords.permissions import Permission
from reports.charts import columns
from reports.staleness import Staleness, Why, staleness
from reports.staleness_tables import Line, ages_by_region, by_region, lines
from spine.reasons import Reason
from spine.uploads.copy_age import BANDS

MOST_PRACTICES = 10
# The last four are of the copies out of date, and may overlap.
HEADINGS = (
    "Copies",
    "Out of date",
    "With allergies",
    "With repeat medicines",
    "Lacking a newer one",
    "With a notice",
)
NOT_SHOWN = "Not shown"


@require_safe
@requires(Permission.SEE_POLICY)
def staleness_page(request: CareRequest) -> HttpResponse:
    """Counts only, so every role of a practice may read its own."""
    _check(request)
    at = timezone.now()
    found = staleness(request.practice, at)
    context = _shown(request, found) | {"at": at, "found": found, "here": request.get_full_path()}
    if request.practice is None:
        context |= _of_country(found)
    return render(request, "reports/staleness.jinja", context)


@require_safe
@requires(Permission.SEE_POLICY)
def staleness_csv(request: CareRequest) -> HttpResponseBase:
    """The same as a file; of the country, a line for each practice."""
    _check(request)
    at = timezone.now()
    found = staleness(request.practice, at)
    access.record(request, AccessEvent.Kind.EXPORTED, detail="age of copies on the Spine")
    policy = render_to_string("consent/policy_line.jinja", request=request).strip()
    whose = request.practice.ods_code if request.practice else "england"
    name = f"copies-on-the-spine-{whose}-{timezone.localdate(at)}.csv"
    return csv_export.response(name, _rows(request, found, policy, at))


def _check(request: CareRequest) -> None:
    if request.practice is None:
        check(request, Permission.SEE_NATIONAL_REPORTS)


def _shown(request: CareRequest, found: Staleness) -> dict[str, Any]:
    own = request.practice is not None
    bands = lines(found.bands, own=own)
    return {
        "bands": bands,
        "whys": [
            (why, line, _list_of(why) if own else "")
            for why, line in lines(dict(found.by_why), own=own).items()
        ],
        "all": lines({"": found.all}, own=own)[""],
        "headings": HEADINGS,
        "chart": columns(
            [(name, line.copies or 0) for name, line in bands.items()],
            names=len(bands),
            parts=[line.stale or 0 for line in bands.values()],
        ),
    }


def _of_country(found: Staleness) -> dict[str, Any]:
    practices = {pk: (name, ods, region) for pk, name, ods, region in _practices(found)}
    regions = {pk: region for pk, (_, _, region) in practices.items()}
    shown = lines(found.practices, own=False)
    most = sorted(
        (pk for pk, line in shown.items() if line.stale),
        key=lambda pk: (-(shown[pk].stale or 0), practices[pk][1]),
    )
    return {
        "regions": lines(by_region(regions.items(), found.practices), own=False),
        "ages": ages_by_region(regions, found.cells),
        "band_names": [name for _, name in BANDS],
        "most": [(practices[pk], shown[pk]) for pk in most[:MOST_PRACTICES]],
        "number_of_practices": len(practices),
    }


def _practices(found: Staleness) -> list[tuple[int, str, str, str]]:
    rows = Practice.objects.filter(pk__in=list(found.practices)).order_by("ods_code")
    return list(rows.values_list("pk", "name", "ods_code", "region_name"))


def _list_of(why: Why | Reason) -> str:
    """The address of the list of uploads behind a reason."""
    if why is Why.WAITING:
        return f"/uploads/?state={JobState.WAITING}"
    if isinstance(why, Reason):
        state = JobState.FAILED if why.code.startswith("tech.") else JobState.HELD
        return f"/uploads/?state={state}&reason={why.code}"
    return ""


def _rows(
    request: CareRequest, found: Staleness, policy: str, at: datetime.datetime
) -> Iterator[Sequence[object]]:
    practice = request.practice
    yield from (
        ("About", "How old the copies on the Spine are"),
        ("Practice", f"{practice.name} ({practice.ods_code})" if practice else "All of England"),
        ("Upload policy", policy),
        ("Data as at", timezone.localtime(at).isoformat(timespec="seconds")),
        ("Note", "Counts only: names no patient" + ("" if practice else ". Figures of 1 to 4 are not shown")),
        ("Note", "The last four columns are of the copies out of date"),
        (),
    )
    if practice is None:
        yield "ODS code", "Practice", "Region", *HEADINGS
        shown = lines(found.practices, own=False)
        for pk, name, ods_code, region in _practices(found):
            yield ods_code, name, region, *_cells(shown[pk])
        return
    yield "By", "", *HEADINGS
    for name, line in lines(found.bands, own=True).items():
        yield "Age", name, *_cells(line)
    for why, line in lines(dict(found.by_why), own=True).items():
        yield "Why out of date", why.sentence, *_cells(line)


def _cells(line: Line) -> list[object]:
    return [NOT_SHOWN if number is None else number for number in vars(line).values()]
