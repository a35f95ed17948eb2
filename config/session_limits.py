"""Logs a user out after 15 idle minutes, and 12 hours after log-in whatever they do.

Limits: NHS authentication assurance level 2 allows 30 minutes and 12 hours; 15 minutes because
screens stand open in surgeries (screens design, "Session").
"""

import datetime
from collections.abc import Callable
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme

from config import late_answers

BEGAN, SEEN = "session_began", "session_seen"
# The last click is written down at most this often, so that reading pages does not cost a write each;
# the idle limit is longer by as much, so that nobody gets less than was promised.
PRECISION = datetime.timedelta(seconds=30)


class SessionLimitsMiddleware:
    """Stands after authentication; leaves requests without a session user alone (API tokens)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            now = timezone.now()
            reason = over(request, now)
            if reason:
                kept = late_answers.keep(request)
                logout(request)
                return _to_log_in(request, reason, kept)
            _note(request, now)
        return self.get_response(request)


def over(request: HttpRequest, now: datetime.datetime) -> str | None:
    """Why the session is over, `idle` or `long`, or None."""
    began, seen = _read(request, BEGAN), _read(request, SEEN)
    if seen and now - seen > datetime.timedelta(seconds=settings.SESSION_IDLE_SECONDS) + PRECISION:
        return "idle"
    if began and now - began > datetime.timedelta(seconds=settings.SESSION_COOKIE_AGE):
        return "long"
    return None


def _note(request: HttpRequest, now: datetime.datetime) -> None:
    if _read(request, BEGAN) is None:
        request.session[BEGAN] = now.isoformat()
    seen = _read(request, SEEN)
    if seen is None or now - seen >= PRECISION:
        request.session[SEEN] = now.isoformat()


def _read(request: HttpRequest, key: str) -> datetime.datetime | None:
    text = request.session.get(key)
    return datetime.datetime.fromisoformat(text) if text else None


def _to_log_in(request: HttpRequest, reason: str, kept: bool) -> HttpResponse:
    told = {"next": _page(request), "over": reason} | ({"kept": "yes"} if kept else {})
    address = f"{resolve_url(settings.LOGIN_URL)}?{urlencode(told)}"
    if request.headers.get("HX-Request"):
        # A part of a page cannot show a log-in: the whole page goes there.
        return HttpResponse(status=204, headers={"HX-Redirect": address})
    return HttpResponseRedirect(address)


def _page(request: HttpRequest) -> str:
    """Where the user was: for a form sent too late, the page it stood on."""
    if request.method == "GET" and not request.headers.get("HX-Request"):
        return request.get_full_path()
    referer = request.headers.get("Referer", "")
    if url_has_allowed_host_and_scheme(referer, allowed_hosts={request.get_host()}):
        return urlsplit(referer).path or "/"
    return "/"
