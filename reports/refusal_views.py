"""How refusals were recorded, and turning those that were policy into the practice's stance."""

import datetime
import uuid

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from boycott.actions import ChangeRefused
from boycott.positions import Stance
from carerecords import access, drafts, flash
from carerecords.access import requires
from carerecords.drafts import Draft
from carerecords.middleware import CareRequest
from carerecords.models import AccessEvent, Practice
from carerecords.permissions import Permission
from consent import bulk_pages, bulk_polling
from consent.bulk_runs import RunRefused
from consent.codes import RowReason, RowResult
from reports import charts, refusals
from reports.conversions import ConversionRefused, convert, turn_back
from reports.forms import ConversionForm
from reports.models import Conversion
from reports.refusal_signals import Burst, looks_like_policy, signals_of

SHOWN = 50


@require_safe
@requires(Permission.SEE_CONSENT_EVIDENCE)
def refusal_evidence(request: CareRequest) -> HttpResponse:
    """Refusals by month, bursts with what speaks for policy, and how many rest on silence."""
    practice, at = _practice(request), timezone.now()
    months = refusals.months_of(practice, at)
    context = {
        "bursts": [_told(burst) for burst in refusals.bursts_of(practice, at)],
        "months": months,
        "chart": charts.columns([(f"{month.first_day:%b %Y}", month.refusals) for month in months]),
        "silent": refusals.resting_on_silence(practice),
        "conversions": list(refusals.conversions_of(practice)),
        "may_convert": request.can(Permission.CONVERT_REFUSALS),
    }
    return render(request, "reports/refusals.jinja", context)


@require_safe
@requires(Permission.SEE_CONSENT_EVIDENCE)
def burst_detail(request: CareRequest, burst_id: uuid.UUID) -> HttpResponse:
    """One burst: its evidence, and the first of its patients."""
    practice, burst = _practice(request), _burst(request, burst_id)
    events = refusals.events_of(practice, burst).select_related("patient", "recorded_by")[:SHOWN]
    access.record(request, AccessEvent.Kind.LISTED, detail="refusals recorded in one go", rows=len(events))
    context = _told(burst) | {
        "events": events,
        "may_convert": request.can(Permission.CONVERT_REFUSALS) and burst.standing,
    }
    return render(request, "reports/burst.jinja", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.CONVERT_REFUSALS)
def conversion_form(request: CareRequest, burst_id: uuid.UUID) -> HttpResponse:
    """What the practice says instead of these refusals."""
    burst, name = _burst(request, burst_id), _draft_name(burst_id)
    draft = drafts.read(request, name)
    today = timezone.localdate()
    form = ConversionForm(
        request.POST if request.method == "POST" else None,
        initial=_initial(draft) if draft else None,
        today=today,
    )
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data | {"agreed_on": form.cleaned_data["agreed_on"].isoformat()}
        drafts.keep(request, name, values)
        return redirect("reports:conversion_check", burst_id)
    return render(request, "reports/conversion_form.jinja", _told(burst) | {"form": form})


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.CONVERT_REFUSALS)
def conversion_check(request: CareRequest, burst_id: uuid.UUID) -> HttpResponse:
    """What it would do; it is started from here."""
    practice, burst, name = _practice(request), _burst(request, burst_id), _draft_name(burst_id)
    draft = drafts.read(request, name)
    if draft is None:
        return redirect("reports:conversion_form", burst_id)
    problem = ""
    if request.method == "POST":
        try:
            if request.POST.get("draft") != draft.id:
                raise ConversionRefused("Your answers changed since this page was shown. Check them again")
            if request.POST.get("standing") != str(burst.standing):
                raise ConversionRefused(
                    "Decisions changed since this page was shown. Check the figures again"
                )
            made = _convert(request, practice, burst, draft)
        except (ConversionRefused, ChangeRefused, RunRefused) as refused:
            problem = str(refused)
        else:
            drafts.drop(request, name)
            access.record(request, AccessEvent.Kind.BULK, detail="refusals to stance", rows=made.run.total)
            return redirect("reports:conversion", made.public_id)
    context = _told(burst) | {
        "draft": draft,
        "stance": Stance(draft.values["stance"]),
        "agreed_on": datetime.date.fromisoformat(draft.values["agreed_on"]),
        "problem": problem,
        "at": timezone.now(),
    }
    return render(request, "reports/conversion_check.jinja", context)


@require_safe
@requires(Permission.CONVERT_REFUSALS)
def conversion(request: CareRequest, public_id: uuid.UUID) -> HttpResponse:
    """How far it is, what was left alone, and the way back. The part alone for htmx."""
    made, at = _conversion(request, public_id), timezone.now()
    left = made.run.rows.filter(result__in=[RowResult.SKIPPED, RowResult.KEPT]).select_related("patient")
    context = {
        "made": made,
        "run": made.run,
        "headline": bulk_pages.headline(made.run),
        "progress": bulk_pages.progress_of(made.run) if made.run.state in bulk_pages.UNDER_WAY else None,
        "poll": bulk_polling.poll_of(request, made.run, request.path),
        "left_alone": [(row.patient, RowReason(row.why).label) for row in left.order_by("position")[:SHOWN]],
        "undo_until": bulk_pages.undo_until(made.run, at),
        "at": at,
    }
    template = "reports/conversion_part.jinja" if request.htmx else "reports/conversion.jinja"
    return render(request, template, context)


@require_POST
@requires(Permission.CONVERT_REFUSALS)
def conversion_back(request: CareRequest, public_id: uuid.UUID) -> HttpResponse:
    """Lets the refusals stand again."""
    made = _conversion(request, public_id)
    try:
        turn_back(conversion=made, by=request.user, at=timezone.now())
    except RunRefused as refused:
        flash.notice(request, f"{refused}.")
    else:
        access.record(request, AccessEvent.Kind.BULK, detail="stance back to refusals", rows=made.run.changed)
        flash.success(request, "The refusals are being put back.")
    return redirect("reports:conversion", public_id)


def _convert(request: CareRequest, practice: Practice, burst: Burst, draft: Draft) -> Conversion:
    values = draft.values
    return convert(
        practice=practice,
        burst=burst,
        stance=Stance(values["stance"]),
        agreed_by=values["agreed_by"],
        agreed_on=datetime.date.fromisoformat(values["agreed_on"]),
        note=values["note"],
        by=request.user,
        at=timezone.now(),
    )


def _told(burst: Burst) -> dict[str, object]:
    return {"burst": burst, "signals": signals_of(burst), "suspicious": looks_like_policy(burst)}


def _initial(draft: Draft) -> dict[str, object]:
    return dict(draft.values) | {"agreed_on": datetime.date.fromisoformat(draft.values["agreed_on"])}


def _practice(request: CareRequest) -> Practice:
    if request.practice is None:
        raise Http404
    return request.practice


def _burst(request: CareRequest, burst_id: uuid.UUID) -> Burst:
    burst = refusals.burst_of(_practice(request), burst_id, timezone.now())
    if burst is None:
        raise Http404
    return burst


def _conversion(request: CareRequest, public_id: uuid.UUID) -> Conversion:
    return get_object_or_404(refusals.conversions_of(_practice(request)), public_id=public_id)


def _draft_name(burst_id: uuid.UUID) -> str:
    return f"conversion:{burst_id}"
