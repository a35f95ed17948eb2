"""What is in force on the patient list, in words."""

from collections.abc import Sequence

from carerecords.search import Wanted
from consent.codes import ConsentState, Source
from consent.list_query import REASONS, AgeBand, LetterSent, ListQuery, Registered, UploadStanding
from consent.patient_list import PatientPage
from consent.usual_gps import UsualGp

Choices = list[tuple[str, str]]
Words = dict[str, tuple[str, Choices]]


def words_of(gps: Sequence[UsualGp]) -> Words:
    """Each filter's label and choices."""
    return {
        "decision": ("Decision", ConsentState.choices()),
        "source": ("How they told us", Source.choices()),
        "upload": ("Upload", UploadStanding.choices()),
        "reason": ("Blocked because", [(code, sentence.rstrip(".")) for code, sentence in REASONS.items()]),
        "gp": ("Usual GP", [(str(gp.public_id), gp.short_name) for gp in gps]),
        "age": ("Age", AgeBand.choices()),
        "letter": ("Letter", LetterSent.choices()),
        "registered": ("Registered", Registered.choices()),
    }


def said(query: ListQuery, words: Words) -> dict[str, str]:
    """Each filter in force, as `Decision: No decision`."""
    return {
        name: f"{words[name][0]}: {dict(words[name][1]).get(value, value)}"
        for name, value in query.in_force.items()
    }


def line(page: PatientPage, words: Words) -> str:
    """`1,234 of 11,982 patients. Decision: No decision. Sorted by family name.`"""
    parts = [f"{page.matched:,} of {page.total:,} patients", *said(page.query, words).values()]
    return " ".join(f"{part}." for part in [*parts, f"Sorted by {page.query.order.label}"])


def all_matching(query: ListQuery, words: Words, wanted: Wanted | None) -> str:
    """How a selection of all that match came about. What was searched for is personal: only its kind."""
    parts = list(said(query, words).values())
    if wanted:
        parts.append(f"Found by {wanted.by}")
    return " ".join(f"{part}." for part in ["All matching patients of the list", *parts])
