"""Error pages: what happened, why, and what to do next, in the shell of every other page."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils import timezone

from carerecords.formats import nhs_time
from carerecords.models import RoleAssignment
from carerecords.permissions import NotPermitted, Role, roles_with
from config.outage import outage_in_flight, outage_page


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(request, 400, "This page could not be read")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _page(request, 404, "Page not found", shell=True)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Not an error message but an explanation: why, and who can help (service manual)."""
    role: Role | None = getattr(request, "role", None)
    refused = exception if isinstance(exception, NotPermitted) else None
    return _page(
        request,
        403,
        "You cannot open this page",
        shell=True,
        detail=str(exception),
        role=role,
        who_can=[each.rule.name for each in roles_with(refused.permission)] if refused else [],
        manager=_manager(request),
    )


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form whose proof of origin no longer fits: most often the user logged in again since."""
    return _page(request, 403, "This page has expired", template="errors/csrf.jinja")


def server_error(request: HttpRequest) -> HttpResponse:
    """Called inside the `except` block, so a database that is away can be told from a fault."""
    error = outage_in_flight()
    if error is not None:
        if _is_api(request):
            return _problem(
                503, "The service cannot reach its records", "Nothing was saved. Try again later."
            )
        return outage_page(request, error)
    return _page(request, 500, "Sorry, there is a problem with the service", at=nhs_time(timezone.now()))


class RefusalPageMiddleware:
    """Answers a missing permission with the page that explains it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return forbidden(request, exception) if isinstance(exception, NotPermitted) else None


def _page(
    request: HttpRequest,
    status: int,
    heading: str,
    *,
    shell: bool = False,
    template: str = "",
    **context: object,
) -> HttpResponse:
    """`shell`: with navigation and policy strip, which ask the database; never for a 500."""
    if _is_api(request):
        return _problem(status, heading, str(context.get("detail", "")))
    context["page_title"] = heading
    html = render_to_string(template or f"errors/{status}.jinja", context, request if shell else None)
    return HttpResponse(html, status=status)


def _is_api(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")


def _problem(status: int, title: str, detail: str) -> HttpResponse:
    """Problem details for HTTP interfaces (RFC 9457)."""
    body = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return JsonResponse(body, status=status, content_type="application/problem+json")


def _manager(request: HttpRequest) -> str:
    """The name of the practice manager who can give access, or nothing."""
    practice = getattr(request, "practice", None)
    if practice is None:
        return ""
    found = RoleAssignment.objects.filter(
        practice=practice, role=Role.PRACTICE_MANAGER, ends_at__isnull=True, user__is_active=True
    )
    assignment = found.select_related("user").order_by("pk").first()
    return assignment.user.name if assignment else ""
