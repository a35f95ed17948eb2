"""One row of the patient list, made ready in Python: half of such a page's time is its inner loop."""

import datetime
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from carerecords.ages import age_in_years
from carerecords.formats import nhs_date
from carerecords.models import Patient, UploadJob
from carerecords.permissions import Permission
from consent import wording
from consent.codes import ADULT, ConsentState

# What can be done with several patients at once.
SELECTS = frozenset({Permission.BULK_REFUSAL, Permission.BULK_CONSENT, Permission.EXPORT_PATIENTS})


@dataclass(frozen=True)
class ListRow:
    """What a row shows. `closed`: a sensitive record that this role may not open."""

    patient: Patient
    job: UploadJob | None
    name: str
    gp: str
    decision: str
    upload: str
    letter: str
    ended: str
    closed: bool
    may_record: bool
    # A box to select the patient with others; None where this role does nothing with several.
    selectable: bool | None
    # The short form under the row: not where more must be asked.
    in_place: bool


def list_rows(
    patients: Sequence[Patient],
    jobs: Mapping[int, UploadJob],
    *,
    may: Collection[Permission],
    at: datetime.datetime,
    today: datetime.date,
) -> list[ListRow]:
    """Rows in the order of the patients."""
    return [list_row(patient, jobs.get(patient.pk), may=may, at=at, today=today) for patient in patients]


def list_row(
    patient: Patient,
    job: UploadJob | None,
    *,
    may: Collection[Permission],
    at: datetime.datetime,
    today: datetime.date,
) -> ListRow:
    """One row for a user with these permissions."""
    closed = patient.is_sensitive and Permission.OPEN_SENSITIVE_RECORD not in may
    may_record = Permission.RECORD_REFUSAL in may and patient.is_here_on(today) and not closed
    return ListRow(
        patient=patient,
        job=job,
        name=wording.name_of(patient),
        gp=patient.usual_gp.short_name if patient.usual_gp else "",
        decision=_decision(patient),
        upload=wording.upload_line(job, at),
        letter=nhs_date(patient.letter_sent_on) or "Not sent",
        ended=ended(patient, today),
        closed=closed,
        may_record=may_record,
        selectable=not closed if SELECTS & set(may) else None,
        in_place=may_record and not patient.is_sensitive and age_in_years(patient.born_on, today) >= ADULT,
    )


def _decision(patient: Patient) -> str:
    """What stands under the tag. Where two disagree, neither is named: neither can be relied on."""
    if patient.consent_state == ConsentState.CONFLICT:
        return "Two decisions disagree"
    return wording.told(patient.consent_source, patient.consent_decided_on)


def ended(patient: Patient, today: datetime.date) -> str:
    """Why no decision can be recorded any more, or nothing."""
    if patient.died_on and patient.died_on <= today:
        return f"Died on {nhs_date(patient.died_on)}"
    if patient.left_on and patient.left_on <= today:
        return f"Left the practice on {nhs_date(patient.left_on)}"
    return ""
