"""One row of the patient list, made ready in Python: half of such a page's time is its inner loop."""

import datetime
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from django.urls import reverse
from markupsafe import Markup

from carerecords.formats import banner_date, nhs_date, nhs_number, patient_name, text_or_not_known
from carerecords.models import Patient
from carerecords.permissions import Permission
from consent import wording
from consent.codes import ADULT, ConsentState
from consent.listed import Listed, ListedJob
from consent.verdicts import years_before

# What can be done with several patients at once.
SELECTS = frozenset({Permission.BULK_REFUSAL, Permission.BULK_CONSENT, Permission.EXPORT_PATIENTS})
_ANYBODY = uuid.UUID(int=0)


@dataclass(frozen=True)
class ListRow:
    """What a row shows, as it is written there. `closed`: a sensitive record that this role may not open."""

    patient: Listed
    job: ListedJob | None
    id: str
    # The patient's page, and the short form under the row; each leads back to this place of the list.
    address: str
    form_address: str
    # The name as lists write it, and within a sentence.
    full_name: str
    name: str
    number: Markup
    born: Markup
    gp: Markup
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


class Rows:
    """Draws rows for one user at one place of the list. What all rows share is made once."""

    def __init__(
        self, *, may: Collection[Permission], at: datetime.datetime, today: datetime.date, place: str
    ) -> None:
        self.at, self.today = at, today
        self.adults_born_by = years_before(today, ADULT)
        self.selects = bool(SELECTS & set(may))
        self.opens_sensitive = Permission.OPEN_SENSITIVE_RECORD in may
        self.records = Permission.RECORD_REFUSAL in may
        back = f"?from={quote(place)}"
        # To find each patient's address by the address table takes longer than the rest of a row.
        self.patient_page = reverse("consent:patient", args=[_ANYBODY]) + back
        self.form = reverse("consent:record", args=[_ANYBODY]) + back

    def draw(self, patients: Sequence[Listed]) -> list[ListRow]:
        """Rows in the order of the patients."""
        return [self.row(patient) for patient in patients]

    def row(self, patient: Listed) -> ListRow:
        """One row."""
        row_id = str(patient.public_id)
        gone = ended(patient, self.today)
        closed = patient.is_sensitive and not self.opens_sensitive
        may_record = self.records and not gone and not closed
        return ListRow(
            patient=patient,
            job=patient.job,
            id=row_id,
            address=self.patient_page.replace(str(_ANYBODY), row_id),
            form_address=self.form.replace(str(_ANYBODY), row_id),
            full_name=patient_name(patient),
            name=wording.name_of(patient),
            number=nhs_number(patient.nhs_number),
            born=banner_date(patient.born_on),
            gp=text_or_not_known(patient.usual_gp.short_name if patient.usual_gp else None),
            decision=_decision(patient),
            upload=wording.upload_line(patient.job, self.at),
            letter=nhs_date(patient.letter_sent_on) or "Not sent",
            ended=gone,
            closed=closed,
            may_record=may_record,
            selectable=not closed if self.selects else None,
            in_place=may_record and not patient.is_sensitive and patient.born_on <= self.adults_born_by,
        )


def _decision(patient: Listed) -> str:
    """What stands under the tag. Where two disagree, neither is named: neither can be relied on."""
    if patient.consent_state == ConsentState.CONFLICT:
        return "Two decisions disagree"
    return wording.told(patient.consent_source, patient.consent_decided_on)


def ended(patient: Patient | Listed, today: datetime.date) -> str:
    """Why no decision can be recorded any more, or nothing."""
    if patient.died_on and patient.died_on <= today:
        return f"Died on {nhs_date(patient.died_on)}"
    if patient.left_on and patient.left_on <= today:
        return f"Left the practice on {nhs_date(patient.left_on)}"
    return ""
