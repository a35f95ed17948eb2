"""What the API takes in about changes of policy, and examples of it. A test sends each example."""

import datetime
from typing import Any

from drf_spectacular.utils import OpenApiExample
from rest_framework import serializers

from boycott.content import Content
from boycott.positions import DataScope, Position, Strength
from carerecords.api import StrictSerializer

DATE = "Give the date as YYYY-MM-DD, for example 2007-06-29"
MOMENT = "Give date and time, for example 2007-06-29T06:00:00+01:00"
SEEN = "Give the fingerprint that you saw: seen of the change"


def _needed(words: str) -> dict[str, Any]:
    return dict.fromkeys(("required", "null", "blank", "invalid_choice", "invalid"), words)


class Codes(serializers.ListField):
    """Codes of places, in either case."""

    child = serializers.CharField(max_length=6)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, max_length=7000, **kwargs)

    def to_internal_value(self, data: Any) -> Any:
        return frozenset(code.upper() for code in super().to_internal_value(data))


class ContentShape(StrictSerializer):
    """All that a change says. What is left out is empty, as on an empty form."""

    motion = serializers.UUIDField(error_messages=_needed("Select the motion that this rests on"))
    position = serializers.ChoiceField(Position.choices(), error_messages=_needed("Select the position"))
    strength = serializers.ChoiceField(Strength.choices(), error_messages=_needed("Select whom it binds"))
    data_scope = serializers.ChoiceField(
        DataScope.choices(), error_messages=_needed("Select what it is about")
    )
    region_codes = Codes()
    icb_codes = Codes()
    ods_codes = Codes(help_text="Practices. No place at all: all England.")
    exempt_ods_codes = Codes()
    text = serializers.CharField(
        max_length=10_000, required=False, allow_blank=True, help_text="Left out: the motion's own words."
    )
    starts_at = serializers.DateTimeField(
        required=False,
        allow_null=True,
        help_text="Left out: when it is approved. Without an offset: England's time.",
        error_messages={"invalid": MOMENT},
    )
    ends_at = serializers.DateTimeField(required=False, allow_null=True, error_messages={"invalid": MOMENT})
    end_condition = serializers.CharField(
        max_length=200, required=False, allow_blank=True, help_text="How long it is meant to last, in words."
    )
    review_on = serializers.DateField(required=False, allow_null=True, error_messages={"invalid": DATE})
    reason = serializers.CharField(
        max_length=1000,
        help_text="20 to 1,000 characters.",
        error_messages=_needed("Enter a reason for the change")
        | {"max_length": "Reason must be between 20 and 1,000 characters"},
    )


class NewChangeShape(ContentShape):
    """A change of one line of policy."""

    line = serializers.UUIDField(
        allow_null=True,
        help_text="Which policy it changes, `line` of its positions. Null: a new one beside those there are.",
        error_messages={"required": "Select which policy it changes; null is a new one"},
    )


class EditChangeShape(ContentShape):
    """The whole change, written again."""

    seen = serializers.CharField(error_messages=_needed(SEEN))


class SeenShape(StrictSerializer):
    """What was before the eyes of whoever asks."""

    seen = serializers.CharField(error_messages=_needed(SEEN))


class CommentShape(StrictSerializer):
    """Why."""

    comment = serializers.CharField(
        max_length=1000,
        error_messages=_needed("Enter a reason") | {"max_length": "Reason must be 1,000 characters or less"},
    )


class ApprovalShape(SeenShape):
    """All that an approval takes."""

    phrase = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=100,
        help_text="`phrase` of its impact, to the letter. Left out where none is asked for.",
    )
    comment = serializers.CharField(
        max_length=1000,
        error_messages=_needed("Enter a comment")
        | {"max_length": "Comment must be 1,000 characters or less"},
    )
    password = serializers.CharField(
        trim_whitespace=False,
        write_only=True,
        max_length=4096,
        help_text="Of the person whose token this is, typed now. A token alone approves nothing.",
        error_messages=_needed("Enter your password"),
    )


def content_from(sent: dict[str, Any]) -> Content:
    """What a valid body says."""
    given = {
        name: value
        for name, value in sent.items()
        if name in Content.__dataclass_fields__ and value is not None
    }
    starts: datetime.datetime | None = given.pop("starts_at", None)
    return Content(
        **given
        | {
            "position": Position(sent["position"]),
            "strength": Strength(sent["strength"]),
            "data_scope": DataScope(sent["data_scope"]),
            "starts_at": starts,
        }
    )


BOYCOTT = {
    "line": None,
    "motion": "6f0c7f0e-2a5b-4d57-9c0a-2f4f3c1b7e52",
    "position": "NON_COOPERATION",
    "strength": "ADVICE",
    "data_scope": "ALL",
    "reason": "Adopted by the annual representative meeting.",
    "end_condition": "Until the independent evaluation is published",
}
IN_ONE_REGION = BOYCOTT | {"region_codes": ["Y56"], "starts_at": "2036-07-02T06:00:00+01:00"}
SEEN_EXAMPLE = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
APPROVAL = {
    "seen": SEEN_EXAMPLE,
    "phrase": "START BOYCOTT",
    "comment": "As the meeting decided.",
    "password": "a password",
}
COMMENT = {"comment": "The motion was overtaken by the statement of 4 July"}


def _sent(name: str, value: dict[str, Any]) -> OpenApiExample:
    return OpenApiExample(name, value=value, request_only=True)


OF_DRAFT = [
    _sent("A boycott of all England, from its approval on", BOYCOTT),
    _sent("The same in one region, from a date on", IN_ONE_REGION),
]
OF_EDIT = [
    _sent(
        "Written again",
        {name: value for name, value in BOYCOTT.items() if name != "line"} | {"seen": SEEN_EXAMPLE},
    )
]
OF_SEEN = [_sent("What was seen", {"seen": SEEN_EXAMPLE})]
OF_APPROVAL = [_sent("With the phrase and one's own password", APPROVAL)]
OF_COMMENT = [_sent("With a reason", COMMENT)]
