"""What every view of the API shares: who is asking, what they may do, how errors are told.

The API answers in JSON and in the pages' words. Errors are problem details (RFC 9457).
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, cast

from django.core.exceptions import RequestDataTooBig
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import APIException, NotAuthenticated, Throttled, ValidationError
from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BooleanField, Field, ListField, Serializer
from rest_framework.throttling import ScopedRateThrottle
from rest_framework.views import APIView, exception_handler

from carerecords import access
from carerecords.api_intake import BodyParser, CountedTokens
from carerecords.middleware import CareRequest, set_assignment
from carerecords.permissions import NotPermitted, Permission

PROBLEM_JSON = "application/problem+json"
TITLES = {
    400: "This request could not be read",
    401: "You are not logged in",
    403: "You cannot do this",
    404: "Not found",
    405: "This address does not do that",
    406: "This address answers in JSON",
    409: "This record changed while you were working",
    413: "This request is too large",
    415: "Send JSON",
    429: "Too many requests",
}
NOBODY = "Send a token (Authorization: Token …), or log in."
NOT_FOUND = "Your practice has no such record."
NOTHING_DONE = "Nothing was saved. What to mend stands beside each field."
NO_SUCH_FIELD = "There is no such field"
NO_OBJECT = "Send one JSON object with the fields"
NO_TEXT = "Send a text, in quotes"
NO_TEXTS = "Send a list of texts, each in quotes"
TOO_LARGE = "Nothing was saved. No request of this API needs more than a few thousand characters."
BODY = "body"


class RolePermission(BasePermission):
    """Asks the pages' own check, which also writes down who was refused."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        care_view = cast(CareView, view)
        access.check(care_view.care, care_view.permission)
        return True


class CareView(APIView):
    """A view of the API. Each names its `permission`, as the pages do with `access.requires`."""

    permission: ClassVar[Permission]
    # The token first: its challenge makes "not logged in" a 401.
    authentication_classes = (CountedTokens, SessionAuthentication)
    parser_classes = (BodyParser,)
    permission_classes = (IsAuthenticated, RolePermission)
    http_method_names = ("get", "post", "head")
    throttle_classes = (ScopedRateThrottle,)
    throttle_scope: str = "api_read"

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Callable[..., Any]:  # type: ignore[override]
        view = super().as_view(**initkwargs)
        view.permission = cls.permission  # type: ignore[attr-defined]
        return view

    def perform_authentication(self, request: Request) -> None:
        """A token names its user only here, long after the middleware looked for the session's."""
        super().perform_authentication(request)
        set_assignment(request._request)

    @property
    def care(self) -> CareRequest:
        """The request as the pages' functions know it, with role and practice."""
        return cast(CareRequest, self.request._request)


class StrictSerializer(Serializer[Any]):
    """Refuses names that it does not know: a misspelt field must not count as left out.

    And numbers where text belongs: as a number, an NHS number or a reference loses its zeros.
    """

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, Mapping):
            raise ValidationError({BODY: [NO_OBJECT]})
        wrong = {name: [NO_SUCH_FIELD] for name in data if name not in self.fields}
        wrong |= {
            name: [NO_TEXTS if isinstance(field, ListField) else NO_TEXT]
            for name, field in self.fields.items()
            if _is_no_text(field, data.get(name))
        }
        if wrong:
            raise ValidationError(wrong)
        return super().to_internal_value(data)


def _is_no_text(field: Field[Any, Any, Any, Any], value: Any) -> bool:
    """All that is sent in is text in JSON, dates and ids too, except for yes and no; or lists of texts."""
    if isinstance(field, ListField):
        whole = isinstance(value, list) and all(isinstance(each, str) for each in value)
        return value is not None and not whole
    return not isinstance(field, BooleanField) and not isinstance(value, str | None)


def read_input(shape: type[StrictSerializer], data: Any) -> dict[str, Any]:
    """What was sent, checked and typed; raises the error that names each wrong field."""
    if data is None:
        raise ValidationError({BODY: [NO_OBJECT]})
    serializer = shape(data=data)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


def problem(status: int, detail: str, **more: Any) -> Response:
    """An error as the API tells it; `more` stands beside the usual four members."""
    body = {"type": "about:blank", "title": TITLES.get(status, "Error"), "status": status, "detail": detail}
    return Response(body | more, status=status, content_type=PROBLEM_JSON)


def answer_error(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """The framework's hook. None lets Django's own handler answer: a fault, or no database."""
    if isinstance(error, NotPermitted):
        return problem(403, str(error))
    if isinstance(error, RequestDataTooBig):
        return problem(413, TOO_LARGE)
    drawn = exception_handler(error, dict(context))
    if drawn is None:
        return None
    answer = _told(error, drawn)
    for name in ("WWW-Authenticate", "Retry-After", "Allow"):
        if name in drawn.headers:
            answer[name] = drawn.headers[name]
    return answer


def _told(error: Exception, drawn: Response) -> Response:
    if isinstance(error, ValidationError):
        errors = drawn.data if isinstance(drawn.data, Mapping) else {BODY: drawn.data}
        return problem(drawn.status_code, NOTHING_DONE, errors=errors)
    if isinstance(error, NotAuthenticated):
        return problem(drawn.status_code, NOBODY)
    if isinstance(error, Throttled):
        return problem(429, f"Try again in {drawn.headers.get('Retry-After', 60)} seconds.")
    if drawn.status_code == 404:
        return problem(404, str(error) or NOT_FOUND)
    detail = error.detail if isinstance(error, APIException) else ""
    return problem(drawn.status_code, str(detail))
