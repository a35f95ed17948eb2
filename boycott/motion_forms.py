"""The form of a motion, with the error texts of the screens design."""

from typing import Any

from django import forms

from boycott.forms import LONGEST_TEXT, Prose
from boycott.motions import MotionContent
from boycott.positions import Direction, MotionStatus
from carerecords.date_parts import DatePartsField

_NUMBER = {"invalid": "Votes must be a whole number", "min_value": "Votes must be 0 or more"}
MOST_VOTES = 1_000_000


def _line(label: str, most: int, missing: str, hint: str = "") -> forms.CharField:
    errors = {"max_length": f"{label.removesuffix('?')} must be {most} characters or less"}
    if missing:
        errors["required"] = missing
    return forms.CharField(
        label=label, help_text=hint, max_length=most, required=bool(missing), error_messages=errors
    )


def _votes(label: str) -> forms.IntegerField:
    errors = _NUMBER | {"max_value": "Votes must be 1,000,000 or less"}
    return forms.IntegerField(
        label=label, required=False, min_value=0, max_value=MOST_VOTES, error_messages=errors
    )


class MotionForm(forms.Form):
    """What is recorded of a motion; `revises` also asks why it is changed."""

    title = _line("Short title", 100, "Enter a short title", "As lists name it.")
    body = _line("Body", 100, "Enter the body whose motion it is", "For example, BMA")
    meeting = _line(
        "Meeting", 200, "Enter the meeting", "For example, Annual Representative Meeting 2007, Torquay"
    )
    text = Prose(
        label="Full wording",
        max_length=LONGEST_TEXT,
        error_messages={
            "required": "Enter the full wording of the motion",
            "max_length": "Full wording must be 10,000 characters or less",
        },
    )
    proposer = _line("Proposer (optional)", 100, "")
    votes_for = _votes("For")
    votes_against = _votes("Against")
    votes_abstained = _votes("Abstained")
    status = forms.ChoiceField(
        label="What became of it?",
        choices=MotionStatus.choices(),
        widget=forms.RadioSelect,
        error_messages={"required": "Select what became of it", "invalid_choice": "Select what became of it"},
    )
    direction = forms.ChoiceField(
        label="What does it ask of practices?",
        choices=Direction.choices(),
        widget=forms.RadioSelect,
        error_messages={"required": "Select what it asks", "invalid_choice": "Select what it asks"},
    )
    reason = _line("Why is it changed?", 1000, "Enter a reason for the change", "It is kept in the history.")

    field_order = ["title", "body", "meeting", "met_on", "text", "proposer"]

    def __init__(self, *args: Any, revises: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["met_on"] = DatePartsField(label="Date of the meeting")
        if not revises:
            del self.fields["reason"]
        self.order_fields(self.field_order)

    def content(self) -> MotionContent:
        """What a valid form says."""
        values = {name: value for name, value in self.cleaned_data.items() if name != "reason"}
        values |= {"status": MotionStatus(values["status"]), "direction": Direction(values["direction"])}
        return MotionContent(**values)
