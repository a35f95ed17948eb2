"""Forms for the union's position and the answers to it, with the error texts of the screens design."""

import datetime
from typing import Any

from django import forms

from boycott.positions import GpStance, Position, Stance
from carerecords.date_parts import DatePartsField

LONGEST_TEXT = 10_000


class Prose(forms.CharField):
    """Typed text, with one character a line break as the browser's counter has it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=forms.Textarea, **kwargs)

    def to_python(self, value: Any) -> str:
        return (super().to_python(value) or "").replace("\r\n", "\n")


class PositionForm(forms.Form):
    """From the position in force to another, in the body's own words and with a reason."""

    position = forms.ChoiceField(
        label="What is the BMA's position now?",
        choices=Position.choices(),
        widget=forms.RadioSelect,
        error_messages={
            "required": "Select the BMA's position",
            "invalid_choice": "Select the BMA's position",
        },
    )
    text = Prose(
        label="Text of the motion or statement",
        help_text="In its own words, with the meeting and the date. Everybody sees it.",
        max_length=LONGEST_TEXT,
        error_messages={
            "required": "Enter the words of the motion or statement",
            "max_length": "Text of the motion or statement must be 10,000 characters or less",
        },
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

    def __init__(self, *args: Any, now: Position | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.now = now

    def clean_position(self) -> Position:
        position = Position(self.cleaned_data["position"])
        if position is self.now:
            raise forms.ValidationError("This is the position already")
        return position


class PhraseForm(forms.Form):
    """The words typed before a boycott starts or ends. Whether they are right, the action decides."""

    phrase = forms.CharField(max_length=100, required=False)

    def __init__(self, *args: Any, asked: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["phrase"].label = f"Type {asked} to confirm"


class StanceForm(forms.Form):
    """A practice's answer, and who agreed to it."""

    stance = forms.ChoiceField(
        label="How does your practice respond to the BMA policy?",
        choices=Stance.choices(),
        widget=forms.RadioSelect,
        error_messages={
            "required": "Select how your practice responds",
            "invalid_choice": "Select how your practice responds",
        },
    )
    agreed_by = forms.CharField(
        label="Who agreed this?",
        help_text="For example, the partners, or the name of the partner who signed.",
        max_length=100,
        error_messages={
            "required": "Enter who agreed this",
            "max_length": "Who agreed this must be 100 characters or less",
        },
    )
    note = Prose(
        label="Note (optional)",
        help_text="For example, where the minutes are kept.",
        max_length=1000,
        required=False,
        error_messages={"max_length": "Note must be 1,000 characters or less"},
    )

    field_order = ["stance", "agreed_by", "agreed_on", "note"]

    def __init__(self, *args: Any, today: datetime.date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["agreed_on"] = DatePartsField(label="Date it was agreed", latest=today)
        self.order_fields(self.field_order)

    def clean_stance(self) -> Stance:
        return Stance(self.cleaned_data["stance"])


class GpStanceForm(forms.Form):
    """A GP's own answer for their patients."""

    stance = forms.ChoiceField(
        label="What applies to your own patients?",
        choices=GpStance.choices(),
        widget=forms.RadioSelect,
        error_messages={
            "required": "Select what applies to your patients",
            "invalid_choice": "Select what applies to your patients",
        },
    )
    note = Prose(
        label="Note (optional)",
        max_length=1000,
        required=False,
        error_messages={"max_length": "Note must be 1,000 characters or less"},
    )

    def clean_stance(self) -> GpStance:
        return GpStance(self.cleaned_data["stance"])
