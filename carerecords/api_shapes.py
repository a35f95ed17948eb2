"""Shapes that several of the API's answers share, and how their errors stand in its schema."""

import uuid
from typing import Any

from django.http import HttpRequest
from drf_spectacular.utils import OpenApiExample, OpenApiResponse
from rest_framework import serializers

from carerecords.api import PROBLEM_JSON


class TermShape(serializers.Serializer[Any]):
    """A stored code, and what people read."""

    code = serializers.CharField()
    words = serializers.CharField()


class ProblemShape(serializers.Serializer[Any]):
    """An error (RFC 9457). `errors` names each field that must be mended, where there are any."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    errors = serializers.DictField(  # type: ignore[assignment]
        child=serializers.ListField(child=serializers.CharField()), required=False
    )


_PROBLEMS = {
    400: "Something in the request is wrong; nothing was saved.",
    401: "No token and no log-in, or not a valid one.",
    403: "The role does not include this.",
    404: "No such record in the practice.",
    409: "It changed in between; nothing was saved.",
    413: "The body is too large; nothing was saved.",
    429: "Too many requests; `Retry-After` says how long to wait.",
}

_EXAMPLES = {
    400: [
        OpenApiExample(
            "A field is missing",
            {
                "type": "about:blank",
                "title": "This request could not be read",
                "status": 400,
                "detail": "Nothing was saved. What to mend stands beside each field.",
                "errors": {"decided_on": ["Enter the date of decision"]},
            },
            media_type=PROBLEM_JSON,
        )
    ]
}


def problems(*statuses: int) -> dict[Any, Any]:
    """For `extend_schema(responses=...)`; what may always happen is there without being named."""
    return {
        (status, PROBLEM_JSON): OpenApiResponse(
            ProblemShape, description=_PROBLEMS[status], examples=_EXAMPLES.get(status)
        )
        for status in sorted({401, 403, 429, *statuses})
    }


def term(code: str, words: str) -> dict[str, str]:
    return {"code": code, "words": words}


def next_address(request: HttpRequest, after: uuid.UUID | None) -> str | None:
    """The address of the next page: the same filters, from another row on."""
    if after is None:
        return None
    parameters = request.GET.copy()
    parameters["after"] = str(after)
    return request.build_absolute_uri(f"{request.path}?{parameters.urlencode()}")
