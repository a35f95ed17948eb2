"""Answers that were sent after a session had ended: kept for their user, saved as nothing."""

from django.http import Http404, HttpRequest
from django.middleware.csrf import CsrfViewMiddleware
from django.urls import Resolver404, resolve

from carerecords.kept_answers import keeper_of
from carerecords.middleware import CareRequest, set_assignment


class _OriginCheck(CsrfViewMiddleware):
    """Django's own check, which gives its reason instead of a page."""

    def _reject(self, request: HttpRequest, reason: str) -> str:
        return reason


def keep(request: HttpRequest) -> bool:
    """Keeps what was posted, where its page knows how. The user is the one whose session ended.

    Runs before Django's check of a form's origin, so it asks that itself: no other site may write
    into anybody's drafts.
    """
    if request.method != "POST":
        return False
    try:
        match = resolve(request.path_info)
        keeper = keeper_of(match.func)
        if keeper is None or _OriginCheck(lambda _: None).process_view(request, None, (), {}):  # type: ignore[arg-type]
            return False
        set_assignment(request)
        known: CareRequest = request  # type: ignore[assignment]
        return keeper(known, **match.kwargs)
    except (Http404, Resolver404):
        return False
