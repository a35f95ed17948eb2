"""The forms of the consent pages. No answer is ever chosen beforehand."""

import datetime
import uuid
from collections.abc import Collection, Mapping
from typing import Any, cast

from django import forms

from carerecords.ages import age_in_years
from carerecords.date_parts import DatePartsField
from carerecords.models import Patient
from carerecords.permissions import Permission
from carerecords.vocabulary import Term
from consent.actions import Evidence
from consent.codes import ADULT, NEEDS_REFERENCE, PERMITTING, TOLD, Preference, Source

# The programme began in spring 2007: no decision about this upload can be older.
FIRST_DAY = datetime.date(2007, 4, 1)

# What a role needs for each answer, in the order in which the form offers them.
NEEDED = {
    Preference.EXPRESS_CORE: Permission.RECORD_CONSENT,
    Preference.EXPRESS_ADDITIONAL: Permission.RECORD_CONSENT_ADDITIONAL,
    Preference.EXPRESS_DISSENT: Permission.RECORD_REFUSAL,
    Preference.NONE: Permission.RECORD_REFUSAL,
    Preference.WITHDRAWN: Permission.RECORD_REFUSAL,
}
WORDS = {
    Preference.EXPRESS_CORE: "Consents: core only",
    Preference.EXPRESS_ADDITIONAL: "Consents: core and additional",
    Preference.EXPRESS_DISSENT: "Refuses",
    Preference.NONE: "Has not decided",
    Preference.WITHDRAWN: "Withdraws consent",
}
HINTS = {
    Preference.EXPRESS_CORE: "Medication, allergies and adverse reactions",
    Preference.EXPRESS_ADDITIONAL: "Also the additional information, such as illnesses and operations",
    Preference.EXPRESS_DISSENT: "Nothing is uploaded, and anything on the Spine is removed",
    Preference.WITHDRAWN: "Takes back the consent given before, without refusing. Say why in the note",
}


class WhoDecided(Term):
    """Who decided for a patient under 16."""

    PATIENT = "PATIENT", "The patient, who understands what the decision means"
    REPRESENTATIVE = "REPRESENTATIVE", "A person with parental responsibility"


class SensitiveReason(Term):
    """Why a GP opens a sensitive record. A fixed list: the access log never holds names."""

    CARE = "DIRECT_CARE", "I am treating this patient"
    ASKED = "PATIENT_ASKED", "The patient asked me to"
    PAPER = "LETTER_OR_FORM", "To enter a letter or form that came back"
    CHECK = "CHECK", "To check or undo a decision"


class SearchForm(forms.Form):
    """The one box above the list."""

    text = forms.CharField(
        label="Find a patient",
        help_text="Search by name, NHS number, postcode or date of birth",
        max_length=100,
        # `carerecords.search` says what is missing.
        required=False,
        error_messages={"max_length": "Search must be 100 characters or less"},
    )


class SensitiveReasonForm(forms.Form):
    """Asked of a GP before a sensitive record opens."""

    reason = forms.ChoiceField(
        label="Why do you need to open this record?",
        choices=SensitiveReason.choices(),
        widget=forms.RadioSelect,
        error_messages={"required": "Select why you need to open this record"},
    )


class Note(forms.CharField):
    """Typed text, with one character a line break as the browser's counter has it."""

    widget = forms.Textarea

    def to_python(self, value: Any) -> str:
        return (super().to_python(value) or "").replace("\r\n", "\n")


class DecisionForm(forms.Form):
    """What a patient decided, and how the practice knows.

    `seen` is the event that the page showed as current, `form_key` this one form: a stale page is
    told from a doubled click.
    """

    preference = forms.ChoiceField(label="What has the patient decided?", widget=forms.RadioSelect)
    source = forms.ChoiceField(
        label="How did they tell you?",
        choices=[(way.value, way.label) for way in TOLD],
        widget=forms.RadioSelect,
    )
    reference = forms.CharField(
        label="Letter or form reference",
        max_length=50,
        required=False,
        error_messages={"max_length": "Letter or form reference must be 50 characters or less"},
    )
    note = Note(
        label="Note (optional)",
        max_length=1000,
        required=False,
        error_messages={"max_length": "Note must be 1,000 characters or less"},
    )
    who_decided = forms.ChoiceField(
        label="Who decided?", choices=WhoDecided.choices(), widget=forms.RadioSelect
    )
    representative_name = forms.CharField(
        label="Name of the person who decided",
        max_length=100,
        required=False,
        error_messages={"max_length": "Name must be 100 characters or less"},
    )
    representative_authority = forms.CharField(
        label="Their authority",
        help_text="For example, lasting power of attorney for health and welfare",
        max_length=100,
        required=False,
        error_messages={"max_length": "Authority must be 100 characters or less"},
    )
    seen = forms.UUIDField(required=False, widget=forms.HiddenInput)
    form_key = forms.UUIDField(required=False, widget=forms.HiddenInput)

    field_order = [
        "preference",
        "source",
        "decided_on",
        "reference",
        "note",
        "who_decided",
        "representative_name",
        "representative_authority",
    ]

    def __init__(
        self,
        *args: Any,
        patient: Patient,
        may: Collection[Permission],
        today: datetime.date,
        short: bool = False,
        **kwargs: Any,
    ) -> None:
        """`short`: the form in a row of the list, which has no room for a representative."""
        super().__init__(*args, **kwargs)
        self.may = may
        # When these answers were typed, if they are the user's own of before and not yet saved.
        self.kept_at: datetime.datetime | None = None
        preference = _radios(self.fields["preference"], "Select what the patient decided")
        source = _radios(self.fields["source"], "Select how the patient told you")
        _radios(self.fields["who_decided"], "Select who decided")
        preference.choices = [
            (answer.value, WORDS[answer])
            for answer, permission in NEEDED.items()
            if permission in may and _makes_sense(answer, patient)
        ]
        if short:
            source.choices = [(way.value, way.label) for way in TOLD if way is not Source.REPRESENTATIVE]
        self.fields["decided_on"] = DatePartsField(
            label="Date of decision", earliest=max(FIRST_DAY, patient.born_on), latest=today
        )
        if age_in_years(patient.born_on, today) >= ADULT:
            del self.fields["who_decided"]
        self.fields["reference"].help_text = self._reference_hint()
        self.order_fields(self.field_order)

    @property
    def is_about_a_child(self) -> bool:
        return "who_decided" in self.fields

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        if lacks_reference(values.get("preference"), values, self.may) and "reference" not in self.errors:
            self.add_error("reference", "Enter a letter or form reference")
        if values.get("preference") == Preference.WITHDRAWN and not self._has("note"):
            self.add_error("note", "Enter why consent was withdrawn")
        if self._somebody_else() and not self._has("representative_name"):
            self.add_error("representative_name", "Enter who decided for the patient")
        if self._somebody_else() and not self._authority() and not self._has("representative_authority"):
            self.add_error("representative_authority", "Enter their authority to decide")
        if values.get("who_decided") == WhoDecided.PATIENT and values.get("representative_name"):
            self.add_error("who_decided", "Select who decided: a name of somebody else is entered below")
        return values

    @property
    def answer(self) -> Preference:
        """What was decided, once the form is valid."""
        return Preference(self.cleaned_data["preference"])

    @property
    def evidence(self) -> Evidence:
        """How the decision came to the practice, once the form is valid."""
        values = self.cleaned_data
        represented = self._somebody_else()
        return Evidence(
            source=Source(values["source"]),
            reference=values["reference"],
            note=values["note"],
            representative_name=values["representative_name"] if represented else "",
            representative_authority=self._authority() if represented else "",
        )

    def _parent_decided(self) -> bool:
        return self.cleaned_data.get("who_decided") == WhoDecided.REPRESENTATIVE

    def _somebody_else(self) -> bool:
        """A name or authority that was typed counts, whatever was chosen: nothing is dropped in silence."""
        typed = any(self.cleaned_data.get(f"representative_{part}") for part in ("name", "authority"))
        return typed or self._parent_decided() or self.cleaned_data.get("source") == Source.REPRESENTATIVE

    def _authority(self) -> str:
        given: str = self.cleaned_data.get("representative_authority") or ""
        return given or ("Parental responsibility" if self._parent_decided() else "")

    def _has(self, name: str) -> bool:
        """Filled in, or already told what is wrong with it."""
        return bool(self.cleaned_data.get(name)) or name in self.errors

    def _reference_hint(self) -> str:
        if Permission.RECORD_CONSENT_WITHOUT_REFERENCE in self.may:
            return "Needed for a letter or a form"
        return "Needed for consent, and for a letter or a form"


def lacks_reference(answer: str | None, values: Mapping[str, Any], may: Collection[Permission]) -> bool:
    """Whether a reference is missing: for paper always, and for consent unless the role is trusted."""
    consents = answer in PERMITTING
    needed = consents and Permission.RECORD_CONSENT_WITHOUT_REFERENCE not in may
    return (needed or values.get("source") in NEEDS_REFERENCE) and not values.get("reference")


def _makes_sense(answer: Preference, patient: Patient) -> bool:
    """Only a consent that was given is offered to be withdrawn."""
    return answer is not Preference.WITHDRAWN or patient.consent_state in set(map(str, PERMITTING))


def _radios(field: forms.Field, message: str) -> forms.ChoiceField:
    field.error_messages |= {"required": message, "invalid_choice": message}
    return cast(forms.ChoiceField, field)


def new_form_key() -> str:
    """Names one form, when it is drawn."""
    return str(uuid.uuid4())
