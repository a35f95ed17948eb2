"""The sending of the whole country: what is due, how fast it goes, when it is done. Counts only."""

import datetime

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from carerecords.access import requires
from carerecords.formats import nhs_time, nhs_time_with_seconds
from carerecords.middleware import CareRequest
from carerecords.models import UploadJob
from carerecords.permissions import Permission
from reports.charts import Columns, columns
from spine.policy.stopping import stopping
from spine.uploads.backlog import by_state, most_now, outlook_of_nation
from spine.uploads.outlook import Pace

# Parts that are shorter than this are told apart by their seconds.
SHORT = datetime.timedelta(minutes=2)


@require_safe
@requires(Permission.SEE_NATIONAL_REPORTS)
def sending(request: CareRequest) -> HttpResponse:
    """The queue by state, the measured pace beside the Spine's limit, and what follows from both."""
    at = timezone.now()
    queue, pace, outlook = outlook_of_nation(at)
    parts = parts_of(pace) if pace else []
    context = {
        "at": at,
        "here": request.get_full_path(),
        "queue": queue,
        "pace": pace,
        "outlook": outlook,
        "most": most_now(),
        "states": by_state(UploadJob.objects.all()),
        "stopped": stopping(),
        "parts": parts,
        "chart": _chart(parts),
    }
    return render(request, "reports/sending.jinja", context)


def parts_of(pace: Pace) -> list[tuple[str, int]]:
    """When each part of the measured time began, and how many messages were done in it."""
    length = (pace.until - pace.since) / len(pace.parts)
    words = nhs_time if length >= SHORT else nhs_time_with_seconds
    return [(words(pace.since + place * length), done) for place, done in enumerate(pace.parts)]


def _chart(parts: list[tuple[str, int]]) -> Columns | None:
    return columns(parts, names=len(parts)) if any(done for _, done in parts) else None
