"""Building the messages that the central store takes. Pure: the time is passed in."""

from spine.messages.bundle import build_blank, build_bundle
from spine.messages.content import (
    Author,
    Entry,
    PatientDetails,
    PracticeDetails,
    Selection,
    Summary,
    select,
)
from spine.messages.fingerprint import content_hash
from spine.messages.keys import MESSAGE, REQUEST, named_id, related_id
from spine.messages.notice import PRACTICE_ENDED, build_notice, patient_left

__all__ = [
    "MESSAGE",
    "PRACTICE_ENDED",
    "REQUEST",
    "Author",
    "Entry",
    "PatientDetails",
    "PracticeDetails",
    "Selection",
    "Summary",
    "build_blank",
    "build_bundle",
    "build_notice",
    "content_hash",
    "named_id",
    "patient_left",
    "related_id",
    "select",
]
