"""The user's own account page, and the one that says "I am still here"."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_POST

from config.accounts import PREVIOUS_LOG_IN


@login_required
def account(request: HttpRequest) -> HttpResponse:
    """Who the service takes the user for, and what they can change about it."""
    previous = parse_datetime(request.session.get(PREVIOUS_LOG_IN) or "")
    return render(request, "account/account.jinja", {"previous_log_in": previous})


@login_required
@require_POST
def stay(request: HttpRequest) -> HttpResponse:
    """Sent by the warning before the idle log-out; `SessionLimitsMiddleware` does the rest."""
    return HttpResponse(status=204)
