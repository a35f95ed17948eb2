"""The form of a change of policy, with the error texts of the screens design."""

import datetime
import re
import uuid
from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils import timezone

from boycott.content import Content
from boycott.forms import LONGEST_TEXT, Prose
from boycott.lines import Line
from boycott.models import ChangeContent, MotionRevision
from boycott.positions import DataScope, Position, Strength
from carerecords.clock_times import ClockField
from carerecords.date_parts import DatePartsField
from carerecords.formats import nhs_date

NOW, LATER, NEW_LINE = "NOW", "LATER", "new"
SIX = datetime.time(6)


class CodesField(forms.CharField):
    """Codes typed with anything between them; cleans to a set of them."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, max_length=20_000, **kwargs)

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value) or ""
        return frozenset(re.findall(r"[A-Z0-9]+", text.upper()))

    def run_validators(self, value: Any) -> None:
        """Whether they exist, the action says."""


def _choice(label: str, choices: Sequence[tuple[str, str]], missing: str, **kwargs: Any) -> forms.ChoiceField:
    return forms.ChoiceField(
        label=label,
        choices=choices,
        widget=forms.RadioSelect,
        error_messages={"required": missing, "invalid_choice": missing},
        **kwargs,
    )


class ChangeForm(forms.Form):
    """From the position of a line of policy to another one. `lines` None: the line is settled."""

    position = _choice("What should the position be?", Position.choices(), "Select the position")
    data_scope = _choice("What is it about?", DataScope.choices(), "Select what it is about")
    strength = _choice("Whom does it bind?", Strength.choices(), "Select whom it binds")
    region_codes = forms.MultipleChoiceField(
        label="Regions (optional)",
        help_text="Select none, and name no places below, for all England.",
        required=False,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": "Select regions from the list"},
    )
    icb_codes = CodesField(
        label="Integrated care boards (optional)", help_text="Their codes, for example QVV QUY"
    )
    ods_codes = CodesField(
        label="Practices (optional)", help_text="Their ODS codes, for example J81012 L81001"
    )
    exempt_ods_codes = CodesField(
        label="Practices that are exempt (optional)",
        help_text="ODS codes. In 2007 the early adopters were.",
    )
    text = Prose(
        label="Words that practices read (optional)",
        help_text="Leave empty to use the motion’s own words.",
        required=False,
        max_length=LONGEST_TEXT,
        error_messages={"max_length": "Words that practices read must be 10,000 characters or less"},
    )
    start = _choice(
        "When does it start?",
        [(NOW, "As soon as it is approved"), (LATER, "On a date and time")],
        "Select when it starts",
    )
    start_time = ClockField(label="Start time", help_text="For example, 6am or midday", required=False)
    end_condition = forms.CharField(
        label="Meant to last (optional)",
        help_text="In words, for example: until the independent evaluation is published",
        max_length=200,
        required=False,
        error_messages={"max_length": "Meant to last must be 200 characters or less"},
    )
    reason = Prose(
        label="Reason for the change",
        help_text="20 to 1,000 characters. It is kept in the history.",
        min_length=20,
        max_length=1000,
        error_messages={
            "required": "Enter a reason for the change",
            "min_length": "Reason must be between 20 and 1,000 characters",
            "max_length": "Reason must be between 20 and 1,000 characters",
        },
    )
    field_order = [
        "line",
        "motion",
        "position",
        "data_scope",
        "strength",
        "text",
        "region_codes",
        "icb_codes",
        "ods_codes",
        "exempt_ods_codes",
        "start",
        "start_on",
        "start_time",
        "last_day",
    ]

    def __init__(
        self,
        *args: Any,
        motions: Sequence[MotionRevision],
        regions: Sequence[tuple[str, str]],
        lines: Sequence[Line] | None,
        today: datetime.date,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        if lines:
            choices = [(str(line.id), line.words) for line in lines]
            choices.append((NEW_LINE, "A new policy beside these"))
            self.fields["line"] = _choice(
                "Which policy does it change?", choices, "Select which policy it changes"
            )
        self.fields["motion"] = _choice(
            "Which motion does it rest on?",
            [(str(one.motion), _named(one)) for one in motions],
            "Select the motion that this rests on",
        )
        self.fields["region_codes"].choices = list(regions)  # type: ignore[attr-defined]
        self.fields["start_on"] = DatePartsField(label="Start date", earliest=today, required=False)
        self.fields["last_day"] = DatePartsField(
            label="Last day it applies",
            help_text="Optional. It ends at the midnight that follows.",
            earliest=today,
            required=False,
        )
        self.fields["review_on"] = DatePartsField(
            label="Review date", help_text="Optional", earliest=today, required=False
        )
        self.order_fields([*self.field_order, "end_condition", "review_on", "reason"])

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if values.get("start") == LATER:
            if not values.get("start_on") and "start_on" not in self.errors:
                self.add_error("start_on", "Enter the start date")
            if not values.get("start_time") and "start_time" not in self.errors:
                self.add_error("start_time", "Enter the start time")
        return values

    def content(self) -> Content:
        """What a valid form says."""
        values = self.cleaned_data
        later = values["start"] == LATER
        return Content(
            motion=uuid.UUID(values["motion"]),
            position=Position(values["position"]),
            reason=values["reason"],
            strength=Strength(values["strength"]),
            data_scope=DataScope(values["data_scope"]),
            region_codes=frozenset(values["region_codes"]),
            icb_codes=values["icb_codes"],
            ods_codes=values["ods_codes"],
            exempt_ods_codes=values["exempt_ods_codes"],
            text=values["text"],
            starts_at=_moment(values["start_on"], values["start_time"]) if later else None,
            ends_at=_after(values["last_day"]),
            end_condition=values["end_condition"],
            review_on=values["review_on"],
        )

    # Where the form shows what an action says of a field of the content.
    SHOWN_AT = {"starts_at": "start_on", "ends_at": "last_day", "seen": None}


def empty(today: datetime.date) -> dict[str, Any]:
    """What a new form has in it: tomorrow at six, should it start later."""
    return {"start_on": today + datetime.timedelta(days=1), "start_time": SIX}


def initial_of(content: ChangeContent, today: datetime.date) -> dict[str, Any]:
    """What the form has in it to write a change again."""
    codes = {
        name: " ".join(getattr(content, name)) for name in ("icb_codes", "ods_codes", "exempt_ods_codes")
    }
    starts = timezone.localtime(content.starts_at) if content.starts_at else None
    ends = timezone.localtime(content.ends_at) if content.ends_at else None
    when = {"start": NOW} | empty(today)
    if starts:
        when = {"start": LATER, "start_on": starts.date(), "start_time": starts.time()}
    return (
        codes
        | when
        | {
            "motion": str(content.motion.motion),
            "position": content.position,
            "data_scope": content.data_scope,
            "strength": content.strength,
            "region_codes": content.region_codes,
            "text": "" if content.text == content.motion.text else content.text,
            "last_day": (ends - datetime.timedelta(microseconds=1)).date() if ends else None,
            "end_condition": content.end_condition,
            "review_on": content.review_on,
            "reason": content.reason,
        }
    )


class CommentForm(forms.Form):
    """Why a change is rejected or cancelled."""

    comment = Prose(
        label="Reason",
        help_text="Its authors read it.",
        max_length=1000,
        error_messages={
            "required": "Enter a reason",
            "max_length": "Reason must be 1,000 characters or less",
        },
    )


class ApprovalForm(forms.Form):
    """The phrase, where one is asked for, and a comment: all that is wrong with them is told at once.

    The action has the last word on both.
    """

    phrase = forms.CharField(required=False)
    comment = Prose(
        label="Comment",
        help_text="Why you approve. It is kept with the change.",
        max_length=1000,
        error_messages={
            "required": "Enter a comment",
            "max_length": "Comment must be 1,000 characters or less",
        },
    )

    def __init__(self, *args: Any, asked: str | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.asked = asked
        if asked:
            self.fields["phrase"].label = f"Type {asked} to approve"
        else:
            del self.fields["phrase"]

    def clean_phrase(self) -> str:
        phrase: str = self.cleaned_data["phrase"]
        if phrase != self.asked:
            raise forms.ValidationError(f"Type {self.asked} to approve")
        return phrase


def _named(motion: MotionRevision) -> str:
    meeting = f"{motion.meeting}, {nhs_date(motion.met_on)}"
    return f"{motion.title} ({motion.get_status_display().lower()}; {meeting})"


def _moment(day: datetime.date, clock: datetime.time) -> datetime.datetime:
    return timezone.make_aware(datetime.datetime.combine(day, clock))


def _after(day: datetime.date | None) -> datetime.datetime | None:
    """The end of a day, which is the midnight that follows it."""
    return _moment(day + datetime.timedelta(days=1), datetime.time.min) if day else None
