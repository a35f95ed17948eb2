"""The forms that put decisions right."""

from django import forms

from carerecords.models import Patient
from consent.forms import Note
from consent.queries import was_sent


class InvalidForm(forms.Form):
    """Why a decision is marked as recorded in error."""

    note = Note(
        label="Why is this decision not right?",
        help_text="For example, it was recorded for the wrong patient. Everybody who opens the record reads this",
        max_length=1000,
        error_messages={
            "required": "Enter why this decision is not right",
            "max_length": "Reason must be 1,000 characters or less",
        },
    )


class ConfirmForm(forms.Form):
    """One of two decisions that disagree, confirmed on a page that showed both."""

    seen = forms.UUIDField()
    form_key = forms.UUIDField()

    def was_sent(self, patient: Patient) -> bool:
        """Whether this form made a decision already."""
        return was_sent(patient, self.cleaned_data["form_key"])
