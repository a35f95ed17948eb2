"""Who is asking, for which practice: asked of the database on every request."""

import datetime
from collections.abc import Callable
from typing import cast

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django_htmx.middleware import HtmxDetails

from carerecords.models import Practice, RoleAssignment, User
from carerecords.permissions import Permission, Role
from carerecords.posts import posts_in_force


class CareRequest(HttpRequest):
    """A request as views of this project see it, after `CurrentPracticeMiddleware`."""

    user: User
    htmx: HtmxDetails
    assignment: RoleAssignment | None
    role: Role | None
    # None for national roles: they reach no patient.
    practice: Practice | None
    can: Callable[[Permission], bool]


class CurrentPracticeMiddleware:
    """Sets `request.assignment`, `role`, `practice` and `can` from the roles in force now.

    A person with several roles acts in the one that the session names, else in the first. Nothing
    is cached between requests, so a role taken away is gone with the next click.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        set_assignment(request)
        return self.get_response(request)


def set_assignment(request: HttpRequest) -> None:
    """Puts the user's role in force on the request. The API calls it again after its own log-in."""
    session = getattr(request, "session", None)
    assignment = None
    if request.user.is_authenticated:
        chosen = session.get("assignment") if session else None
        assignment = assignment_of(request.user, timezone.now(), chosen)
    role = Role(assignment.role) if assignment else None
    known = cast(CareRequest, request)
    known.assignment = assignment
    known.role = role
    known.practice = assignment.practice if assignment else None
    known.can = lambda permission: role is not None and permission in role.rule.permissions


def assignment_of(user: User, at: datetime.datetime, chosen: int | None = None) -> RoleAssignment | None:
    """The role in force in which a person acts: the chosen one, else the first given."""
    in_force = posts_in_force(user, at)
    return next((one for one in in_force if one.pk == chosen), in_force[0] if in_force else None)
