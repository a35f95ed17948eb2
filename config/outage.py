"""The database is away, or a row stayed locked: say so, lose nothing that was typed.

Django turns an exception into a response at every layer of middleware, so an outermost `try` would
never see one that a session or a log-in check raised. Every such response is made by `handler500`
(`config.errors`), inside the `except` block, and that asks here whether it was an outage.

Nothing here touches the database, the session or the user.
"""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware, get_token
from django.template.loader import render_to_string

from config.sent_words import in_words

# Never shown or carried, whatever the form: what proves who somebody is.
_SECRET_PARTS = ("password", "token", "secret")
_SECRET_NAMES = {"code"}
# PostgreSQL's states for "somebody else is changing this row"; all else is "away".
_BUSY_STATES = {"40001", "40P01", "55P03", "57014"}


@dataclass(frozen=True)
class Kept:
    """One field of the form that was sent."""

    name: str
    value: str


def outage_in_flight() -> BaseException | None:
    """The database error being handled now, looking through what it was turned into."""
    error: BaseException | None = sys.exc_info()[1]
    while error is not None:
        if isinstance(error, OperationalError | InterfaceError):
            return error
        error = error.__cause__ or error.__context__
    return None


def outage_page(request: HttpRequest, error: BaseException) -> HttpResponse:
    """503: what happened, that nothing was saved, and the same form again."""
    may_have_saved = getattr(request, "view_finished", False) or _during_commit(error.__traceback__)
    posted = request.method == "POST"
    kept = list(_kept(request)) if posted and _genuine(request) else []
    context = {
        "is_busy": _state(error) in _BUSY_STATES,
        "posted": posted,
        "may_have_saved": may_have_saved,
        "kept": kept,
        "shown": list(in_words((field.name, field.value) for field in kept)),
        "had_files": posted and bool(request.FILES),
        "address": request.get_full_path(),
        "csrf_token": get_token(request),
    }
    html = render_to_string("errors/503.jinja", context)
    return HttpResponse(html, status=503, headers={"Retry-After": "30"})


class ViewFinishedMiddleware:
    """The innermost one: notes that a view ended well, so that a later failure is not told as
    "nothing was saved" (the session is saved after the view has committed)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        request.view_finished = response.status_code < 400  # type: ignore[attr-defined]
        return response


def _kept(request: HttpRequest) -> Iterator[Kept]:
    for name, values in request.POST.lists():
        if name in _SECRET_NAMES or any(part in name.lower() for part in _SECRET_PARTS):
            continue
        for value in values:
            yield Kept(name, value)


def _genuine(request: HttpRequest) -> bool:
    """Did one of our own pages send this? Another site's form is not handed a fresh token."""
    check = CsrfViewMiddleware(lambda _: HttpResponse())
    check.process_request(request)
    return check.process_view(request, _no_view, (), {}) is None


def _no_view(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


def _state(error: BaseException) -> str | None:
    return getattr(error.__cause__, "sqlstate", None)


def _during_commit(traceback: TracebackType | None) -> bool:
    """Did the connection break while PostgreSQL was told to commit? Then either may be true."""
    while traceback is not None:
        if traceback.tb_frame.f_code.co_name == "_commit":
            return True
        traceback = traceback.tb_next
    return False
