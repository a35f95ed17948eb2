"""Forms of guidance."""

from collections.abc import Sequence
from typing import Any

from django import forms

from boycott.forms import Prose
from boycott.models import ChangeStep, PolicyChange

LONGEST = 20_000
BY_ITSELF = "none"


class GuidanceForm(forms.Form):
    """One writing of a page. `published` pages have readers, who are told what is new."""

    title = forms.CharField(
        label="Title",
        help_text="For example, Practical steps for GPs",
        max_length=100,
        error_messages={
            "required": "Enter a title",
            "max_length": "Title must be 100 characters or less",
        },
    )
    text = Prose(
        label="Text",
        max_length=LONGEST,
        error_messages={
            "required": "Enter the text",
            "max_length": "Text must be 20,000 characters or less",
        },
    )
    changed = forms.CharField(
        label="What is new in this version?",
        help_text="One sentence for practices that have read the version before.",
        max_length=300,
        error_messages={
            "required": "Enter what is new in this version",
            "max_length": "What is new must be 300 characters or less",
        },
    )
    publish_with = forms.ChoiceField(
        label="When is it published?",
        widget=forms.RadioSelect,
        error_messages={
            "required": "Select when it is published",
            "invalid_choice": "Select when it is published",
        },
    )

    def __init__(self, *args: Any, published: bool, changes: Sequence[ChangeStep], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not published:
            del self.fields["changed"]
        self._changes = {str(step.change.public_id): step.change for step in changes}
        choices = [
            *((str(step.change.public_id), f"With the change: {_name(step)}") for step in changes),
            (BY_ITSELF, "By itself, as soon as another policy admin publishes it"),
        ]
        field = self.fields["publish_with"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices

    @property
    def change(self) -> PolicyChange | None:
        """The change it is published with, of a form that is valid."""
        return self._changes.get(self.cleaned_data["publish_with"])


class AcknowledgeForm(forms.Form):
    """A GP speaks for the practice as its partner; a practice manager need not say so."""

    is_partner = forms.BooleanField(
        label="I am a partner in this practice",
        error_messages={"required": "Confirm that you are a partner, or ask one to acknowledge it"},
    )

    def __init__(self, *args: Any, asks: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not asks:
            del self.fields["is_partner"]


def _name(step: ChangeStep) -> str:
    return f"{step.content.get_position_display()}, after {step.content.motion.title}"
