"""The API of the emergency stop: one stops, a second reviews, two together resume. The pages' own verbs."""

from collections.abc import Callable
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from carerecords import confirmation
from carerecords.api import CareView, StrictSerializer, problem, read_input
from carerecords.api_shapes import problems
from carerecords.confirmation import NotConfirmed
from carerecords.permissions import Permission
from spine.policy.actions import (
    LONGEST_REASON,
    StopRefused,
    agree_to_resume,
    ask_to_resume,
    decline_to_resume,
    review_stop,
    stop_uploads,
)
from spine.policy.stopping import stop_history, stopping


def _needed(words: str) -> dict[str, Any]:
    return dict.fromkeys(("required", "null", "blank"), words)


class ReasonInput(StrictSerializer):
    """Why, for the history. Name no patient."""

    reason = serializers.CharField(
        max_length=LONGEST_REASON,
        error_messages=_needed("Enter a reason") | {"max_length": "Reason must be 1,000 characters or less"},
    )


class AgreementInput(ReasonInput):
    """Why, and one's own password, typed now: a token alone lets no upload run again."""

    password = serializers.CharField(
        trim_whitespace=False,
        write_only=True,
        max_length=4096,
        error_messages=_needed("Enter your password"),
    )


class HappenedShape(serializers.Serializer[Any]):
    """One line of the history."""

    at = serializers.DateTimeField()
    title = serializers.CharField()
    who = serializers.CharField()
    text = serializers.CharField()


class StopShape(serializers.Serializer[Any]):
    """Whether all uploads are stopped, and what is still to be done about it."""

    stopped = serializers.BooleanField()
    reason = serializers.CharField()
    stopped_by = serializers.CharField(allow_null=True)
    stopped_at = serializers.DateTimeField(allow_null=True)
    review_by = serializers.DateTimeField(allow_null=True, help_text="When a second person's review is due.")
    reviewed_by = serializers.CharField(allow_null=True)
    resume_asked_by = serializers.CharField(allow_null=True)
    quiet_since = serializers.DateTimeField(
        allow_null=True, help_text="Of a stop just made: no upload has begun since."
    )
    history = HappenedShape(many=True)


BECAUSE = OpenApiExample(
    "With a reason", {"reason": "Summaries of one supplier hold wrong doses"}, request_only=True
)
AGREED = OpenApiExample(
    "With one's own password",
    {"reason": "The supplier's correction was checked", "password": "a password"},
    request_only=True,
)
ANSWERS = {200: StopShape, **problems(400, 409, 413)}


class StopView(CareView):
    """The stop."""

    permission = Permission.STOP_UPLOADS

    @property
    def throttle_scope(self) -> str:  # type: ignore[override]
        return "api_write" if self.request.method == "POST" else "api_read"

    @extend_schema(operation_id="policy_stop_read", responses={200: StopShape, **problems()})
    def get(self, request: Request) -> Response:
        """Whether uploads are stopped, who is awaited, and every stop there was."""
        return Response(StopShape(_standing()).data)

    @extend_schema(operation_id="policy_stop", request=ReasonInput, examples=[BECAUSE], responses=ANSWERS)
    def post(self, request: Request) -> Response:
        """Stops all uploads at once; one person may. Removals that patients asked for go on."""
        return _done(request, ReasonInput, lambda sent: stop_uploads(**_by(self, "reason", sent)))


class ReviewView(CareView):
    """A second person looks at the stop."""

    permission = Permission.STOP_UPLOADS
    throttle_scope = "api_write"

    @extend_schema(
        operation_id="policy_stop_review", request=ReasonInput, examples=[BECAUSE], responses=ANSWERS
    )
    def post(self, request: Request) -> Response:
        """Finds that it is right, within 24 hours of it. It goes on."""
        return _done(request, ReasonInput, lambda sent: review_stop(**_by(self, "note", sent)))


class AskView(CareView):
    """Asking to resume."""

    permission = Permission.STOP_UPLOADS
    throttle_scope = "api_write"

    @extend_schema(operation_id="policy_stop_ask", request=ReasonInput, examples=[BECAUSE], responses=ANSWERS)
    def post(self, request: Request) -> Response:
        """The first of the two that resuming takes. Uploads stay stopped."""
        return _done(request, ReasonInput, lambda sent: ask_to_resume(**_by(self, "reason", sent)))


class DeclineView(CareView):
    """Saying no to resuming."""

    permission = Permission.STOP_UPLOADS
    throttle_scope = "api_write"

    @extend_schema(
        operation_id="policy_stop_decline", request=ReasonInput, examples=[BECAUSE], responses=ANSWERS
    )
    def post(self, request: Request) -> Response:
        """Or taking one's own request back. Uploads stay stopped."""
        return _done(request, ReasonInput, lambda sent: decline_to_resume(**_by(self, "note", sent)))


class AgreeView(CareView):
    """Agreeing to resume."""

    permission = Permission.STOP_UPLOADS
    throttle_scope = "api_find"

    @extend_schema(
        operation_id="policy_stop_agree", request=AgreementInput, examples=[AGREED], responses=ANSWERS
    )
    def post(self, request: Request) -> Response:
        """The second of the two, never whoever asked: uploads run again.

        Wrong passwords count towards the lock-out of the log-in page (429).
        """

        def agree(sent: dict[str, Any]) -> Any:
            confirmed = confirmation.by_password(self.care.user, sent["password"], self.care)
            return agree_to_resume(confirmed=confirmed, **_by(self, "note", sent))

        return _done(request, AgreementInput, agree)


def _by(view: CareView, name: str, sent: dict[str, Any]) -> dict[str, Any]:
    return {name: sent["reason"], "by": view.care.user, "at": timezone.now()}


def _done(request: Request, shape: type[StrictSerializer], verb: Callable[[dict[str, Any]], Any]) -> Response:
    """The stop after the verb, or why it did nothing: 400 beside a field, else 409."""
    sent = read_input(shape, request.data)
    try:
        done = verb(sent)
    except NotConfirmed:
        raise ValidationError({"password": [confirmation.WRONG_PASSWORD]}) from None
    except StopRefused as refusal:
        if refusal.field:
            raise ValidationError({refusal.field: [str(refusal)]}) from None
        return problem(409, f"{refusal}.")
    return Response(StopShape(_standing() | {"quiet_since": getattr(done, "since", None)}).data)


def _standing() -> dict[str, Any]:
    now = stopping()
    stop = now.stop if now else None
    return {
        "stopped": now is not None,
        "reason": stop.reason if stop else "",
        "stopped_by": stop.made_by.short_name if stop and stop.made_by else None,
        "stopped_at": stop.made_at if stop else None,
        "review_by": now.review_by if now and not now.review else None,
        "reviewed_by": now.review.made_by.short_name if now and now.review else None,
        "resume_asked_by": now.asked_by or None if now else None,
        "quiet_since": None,
        "history": stop_history(),
    }
