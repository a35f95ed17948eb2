"""The policy page, the list of changes to it, and what people were told of theirs."""

import uuid

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from boycott import notices
from boycott.adoption import adoption
from boycott.dossier import newest_steps
from boycott.guidance.queries import pages
from boycott.policy_page import policy_page
from boycott.queries import holding_changes
from carerecords import quiet
from carerecords.access import requires
from carerecords.middleware import CareRequest
from carerecords.models import Quieted
from carerecords.permissions import Permission


@require_safe
@requires(Permission.SEE_POLICY)
def policy(request: CareRequest) -> HttpResponse:
    """What is in force for the user's practice, or for all England for those without one."""
    page = policy_page(request.practice, timezone.now())
    changes = [one.change_id for one in page.in_force if one.change_id]
    may_see = request.can(Permission.SEE_UPLOADS)
    context = {
        "page": page,
        "quiet": quiet.told(Quieted.Kind.CHANGE, changes, request.practice if may_see else None),
        "guidance": pages(None, drafts=False),
        "adoption": adoption(),
        "Permission": Permission,
    }
    return render(request, "boycott/policy.jinja", context)


@require_safe
@requires(Permission.SEE_POLICY_CHANGES)
def changes(request: CareRequest) -> HttpResponse:
    """Every change of policy and where it stands, the one touched last first."""
    at = timezone.now()
    holding = holding_changes(at)
    rows = [(step, step.state(at), step.change_id in holding) for step in newest_steps()]
    return render(request, "boycott/changes.jinja", {"rows": rows, "Permission": Permission})


@require_POST
@requires(Permission.SEE_POLICY_CHANGES)
def read_notice(request: CareRequest, public_id: uuid.UUID) -> HttpResponse:
    """Takes a notice off one's own home page."""
    if not notices.note_read(notice=public_id, by=request.user, at=timezone.now()):
        raise Http404
    return redirect("home")
