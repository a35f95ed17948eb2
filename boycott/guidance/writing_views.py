"""Writing guidance, and publishing what somebody else wrote."""

from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from boycott.guidance import markup
from boycott.guidance.actions import GuidanceRefused, begin, publish, write
from boycott.guidance.differences import differences, is_changed
from boycott.guidance.forms import BY_ITSELF, GuidanceForm
from boycott.guidance.queries import current_of, draft_on, unsettled_changes
from boycott.models import GuidancePage, GuidanceRevision
from carerecords import flash
from carerecords.access import requires
from carerecords.middleware import CareRequest
from carerecords.permissions import Permission


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.WRITE_GUIDANCE)
def guidance_new(request: CareRequest) -> HttpResponse:
    """A page that is not there yet. `?change=` names the change it is written for."""
    form = _form(request, None, published=False)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            made = begin(
                title=values["title"],
                text=values["text"],
                change=form.change,
                by=request.user,
                at=timezone.now(),
            )
        except GuidanceRefused as refusal:
            form.add_error(refusal.field, str(refusal))
        else:
            return _saved(request, made)
    return render(request, "boycott/guidance/edit.jinja", {"form": form})


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.WRITE_GUIDANCE)
def guidance_edit(request: CareRequest, slug: str) -> HttpResponse:
    """The next draft of a page, begun from the latest."""
    page = get_object_or_404(GuidancePage, slug=slug)
    latest = page.revisions.select_related("change").latest("number")
    form = _form(request, latest, published=current_of(page) is not None)
    seen = request.POST.get("seen", "")
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        try:
            made = write(
                page=page,
                title=values["title"],
                text=values["text"],
                changed=values.get("changed", ""),
                seen=int(seen) if seen.isdecimal() else 0,
                change=form.change,
                by=request.user,
                at=timezone.now(),
            )
        except GuidanceRefused as refusal:
            form.add_error(refusal.field, str(refusal))
        else:
            return _saved(request, made)
    # After an error the page still says which writing the answers were begun from.
    context = {"form": form, "page": page, "seen": seen if seen.isdecimal() else latest.number}
    return render(request, "boycott/guidance/edit.jinja", context)


@require_safe
@requires(Permission.WRITE_GUIDANCE)
def guidance_draft(request: CareRequest, slug: str) -> HttpResponse:
    """The draft as readers will see it, and what it says otherwise than the version that stands."""
    return _draft_page(request, slug)


@require_POST
@requires(Permission.WRITE_GUIDANCE)
def guidance_publish(request: CareRequest, slug: str) -> HttpResponse:
    """Publishes the draft that was shown, if it belongs to no change."""
    page = get_object_or_404(GuidancePage, slug=slug)
    draft = draft_on(page)
    if draft is None:
        flash.notice(request, "This draft is published already.")
        return redirect("boycott:guidance", slug)
    try:
        if request.POST.get("seen") != str(draft.number):
            raise GuidanceRefused(
                "revision", f"{draft.made_by.short_name} changed this draft since. Read it again"
            )
        made = publish(revision=draft, by=request.user, at=timezone.now())
    except GuidanceRefused as refusal:
        return _draft_page(request, slug, str(refusal))
    flash.success(request, f"Version {made.version} is published. Practices are asked to acknowledge it.")
    return redirect("boycott:guidance", slug)


def _draft_page(request: CareRequest, slug: str, problem: str = "") -> HttpResponse:
    page = get_object_or_404(GuidancePage, slug=slug)
    draft, current = draft_on(page), current_of(page)
    if draft is None:
        if current is None:
            raise Http404
        return redirect("boycott:guidance", slug)
    lines = differences(current.revision.text, draft.text) if current else []
    context: dict[str, Any] = {
        "page": page,
        "draft": draft,
        "current": current,
        "body": markup.html_of(draft.text),
        "lines": lines,
        "differs": any(is_changed(line) for line in lines),
        "is_own": draft.made_by_id == request.user.pk,
        "problem": problem,
    }
    return render(request, "boycott/guidance/draft.jinja", context)


def _form(request: CareRequest, latest: GuidanceRevision | None, *, published: bool) -> GuidanceForm:
    changes = unsettled_changes(timezone.now())
    initial = {"publish_with": request.GET.get("change") or (None if changes else BY_ITSELF)}
    if latest:
        initial |= {"title": latest.title, "text": latest.text}
        if draft_on(latest.page) is not None:
            change = str(latest.change.public_id) if latest.change else BY_ITSELF
            initial |= {"changed": latest.changed, "publish_with": initial["publish_with"] or change}
    return GuidanceForm(
        request.POST if request.method == "POST" else None,
        initial=initial,
        published=published,
        changes=changes,
    )


def _saved(request: CareRequest, made: GuidanceRevision) -> HttpResponse:
    flash.success(request, "The draft is saved. Nobody but policy admins sees it until it is published.")
    return redirect("boycott:guidance_draft", made.page.slug)
