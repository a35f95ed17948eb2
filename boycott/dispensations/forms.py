"""Forms of dispensations: asking for one, and deciding on it."""

import datetime
from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils import timezone

from boycott.change_forms import CodesField
from boycott.forms import Prose
from boycott.models import PositionRevision
from carerecords.date_parts import DatePartsField
from carerecords.formats import nhs_date

POSITION = "Select the position that they are released from"
# For each thing that can be done with one: the question, and a hint.
QUESTIONS = {
    "agree": ("Why do you agree?", "It is kept with the dispensation."),
    "refuse": ("Why not?", "Whoever asked reads it."),
    "take_back": ("Why is it taken back?", "It is kept with the dispensation."),
    "end": ("Why does it end before its time?", "It is kept with the dispensation."),
}


class DispensationForm(forms.Form):
    """Which practices are released, from what, for how long and why."""

    ods_codes = CodesField(label="Practices", help_text="Their ODS codes, for example J81012 L81001")
    reason = Prose(
        label="Reason",
        help_text="20 to 1,000 characters. The practices read it. Name no patient.",
        min_length=20,
        max_length=1000,
        error_messages={"required": "Enter a reason"}
        | dict.fromkeys(("min_length", "max_length"), "Reason must be between 20 and 1,000 characters"),
    )

    # Where the form shows what an action says.
    SHOWN_AT = {"starts_at": "starts_on", "ends_at": "last_day"}

    def __init__(
        self, *args: Any, positions: Sequence[PositionRevision], today: datetime.date, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.today = today
        self.fields["revision"] = forms.ChoiceField(
            label="Which position are they released from?",
            choices=[(str(one.pk), named(one)) for one in positions],
            widget=forms.RadioSelect,
            error_messages={"required": POSITION, "invalid_choice": POSITION},
        )
        self.fields["starts_on"] = DatePartsField(
            label="First day (optional)",
            help_text="Leave empty for the moment at which a colleague agrees.",
            earliest=today,
            required=False,
        )
        self.fields["last_day"] = DatePartsField(
            label="Last day", help_text="It ends at the midnight that follows.", earliest=today
        )
        self.order_fields(["revision", "ods_codes", "starts_on", "last_day", "reason"])

    def clean_ods_codes(self) -> frozenset[str]:
        codes: frozenset[str] = self.cleaned_data["ods_codes"]
        if not codes:
            raise forms.ValidationError("Enter the practices that are released")
        return codes

    def asked(self, at: datetime.datetime) -> dict[str, Any]:
        """What a valid form asks for, as the action takes it."""
        values = self.cleaned_data
        starts, after = values["starts_on"], values["last_day"] + datetime.timedelta(days=1)
        return {
            "revision": int(values["revision"]),
            "ods_codes": values["ods_codes"],
            "starts_at": max(at, _midnight(starts)) if starts else at,
            "ends_at": _midnight(after),
            "reason": values["reason"],
        }


class DecisionForm(forms.Form):
    """One text, whatever is done with the dispensation."""

    comment = Prose(
        max_length=1000,
        error_messages={
            "required": "Enter a reason",
            "max_length": "Reason must be 1,000 characters or less",
        },
    )

    def __init__(self, *args: Any, does: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs | {"auto_id": f"id_{does}_%s"})
        self.fields["comment"].label, self.fields["comment"].help_text = QUESTIONS[does]


def named(revision: PositionRevision) -> str:
    """A position in one line."""
    about = f", {revision.get_data_scope_display().lower()}" if revision.data_scope != "ALL" else ""
    return (
        f"{revision.body}: {revision.get_position_display()}{about} "
        f"({revision.where}; from {nhs_date(revision.effective_from)})"
    )


def _midnight(day: datetime.date) -> datetime.datetime:
    return timezone.make_aware(datetime.datetime.combine(day, datetime.time.min))
