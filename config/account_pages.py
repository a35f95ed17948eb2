"""The user's own account page, and the one that says "I am still here"."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST


@login_required
def account(request: HttpRequest) -> HttpResponse:
    """Who the service takes the user for, and what they can change about it."""
    return render(request, "account/account.jinja")


@login_required
@require_POST
def stay(request: HttpRequest) -> HttpResponse:
    """Sent by the warning before the idle log-out; `SessionLimitsMiddleware` does the rest."""
    return HttpResponse(status=204)
