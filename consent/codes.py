"""The vocabulary of consent: what a patient can have decided, and how the practice learnt it.

Authority: Read v2 codes and terms of the Summary Care Record consent preferences, as the GP
system Vision documents them (spine-interface notes 2.1, read 2026-11). The SNOMED CT ids of
these four are not known to us; inventing one would be a clinical safety fault, so there are none
here.
"""

from enum import StrEnum

from carerecords.vocabulary import Term


class Preference(Term):
    """What a decision says. Wording: the four preferences as GP systems show them."""

    EXPRESS_CORE = (
        "EXPRESS_CORE",
        "Express consent for medication, allergies and adverse reactions only",
    )
    EXPRESS_ADDITIONAL = (
        "EXPRESS_ADDITIONAL",
        "Express consent for medication, allergies, adverse reactions and additional information",
    )
    EXPRESS_DISSENT = "EXPRESS_DISSENT", "Express dissent (opt out)"
    IMPLIED_CORE = "IMPLIED_CORE", "Implied consent"
    NONE = "NONE", "No preference expressed"

    @property
    def read_code(self) -> str | None:
        """The Read v2 code, or None where nothing is coded."""
        return _READ_CODES.get(self)


_READ_CODES = {
    Preference.IMPLIED_CORE: "9Ndl",
    Preference.EXPRESS_CORE: "9Ndm",
    Preference.EXPRESS_ADDITIONAL: "9Ndn",
    Preference.EXPRESS_DISSENT: "9Ndo",
}

# A person chooses among these; implied consent is written only by the system.
CHOSEN_BY_HAND = [
    Preference.EXPRESS_CORE,
    Preference.EXPRESS_ADDITIONAL,
    Preference.EXPRESS_DISSENT,
    Preference.NONE,
]
PERMITTING = frozenset({Preference.EXPRESS_CORE, Preference.EXPRESS_ADDITIONAL})


class ConsentState(Term):
    """What holds for a patient now: a preference, or why none of them can be relied on."""

    NONE = "NONE", "No decision"
    IMPLIED_CORE = "IMPLIED_CORE", "Implied consent"
    EXPRESS_CORE = "EXPRESS_CORE", "Consent given"
    EXPRESS_ADDITIONAL = (
        "EXPRESS_ADDITIONAL",
        "Consent given, with additional information",
    )
    EXPRESS_DISSENT = "EXPRESS_DISSENT", "Consent refused"
    CONFLICT = "CONFLICT", "Conflicting"
    LATER = "LATER", "Consent starts later"


class Source(Term):
    """How the patient told the practice."""

    IN_PERSON = "IN_PERSON", "In person"
    PHONE = "PHONE", "By phone"
    LETTER = "LETTER", "By letter"
    FORM = "FORM", "On a form"
    ONLINE = "ONLINE", "Online"
    REPRESENTATIVE = "REPRESENTATIVE", "By a representative"


# A letter or a form exists on paper, so its reference must be given.
NEEDS_REFERENCE = frozenset({Source.LETTER, Source.FORM})


class EventKind(StrEnum):
    """What an event does: states a decision, or takes an earlier event back."""

    DECISION = "DECISION"
    REVERSAL = "REVERSAL"


class ConsentModel(Term):
    """The nation's dated rule for patients who said nothing."""

    EXPLICIT = "EXPLICIT", "Express consent only"
    IMPLIED_CORE = "IMPLIED_CORE", "Implied consent for core"
    IMPLIED_CORE_AND_ADDITIONAL = "IMPLIED_CORE_AND_ADDITIONAL", "Implied consent for core and additional"
