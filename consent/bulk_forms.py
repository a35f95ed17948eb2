"""The one answer for all patients of a bulk run: a form for each kind that people may choose."""

import datetime
from collections.abc import Collection
from typing import Any

from django import forms

from carerecords.date_parts import DatePartsField
from carerecords.permissions import Permission
from carerecords.vocabulary import Term
from consent.codes import NEEDS_REFERENCE, TOLD, BulkKind, Preference, Source
from consent.forms import FIRST_DAY, Note

# What a role needs for each kind, in the order of the buttons.
OFFERED = {
    BulkKind.REFUSAL: Permission.BULK_REFUSAL,
    BulkKind.LETTER: Permission.BULK_REFUSAL,
    BulkKind.DEFERRAL: Permission.BULK_REFUSAL,
    BulkKind.CONSENT: Permission.BULK_CONSENT,
}
# A representative is one patient's own, so it is recorded one by one.
WAYS = [way for way in TOLD if way is not Source.REPRESENTATIVE]
LONGEST_DEFERRAL = datetime.timedelta(days=366)


class ExportReason(Term):
    """Why patients are taken out of the service. A fixed list: the access log never holds names."""

    WRITE = "WRITE", "To write to these patients"
    CHECK = "CHECK", "To check decisions against paper or another system"
    CARE = "DIRECT_CARE", "To plan these patients’ care"
    ASKED = "ASKED_FOR", "A privacy officer or auditor asked for it"


class _Answers(forms.Form):
    """What every kind has: a form that knows the day and the role."""

    day: DatePartsField

    def __init__(self, *args: Any, may: Collection[Permission], today: datetime.date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.may, self.today = may, today

    @property
    def answer(self) -> dict[str, Any]:
        """The valid answers as `bulk_runs.freeze` takes them."""
        return {name: self.cleaned_data[name] for name in self.fields}


def _reason(longest: int) -> Note:
    return Note(
        label="Reason for this change",
        help_text="Stands in the history of each patient. Do not write about one patient",
        max_length=longest,
        error_messages={
            "required": "Type a reason for this change",
            "max_length": f"Reason for this change must be {longest:,} characters or less",
        },
    )


def _reference(label: str, **options: Any) -> forms.CharField:
    return forms.CharField(
        label=label,
        max_length=50,
        required=False,
        error_messages={"max_length": f"{label} must be 50 characters or less"},
        **options,
    )


class _DecisionAnswers(_Answers):
    preference: Preference
    source = forms.ChoiceField(
        label="How did the patients tell you?",
        choices=[(way.value, way.label) for way in WAYS],
        widget=forms.RadioSelect,
        error_messages={
            "required": "Select how the patients told you",
            "invalid_choice": "Select how the patients told you",
        },
    )
    reference = _reference("Letter or form reference")
    note = _reason(1000)
    field_order = ["source", "day", "reference", "note"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["day"] = DatePartsField(label="Date of decision", earliest=FIRST_DAY, latest=self.today)
        self.fields["reference"].help_text = "Needed for letters and forms"
        self.order_fields(self.field_order)

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        missing = not values.get("reference") and "reference" not in self.errors
        if missing and self.needs_reference(values.get("source")):
            self.add_error("reference", "Enter a letter or form reference")
        return values

    def needs_reference(self, source: str | None) -> bool:
        """Paper has a reference; some roles need one whatever the way."""
        return source in NEEDS_REFERENCE

    @property
    def answer(self) -> dict[str, Any]:
        return super().answer | {"preference": self.preference}


class RefusalAnswers(_DecisionAnswers):
    """The patients refuse."""

    preference = Preference.EXPRESS_DISSENT


class ConsentAnswers(_DecisionAnswers):
    """The patients consent, to core only: additional information is asked for one by one."""

    preference = Preference.EXPRESS_CORE

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self._trusted:
            self.fields["reference"].help_text = "Needed for consent, and for letters and forms"

    def needs_reference(self, source: str | None) -> bool:
        return not self._trusted or super().needs_reference(source)

    @property
    def _trusted(self) -> bool:
        return Permission.RECORD_CONSENT_WITHOUT_REFERENCE in self.may


class LetterAnswers(_Answers):
    """A notice letter was sent to the patients."""

    reference = _reference(
        "Which letter (optional)", help_text="So that you find it again, for example Notice of March"
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["day"] = DatePartsField(
            label="Date the letters were sent", earliest=FIRST_DAY, latest=self.today
        )
        self.order_fields(["day", "reference"])


class DeferralAnswers(_Answers):
    """The patients are asked again later."""

    note = _reason(200)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["day"] = DatePartsField(
            label="Date to ask again",
            earliest=self.today + datetime.timedelta(days=1),
            latest=self.today + LONGEST_DEFERRAL,
            latest_text="within a year from today",
        )
        self.fields["note"].help_text = "Do not write about one patient"
        self.order_fields(["day", "note"])


FORMS: dict[BulkKind, type[_Answers]] = {
    BulkKind.REFUSAL: RefusalAnswers,
    BulkKind.CONSENT: ConsentAnswers,
    BulkKind.LETTER: LetterAnswers,
    BulkKind.DEFERRAL: DeferralAnswers,
}


class ExportForm(forms.Form):
    """Asked before patients leave the service in a file."""

    reason = forms.ChoiceField(
        label="Why do you need patient details?",
        choices=ExportReason.choices(),
        widget=forms.RadioSelect,
        error_messages={
            "required": "Select why you need patient details",
            "invalid_choice": "Select why you need patient details",
        },
    )
