"""What kinds of entry a summary is made of, and which part and section each belongs to. Pure.

Sources: section codes of the Summary Care Record FHIR API (spine-interface notes 1.4) and its
example summaries; core content and windows (notes 2.4): current repeats, acute medication of 12
months, repeats stopped in 6 months, allergies and adverse reactions. Every other section is of
the additional information set.
"""

from enum import StrEnum
from typing import Self


class EntryKind(StrEnum):
    """A kind of entry: its section's code and heading, whether it is core, and its window in days."""

    section: str
    heading: str
    is_core: bool
    window_days: int | None

    def __new__(
        cls,
        code: str,
        section: str = "",
        heading: str = "",
        is_core: bool = False,
        window_days: int | None = None,
    ) -> Self:
        # The defaults are for type checkers, to whom looking a kind up by its code is this call.
        if not section:
            raise TypeError(f"{code} needs a section and a heading")
        member = str.__new__(cls, code)
        member._value_ = code
        member.section = section
        member.heading = heading
        member.is_core = is_core
        member.window_days = window_days
        return member

    ALLERGY = "ALLERGY", "AllergiesHeader", "Allergies and Adverse Reactions", True
    ADVERSE_REACTION = "ADVERSE_REACTION", "AllergiesHeader", "Allergies and Adverse Reactions", True
    ACUTE_MEDICATION = "ACUTE_MEDICATION", "AcuteMedsHeader", "Acute Medications", True, 365
    REPEAT_MEDICATION = "REPEAT_MEDICATION", "RepeatMedsHeader", "Current Repeat Medications", True
    STOPPED_REPEAT_MEDICATION = (
        "STOPPED_REPEAT_MEDICATION",
        "DiscRepeatMedsHeader",
        "Discontinued Repeat Medications",
        True,
        183,
    )
    RISK = "RISK", "RisksToPatientHeader", "Risks to Patient"
    DIAGNOSIS = "DIAGNOSIS", "DiagnosesHeader", "Diagnoses"
    PROBLEM = "PROBLEM", "ProblemsHeader", "Problems and Issues"
    OBSERVATION = "OBSERVATION", "ObservationsHeader", "Clinical Observations and Findings"
    # Immunisations stand among treatments in the API's own example summaries.
    IMMUNISATION = "IMMUNISATION", "TreatmentsHeader", "Treatments"
    TREATMENT = "TREATMENT", "TreatmentsHeader", "Treatments"
    RESULT = "RESULT", "ResultsHeader", "Investigation Results"
    INVESTIGATION = "INVESTIGATION", "InvestigationsHeader", "Investigations"
    CARE_EVENT = "CARE_EVENT", "EventsHeader", "Care Events"
    PROCEDURE = "PROCEDURE", "ProceduresHeader", "Administrative Procedures"
    ADVICE = "ADVICE", "AdviceHeader", "Provision of Advice and Information to Patients and Carers"
    CARE_PREFERENCE = "CARE_PREFERENCE", "PreferencesHeader", "Personal Preferences"
    HISTORY = "HISTORY", "HistoryHeader", "Family History"
    LIFESTYLE = "LIFESTYLE", "LifestyleHeader", "Lifestyle"
    CIRCUMSTANCE = "CIRCUMSTANCE", "CircumstancesHeader", "Social and Personal Circumstances"


MEDICATIONS = frozenset(
    {EntryKind.ACUTE_MEDICATION, EntryKind.REPEAT_MEDICATION, EntryKind.STOPPED_REPEAT_MEDICATION}
)
