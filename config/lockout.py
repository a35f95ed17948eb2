"""After five bad passwords an email address has to wait, whether or not it belongs to anybody.

The same page and the same words for a known and an unknown address: nobody learns who has an
account. Attempts are counted for an address and a network address together, so that a stranger who
knows a GP's email address cannot lock the GP out.
"""

import datetime
from collections.abc import Mapping
from typing import Any

from axes.helpers import get_cool_off
from axes.models import AccessAttempt
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone

from carerecords.api import PROBLEM_JSON, TITLES
from carerecords.formats import nhs_time
from config.account_forms import LogInForm


def email_tried(request: HttpRequest, credentials: Mapping[str, Any] | None = None) -> str:
    """The address as attempts are counted by: from the log-in form or from Django's own call."""
    given = (credentials or {}).get("email") or request.POST.get("login") or ""
    return str(given).strip().lower()


def locked_out(
    request: HttpRequest, response: HttpResponse | None = None, credentials: Mapping[str, Any] | None = None
) -> HttpResponse:
    """The log-in page again, or the API's error, saying from when on it is worth trying."""
    email = email_tried(request, credentials)
    words = f"Too many tries. Try again after {nhs_time(_over_at(request, email))}."
    if request.path.startswith("/api/"):
        body = {"type": "about:blank", "title": TITLES[429], "status": 429, "detail": words}
        return JsonResponse(body, status=429, content_type=PROBLEM_JSON)
    context = {
        "form": LogInForm(request=request, initial={"login": email}),
        "lockout_text": words,
    }
    return render(request, "account/login.html", context, status=429)


def _over_at(request: HttpRequest, email: str) -> datetime.datetime:
    """The end of the wait, rounded up to a minute so that the promise holds."""
    attempts = AccessAttempt.objects.filter(
        username=email, ip_address=getattr(request, "axes_ip_address", None)
    )
    last = attempts.order_by("-attempt_time").values_list("attempt_time", flat=True).first()
    over = (last or timezone.now()) + (get_cool_off() or datetime.timedelta())
    return over.replace(second=0, microsecond=0) + datetime.timedelta(minutes=1)
