"""The policy page: what is in force, whom it binds, and everything that was."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from boycott.guidance.queries import pages
from boycott.policy_page import policy_page
from carerecords.access import requires
from carerecords.middleware import CareRequest
from carerecords.permissions import Permission


@require_safe
@requires(Permission.SEE_POLICY)
def policy(request: CareRequest) -> HttpResponse:
    """What is in force for the user's practice, or for all England for those without one."""
    context = {
        "page": policy_page(request.practice, timezone.now()),
        "guidance": pages(None, drafts=False),
        "Permission": Permission,
    }
    return render(request, "boycott/policy.jinja", context)
