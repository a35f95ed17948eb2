"""Forms of the emergency stop."""

from typing import Any

from django import forms


class StopForm(forms.Form):
    """Why uploads stop, or may run again."""

    reason = forms.CharField(
        label="Reason",
        help_text="Everybody sees it on every page while uploads are stopped. Name no patient.",
        widget=forms.Textarea,
        max_length=1000,
        error_messages={
            "required": "Enter a reason",
            "max_length": "Reason must be 1,000 characters or less",
        },
    )


class ResumeForm(StopForm):
    """Why uploads may run again; kept in the history."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].label = "Why may uploads run again?"
        self.fields["reason"].help_text = "It is kept in the history."
