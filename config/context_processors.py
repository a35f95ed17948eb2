"""What every page shows around its content: the menu, and the strip about uploads.

Both are drawn from the user's role in force. Neither may break a page: without a log-in, a role or
a database they are simply not there.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache

import structlog
from django.conf import settings
from django.db import Error as DatabaseError
from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.template.backends.utils import csrf_input
from django.urls import Resolver404, resolve
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.functional import SimpleLazyObject

from carerecords.middleware import CareRequest
from carerecords.permissions import Permission
from config.accounts import PREVIOUS_LOG_IN
from spine.policy.soon import told_before
from spine.policy.standing import how_it_stands
from spine.policy.strip import Strip, strip_for

log = structlog.get_logger(__name__)

POLICY = "/policy/"
MenuItem = tuple[str, str, bool]


def navigation(request: CareRequest) -> Mapping[str, list[MenuItem]]:
    """The pages of the user's role that exist: (label, address, whether we are in it). No query."""
    if getattr(request, "role", None) is None:
        return {}
    pages = [
        (label, path) for label, path, may in _MENU if may(request) and _exists(path, settings.ROOT_URLCONF)
    ]
    # Work on several patients begins in their list and leads back to it.
    at = "/patients/" if request.path.startswith("/consent/bulk/") else request.path
    inside = [path for _, path in pages if at == path or (path != "/" and at.startswith(path))]
    here = max(inside, key=len, default=None)
    return {"navigation": [(label, path, path == here) for label, path in pages]}


def previous_log_in(request: CareRequest) -> Mapping[str, object]:
    """When the user logged in before this time; one that was not theirs is seen by its day."""
    session = getattr(request, "session", None)
    return {"previous_log_in": parse_datetime(session.get(PREVIOUS_LOG_IN) or "") if session else None}


def one_csrf_token(request: HttpRequest) -> Mapping[str, object]:
    """The token that forms send back, masked once a page: Django's own would mask it for each form."""
    return {
        "csrf_token": SimpleLazyObject(lambda: str(get_token(request))),
        "csrf_input": SimpleLazyObject(lambda: csrf_input(request)),
    }


def policy_strip(request: CareRequest) -> Mapping[str, object]:
    """What policy and stop mean here, read only where a page draws it. Four queries at most."""
    if getattr(request, "role", None) is None:
        return {}
    return {"policy_strip": SimpleLazyObject(lambda: _strip(request))}


def _strip(request: CareRequest) -> Strip | None:
    try:
        here = how_it_stands(request.practice, timezone.now(), POLICY)
        return replace(strip_for(here), soon=told_before(here))
    except DatabaseError as error:
        log.warning("policy_strip_not_read", error=type(error).__name__)
        return None


def _can(permission: Permission) -> Callable[[CareRequest], bool]:
    return lambda request: request.can(permission)


# The site map's addresses, so that a page appears in the menu on the day it is built.
_MENU: tuple[tuple[str, str, Callable[[CareRequest], bool]], ...] = (
    ("Home", "/", _can(Permission.SEE_POLICY)),
    ("Patients", "/patients/", _can(Permission.FIND_PATIENTS)),
    ("Consent sheet", "/consent/sheet/", _can(Permission.RECORD_CONSENT)),
    ("Imports", "/imports/", _can(Permission.SEE_IMPORTS)),
    ("Reports", "/reports/", _can(Permission.SEE_POLICY)),
    ("Uploads", "/uploads/", _can(Permission.SEE_UPLOADS)),
    # The programme sees no upload of a patient, only its runs.
    (
        "Upload runs",
        "/uploads/runs/",
        lambda request: request.practice is None and _can(Permission.RUN_UPLOADS)(request),
    ),
    ("Policy", POLICY, _can(Permission.SEE_POLICY)),
    ("Surveys", "/surveys/", _can(Permission.SEE_SURVEYS)),
    ("Practice stance", "/practice/stance/", lambda request: request.practice is not None),
)


@cache
def _exists(path: str, urlconf: str) -> bool:
    try:
        resolve(path, urlconf)
    except Resolver404:
        return False
    return True
