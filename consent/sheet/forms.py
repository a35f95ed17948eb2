"""The forms of the sheet: which patients, what stands at its top, and why a decision is put off."""

import datetime
from collections.abc import Collection, Sequence
from typing import Any

from django import forms

from carerecords.date_parts import DatePartsField
from carerecords.formats import nhs_date, plural
from carerecords.permissions import Permission
from carerecords.vocabulary import Term
from consent.actions import Evidence
from consent.codes import TOLD, Preference, Source
from consent.forms import FIRST_DAY, Note, lacks_reference
from consent.sheet.choosing import SIZES
from consent.usual_gps import UsualGp

# What a row offers. Additional information is asked for on the patient's own page only.
ANSWERS = {Preference.EXPRESS_CORE: "Consents", Preference.EXPRESS_DISSENT: "Refuses"}
# A representative must be named for each patient, for which a sheet has no room.
SOURCES = [source for source in TOLD if source is not Source.REPRESENTATIVE]


class By(Term):
    """How the patients of a sheet are chosen."""

    OLDEST = "OLDEST", "Registered longest without a decision"
    GP = "GP", "Patients of one GP"
    LETTERS = "LETTERS", "Patients who were sent a letter"
    LINES = "LINES", "Today’s surgery list"


class WhyDeferred(Term):
    """Why a decision is put off."""

    TIME = "TIME", "The patient asked for more time"
    NOT_ASKED = "NOT_ASKED", "The patient could not be asked"
    HELP = "HELP", "The patient needs somebody to help them decide"
    INFORMATION = "INFORMATION", "The patient needs more information, or an interpreter"
    OTHER = "OTHER", "Another reason"


class AskAgain(Term):
    """When to ask again; the value is a number of days."""

    WEEK = "7", "In 1 week"
    MONTH = "28", "In 4 weeks"
    QUARTER = "91", "In 3 months"


class StartForm(forms.Form):
    """One way to start a sheet; the page has a form for each."""

    by = forms.ChoiceField(choices=By.choices(), widget=forms.HiddenInput)
    sheet = forms.UUIDField(widget=forms.HiddenInput)
    size = forms.ChoiceField(label="How many patients?", choices=[(str(size), str(size)) for size in SIZES])
    gp = forms.ChoiceField(label="Usual GP", error_messages={"required": "Select a GP"})
    sent_on = forms.ChoiceField(label="Letters sent on", error_messages={"required": "Select a letter batch"})
    lines = Note(
        label="NHS number and date of birth of each patient",
        help_text="One patient a line, for example 999 123 4567 12/05/1945. Up to 100 patients",
        max_length=10_000,
        error_messages={
            "required": "Enter the NHS number and date of birth of each patient",
            "max_length": "List must be 10,000 characters or less",
        },
    )

    def __init__(
        self,
        *args: Any,
        by: By,
        gps: Sequence[UsualGp],
        letters: Sequence[tuple[datetime.date, int]],
        **kwargs: Any,
    ) -> None:
        kwargs["auto_id"] = f"{by.value.lower()}_%s"
        super().__init__(*args, **kwargs)
        wanted = {By.GP: {"gp", "size"}, By.LETTERS: {"sent_on", "size"}, By.LINES: {"lines"}}
        for name in {"size", "gp", "sent_on", "lines"} - wanted.get(by, {"size"}):
            del self.fields[name]
        if by is By.GP:
            people = [(str(gp.public_id), gp.short_name) for gp in gps]
            self.fields["gp"].choices = [("", "Select a GP"), *people]  # type: ignore[attr-defined]
        if by is By.LETTERS:
            days = [(day.isoformat(), f"{nhs_date(day)} ({plural(n, 'patient')})") for day, n in letters]
            self.fields["sent_on"].choices = [("", "Select a day"), *days]  # type: ignore[attr-defined]
        for name, field in self.fields.items():
            if isinstance(field, forms.ChoiceField) and name != "by":
                field.error_messages["invalid_choice"] = f"Select {_ONE_OF[name]}"


_ONE_OF = {"size": "how many patients", "gp": "a GP", "sent_on": "a letter batch"}


class TopForm(forms.Form):
    """How the patients of the sheet told the practice: asked once, and said of every decision on it."""

    source = forms.ChoiceField(
        label="How did patients tell you?",
        choices=[(source.value, source.label) for source in SOURCES],
        widget=forms.RadioSelect,
        error_messages=dict.fromkeys(("required", "invalid_choice"), "Select how patients told you"),
    )
    reference = forms.CharField(
        label="Letter or form reference",
        max_length=50,
        required=False,
        error_messages={"max_length": "Letter or form reference must be 50 characters or less"},
    )

    field_order = ["source", "decided_on", "reference"]

    def __init__(
        self,
        *args: Any,
        may: Collection[Permission],
        today: datetime.date,
        answers: Collection[Preference] = (),
        **kwargs: Any,
    ) -> None:
        """`answers`: those that are about to be saved, since some need a reference."""
        super().__init__(*args, **kwargs)
        self.may, self.answers = may, answers
        self.fields["decided_on"] = DatePartsField(label="Date of decision", earliest=FIRST_DAY, latest=today)
        free = Permission.RECORD_CONSENT_WITHOUT_REFERENCE in may
        self.fields["reference"].help_text = (
            "Needed for letters and forms" if free else "Needed for consent, and for letters and forms"
        )
        self.order_fields(self.field_order)

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        missing = any(lacks_reference(answer, values, self.may) for answer in self.answers)
        if missing and "reference" not in self.errors:
            self.add_error("reference", "Enter a letter or form reference")
        return values

    @property
    def evidence(self) -> Evidence:
        """Once the form is valid."""
        return Evidence(Source(self.cleaned_data["source"]), reference=self.cleaned_data["reference"])


class DeferForm(forms.Form):
    """Why the decision of one patient is put off, and until when."""

    reason = forms.ChoiceField(
        label="Why is this decision put off?",
        choices=WhyDeferred.choices(),
        widget=forms.RadioSelect,
        error_messages=dict.fromkeys(("required", "invalid_choice"), "Select why this decision is put off"),
    )
    ask = forms.ChoiceField(
        label="When should the sheet ask again?",
        choices=AskAgain.choices(),
        widget=forms.RadioSelect,
        error_messages=dict.fromkeys(("required", "invalid_choice"), "Select when to ask again"),
    )
    more = forms.CharField(
        label="More about the reason (optional)",
        max_length=120,
        required=False,
        error_messages={"max_length": "More about the reason must be 120 characters or less"},
    )

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        if values.get("reason") == WhyDeferred.OTHER and not values.get("more") and "more" not in self.errors:
            self.add_error("more", "Enter the reason")
        return values

    @property
    def words(self) -> str:
        """The reason as it is stored, once the form is valid."""
        label, more = WhyDeferred(self.cleaned_data["reason"]).label, self.cleaned_data["more"]
        return f"{label}: {more}" if more else label

    def until(self, today: datetime.date) -> datetime.date:
        """The day on which the patient is asked again."""
        return today + datetime.timedelta(days=int(self.cleaned_data["ask"]))
