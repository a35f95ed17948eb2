"""Forms for the union's position and the answers to it, with the error texts of the screens design."""

import datetime
from typing import Any

from django import forms

from boycott.positions import GpStance, Stance
from carerecords.date_parts import DatePartsField

LONGEST_TEXT = 10_000


class Prose(forms.CharField):
    """Typed text, with one character a line break as the browser's counter has it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=forms.Textarea, **kwargs)

    def to_python(self, value: Any) -> str:
        return (super().to_python(value) or "").replace("\r\n", "\n")


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
