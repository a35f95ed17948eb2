"""The ground's tables, one module for each thing."""

from carerecords.models.access_event import AccessEvent
from carerecords.models.fact_clock import FactClock
from carerecords.models.patient import Patient, PatientQuerySet, Registration
from carerecords.models.practice import Practice
from carerecords.models.quieted import Quieted
from carerecords.models.staff import RoleAssignment, User
from carerecords.models.summary_item import SummaryItem
from carerecords.models.upload_job import Cause, JobKind, JobState, UploadJob

__all__ = [
    "AccessEvent",
    "Cause",
    "FactClock",
    "JobKind",
    "JobState",
    "Patient",
    "PatientQuerySet",
    "Practice",
    "Quieted",
    "Registration",
    "RoleAssignment",
    "SummaryItem",
    "UploadJob",
    "User",
]
