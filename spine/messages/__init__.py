"""Building the messages that the central store takes. Pure: the time is passed in."""

from spine.messages.bundle import build_blank, build_bundle
from spine.messages.content import (
    Author,
    Entry,
    PatientDetails,
    PracticeDetails,
    Selection,
    Summary,
    content_hash,
    select,
)
from spine.messages.keys import named_id

__all__ = [
    "Author",
    "Entry",
    "PatientDetails",
    "PracticeDetails",
    "Selection",
    "Summary",
    "build_blank",
    "build_bundle",
    "content_hash",
    "named_id",
    "select",
]
