"""Forms of the reading floor: turning refusals into a stance, and asking for a projection."""

import datetime
from collections.abc import Sequence
from typing import Any

from django import forms

from boycott.forms import Prose
from boycott.positions import Stance
from boycott.surveys.queries import Results
from carerecords.date_parts import DatePartsField
from reports.projection import LONGEST


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


def _whole(label: str, help_text: str, least: int, most: int) -> forms.IntegerField:
    wrong = f"{label} must be a whole number from {least} to {most}"
    return forms.IntegerField(
        label=label,
        help_text=help_text,
        min_value=least,
        max_value=most,
        widget=forms.TextInput,
        error_messages=dict.fromkeys(("required", "invalid", "min_value", "max_value"), wrong),
    )


class ProjectionForm(forms.Form):
    """Which answers speak for all, and how much of what was said is done."""

    survey = forms.ChoiceField(
        label="Survey",
        error_messages={"required": "Select a survey", "invalid_choice": "Select a survey"},
    )
    factor = _whole(
        "Intentions that become actions, in 100",
        "61, if the 75% of 2007 who said they would follow had acted as the 46% of 2024 did.",
        0,
        100,
    )
    months = _whole("Months of rollout", "It was planned over 18 in 2007.", 1, LONGEST)
    reachable = _whole(
        "Patients who can be uploaded at all, in 100",
        "About 1 in 100 refuses.",
        1,
        100,
    )

    def __init__(self, *args: Any, surveys: Sequence[Results], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._surveys = {str(one.standing.survey.public_id): one for one in surveys}
        field = self.fields["survey"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(key, one.standing.wording.title) for key, one in self._surveys.items()]

    @property
    def chosen(self) -> Results:
        """The survey, of a form that is valid."""
        return self._surveys[self.cleaned_data["survey"]]
