"""Forms of the emergency stop: each asks for one text, and says whose eyes it meets."""

from typing import Any

from django import forms

from boycott.forms import Prose

# For each thing that can be done: the question, and a hint.
QUESTIONS = {
    "stop": ("Reason", "Everybody sees it on every page while uploads are stopped. Name no patient."),
    "review": ("What did you find?", "Why the stop is right. It is kept in the history."),
    "ask": ("Why may uploads run again?", "A second national admin reads it, and it is kept in the history."),
    "agree": ("Why do you agree?", "It is kept in the history."),
    "decline": ("Why not?", "It is kept in the history."),
}


class StopForm(forms.Form):
    """One text, whatever is done with it."""

    reason = Prose(
        max_length=1000,
        error_messages={
            "required": "Enter a reason",
            "max_length": "Reason must be 1,000 characters or less",
        },
    )

    def __init__(self, *args: Any, does: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs | {"auto_id": f"id_{does}_%s"})
        self.fields["reason"].label, self.fields["reason"].help_text = QUESTIONS[does]
