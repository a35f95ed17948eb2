"""The reports of a practice, and the way to those of the nation."""

import datetime
from collections.abc import Iterator, Sequence

from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.http import require_safe

from carerecords import access, csv_export
from carerecords.access import requires
from carerecords.middleware import CareRequest
from carerecords.models import AccessEvent, Practice
from carerecords.permissions import Permission
from reports.charts import columns
from reports.practice_figures import PracticeFigures, figures_of


@require_safe
@requires(Permission.SEE_POLICY)
def reports(request: CareRequest) -> HttpResponse:
    """What there is to read; for those of a practice, its own figures first."""
    at = timezone.now()
    context = {"at": at, "Permission": Permission}
    if request.practice is not None:
        found = figures_of(request.practice, timezone.localdate(at))
        chart = columns([(f"{month:%b %Y}", number) for month, number in found.months], names=6)
        context |= {"found": found, "chart": chart}
    return render(request, "reports/index.jinja", context)


@require_safe
@requires(Permission.SEE_POLICY)
def practice_csv(request: CareRequest) -> HttpResponseBase:
    """The same figures as a file; those without a practice have none."""
    if request.practice is None:
        raise Http404
    at = timezone.now()
    found = figures_of(request.practice, timezone.localdate(at))
    access.record(request, AccessEvent.Kind.EXPORTED, detail="figures of the practice")
    policy = render_to_string("consent/policy_line.jinja", request=request).strip()
    name = f"reports-{request.practice.ods_code}-{timezone.localdate(at)}.csv"
    return csv_export.response(name, _lines(request.practice, found, policy, at))


def _lines(
    practice: Practice, found: PracticeFigures, policy: str, at: datetime.datetime
) -> Iterator[Sequence[object]]:
    yield from (
        ("About", "Consent and uploads in figures"),
        ("Practice", f"{practice.name} ({practice.ods_code})"),
        ("Upload policy", policy),
        ("Data as at", timezone.localtime(at).isoformat(timespec="seconds")),
        ("Note", "Counts only: names no patient"),
        (),
        ("Report", "Figure", "Number"),
        ("Consent", "Registered patients", found.patients),
    )
    for report, figures in (
        ("Consent", found.decisions),
        ("Uploads blocked", found.blocked),
        ("On the Spine", found.copies),
        ("Letters", found.letters),
    ):
        yield from ((report, one.label, one.number) for one in figures)
    yield from (("Uploads accepted", f"{month:%Y-%m}", number) for month, number in found.months)
