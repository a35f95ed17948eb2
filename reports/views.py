"""Pages that read across everything."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from carerecords.access import requires
from carerecords.middleware import CareRequest
from carerecords.permissions import Permission
from consent.forms import SearchForm
from reports.home import home_of


@require_safe
@requires(Permission.SEE_POLICY)
def home(request: CareRequest) -> HttpResponse:
    """What needs doing today. Every role sees the policy, so every role has this page."""
    assert request.role is not None
    at = timezone.now()
    context = {
        "home": home_of(request.role, request.practice, request.user, at),
        "at": at,
        "Permission": Permission,
        "search": SearchForm(),
    }
    return render(request, "reports/home.jinja", context)
