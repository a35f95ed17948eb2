"""The form that turns refusals into a stance."""

import datetime
from typing import Any

from django import forms

from boycott.forms import Prose
from boycott.positions import Stance
from carerecords.date_parts import DatePartsField


class ConversionForm(forms.Form):
    """What the practice says itself, who agreed, and why the refusals are not the patients'."""

    stance = forms.ChoiceField(
        label="What does the practice say instead?",
        choices=[
            (Stance.HOLD.value, "Hold uploads whatever the policy"),
            (Stance.FOLLOW.value, "Follow the BMA policy"),
        ],
        widget=forms.RadioSelect,
        error_messages={
            "required": "Select what the practice says instead",
            "invalid_choice": "Select what the practice says instead",
        },
    )
    agreed_by = forms.CharField(
        label="Who agreed this",
        help_text="For example, the partners' meeting",
        max_length=200,
        error_messages={
            "required": "Enter who agreed this",
            "max_length": "Who agreed this must be 200 characters or less",
        },
    )
    note = Prose(
        label="Why these refusals are not the patients' own",
        help_text="20 to 1,000 characters. It stands in each patient's history.",
        min_length=20,
        max_length=1000,
        error_messages={
            "required": "Enter why these refusals are not the patients' own",
            "min_length": "Reason must be between 20 and 1,000 characters",
            "max_length": "Reason must be between 20 and 1,000 characters",
        },
    )

    field_order = ["stance", "agreed_by", "agreed_on", "note"]

    def __init__(self, *args: Any, today: datetime.date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["agreed_on"] = DatePartsField(
            label="Date it was agreed", earliest=datetime.date(2007, 4, 1), latest=today
        )
        self.order_fields(self.field_order)
