"""Guidance for everybody to read and print, and for practices to acknowledge."""

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from boycott.guidance import markup
from boycott.guidance.actions import GuidanceRefused, acknowledge
from boycott.guidance.differences import differences, is_changed
from boycott.guidance.forms import AcknowledgeForm
from boycott.guidance.queries import acknowledged_by, current_of, draft_on, pages, rate_of, versions_of
from boycott.models import GuidancePage, GuidancePublication
from boycott.positions import Capacity
from carerecords import flash
from carerecords.access import requires
from carerecords.middleware import CareRequest
from carerecords.permissions import Permission, Role


@require_safe
@requires(Permission.SEE_POLICY)
def guidance_list(request: CareRequest) -> HttpResponse:
    """Every page, and whether the practice has acknowledged it."""
    may_write = request.can(Permission.WRITE_GUIDANCE)
    context = {"pages": pages(request.practice, drafts=may_write), "may_write": may_write}
    return render(request, "boycott/guidance/list.jinja", context)


@require_safe
@requires(Permission.SEE_POLICY)
def guidance(request: CareRequest, slug: str) -> HttpResponse:
    """The version that stands. Printed, it is a checklist."""
    return _page(request, slug, AcknowledgeForm(asks=_asks(request)))


@require_POST
@requires(Permission.ACKNOWLEDGE_GUIDANCE)
def guidance_acknowledge(request: CareRequest, slug: str) -> HttpResponse:
    """That the practice has read the version that was shown."""
    page, practice = get_object_or_404(GuidancePage, slug=slug), request.practice
    assert practice is not None  # the roles that may are roles of a practice
    form = AcknowledgeForm(request.POST, asks=_asks(request))
    if not form.is_valid():
        return _page(request, slug, form)
    version = request.POST.get("version", "")
    shown = page.publications.filter(version=version).first() if version.isdecimal() else None
    try:
        if shown is None:
            raise GuidanceRefused("publication", "Read the page before you acknowledge it")
        capacity = Capacity.PARTNER if _asks(request) else Capacity.MANAGER
        acknowledge(
            publication=shown, practice=practice, capacity=capacity, by=request.user, at=timezone.now()
        )
    except GuidanceRefused as refusal:
        form.add_error(None, str(refusal))
        return _page(request, slug, form)
    flash.success(request, f"Your practice has acknowledged version {shown.version}.")
    return redirect("boycott:guidance", slug)


@require_safe
@requires(Permission.SEE_POLICY)
def guidance_versions(request: CareRequest, slug: str) -> HttpResponse:
    """Every version, and what one says otherwise than another."""
    page = get_object_or_404(GuidancePage, slug=slug)
    versions = versions_of(page)
    if not versions:
        raise Http404
    after = _chosen(request, "to", versions) or versions[0]
    before = _chosen(request, "from", versions) or next(
        (one for one in versions if one.version == after.version - 1), None
    )
    lines = differences(before.revision.text, after.revision.text) if before else []
    context = {
        "page": page,
        "versions": versions,
        "before": before,
        "after": after,
        "body": markup.html_of(after.revision.text),
        "lines": lines,
        "differs": any(is_changed(line) for line in lines),
    }
    return render(request, "boycott/guidance/versions.jinja", context)


def _page(request: CareRequest, slug: str, form: AcknowledgeForm) -> HttpResponse:
    page = get_object_or_404(GuidancePage, slug=slug)
    current = current_of(page)
    may_write = request.can(Permission.WRITE_GUIDANCE)
    draft = draft_on(page) if may_write else None
    if current is None:
        if draft is None:
            raise Http404
        return redirect("boycott:guidance_draft", slug)
    practice = request.practice
    read = acknowledged_by(practice, [current]).get(current.pk) if practice else None
    context: dict[str, Any] = {
        "page": page,
        "current": current,
        "body": markup.html_of(current.revision.text),
        "steps": markup.steps_in(current.revision.text),
        "acknowledged": read,
        "rate": rate_of(current),
        "form": form,
        "may_acknowledge": request.can(Permission.ACKNOWLEDGE_GUIDANCE) and read is None,
        "may_write": may_write,
        "draft": draft,
    }
    return render(request, "boycott/guidance/page.jinja", context)


def _asks(request: CareRequest) -> bool:
    """Whether to ask if the reader is a partner: a manager answers by their post."""
    return request.role is Role.GP


def _chosen(
    request: CareRequest, name: str, versions: list[GuidancePublication]
) -> GuidancePublication | None:
    """The version that the address asks for."""
    return next((one for one in versions if str(one.version) == request.GET.get(name)), None)
