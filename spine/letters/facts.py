"""Loads what letters say, for one patient or for many: a fixed number of queries for any number."""

import datetime
import uuid
from collections.abc import Mapping, Sequence

from django.utils import timezone

from carerecords.ages import age_in_years
from carerecords.models import JobKind, Patient, Practice, UploadJob
from carerecords.models.upload_job import BUSY_STATES, OPEN_STATES
from consent.codes import ADULT, BulkKind, ConsentState, RowResult, Source
from consent.models import BulkRow, ConsentEvent
from consent.patient_list import newest_jobs
from spine.facts import load_batch, load_nation
from spine.gate import Decision, Kind, Outcome, Scope, decide
from spine.letters.words import LetterFacts, Reader
from spine.models import StoreCopy
from spine.reasons import Reason


def letter_facts(patients: Sequence[Patient], at: datetime.datetime) -> list[LetterFacts]:
    """Facts of letters to living patients, in their order. `patients` come with their practice."""
    ids = [patient.pk for patient in patients]
    jobs = newest_jobs(patients)
    asked = {patient.pk: (Kind.UPLOAD, _is_waiting(jobs.get(patient.pk))) for patient in patients}
    loaded = load_batch(asked, load_nation(at))
    copies = StoreCopy.objects.in_bulk(ids)
    events = ConsentEvent.objects.in_bulk([p.consent_event_id for p in patients if p.consent_event_id])
    return [
        _facts(patient, decide(loaded[patient.pk].facts), jobs.get(patient.pk), copies, events, at)
        for patient in patients
    ]


def patients_of_run(practice: Practice, run: uuid.UUID, part: int, most: int) -> list[Patient]:
    """Living patients of the practice whose letter a bulk run noted, in the order of its list.

    A sensitive record is left out: its address is shown nowhere, so its letter is handed over.
    """
    rows = BulkRow.objects.filter(
        run__public_id=run,
        run__practice=practice,
        run__kind=BulkKind.LETTER,
        result=RowResult.CHANGED,
        patient__practice=practice,
        patient__died_on__isnull=True,
        patient__is_sensitive=False,
    ).select_related("patient__practice")
    return [row.patient for row in rows.order_by("position")[(part - 1) * most : part * most]]


def _is_waiting(job: UploadJob | None) -> bool:
    return job is not None and Reason.CONSENT_WAITING.code in job.reasons


def _facts(
    patient: Patient,
    decision: Decision,
    job: UploadJob | None,
    copies: Mapping[int, StoreCopy],
    events: Mapping[int, ConsentEvent],
    at: datetime.datetime,
) -> LetterFacts:
    today = timezone.localdate(at)
    event = events.get(patient.consent_event_id or 0)
    copy = copies.get(patient.pk)
    held = copy is not None and copy.accepted_at is not None
    practice = patient.practice
    return LetterFacts(
        title=patient.title,
        given_name=patient.given_name,
        family_name=patient.family_name,
        # A sensitive address is shown nowhere, so such a letter is handed over.
        address=() if patient.is_sensitive else _lines(patient.address, patient.postcode),
        surgery=practice.name,
        surgery_address=_lines(practice.address, practice.postcode),
        written_on=today,
        reader=_reader(patient, event, today),
        state=ConsentState(patient.consent_state),
        decided_on=event.decided_on if event else None,
        source=Source(event.source) if event and event.source else None,
        decided_by=event.representative_name if event else "",
        reasons=decision.reasons,
        goes=_goes(decision, job),
        scope_at_store=Scope(copy.scope) if copy and held and copy.scope else None,
        sent_on=timezone.localdate(copy.accepted_at) if copy and copy.accepted_at else None,
    )


def _goes(decision: Decision, job: UploadJob | None) -> bool:
    """Whether an upload is on its way, or waits only for its undo window."""
    asked = job is not None and job.kind == JobKind.UPLOAD and job.state in {*OPEN_STATES, *BUSY_STATES}
    allowed = decision.outcome is Outcome.SEND or decision.reasons == (Reason.CONSENT_WAITING,)
    return asked and allowed


def _reader(patient: Patient, event: ConsentEvent | None, today: datetime.date) -> Reader:
    """A child who decided alone gets the letter; else whoever has the care of the child."""
    if age_in_years(patient.born_on, today) >= ADULT:
        return Reader.PATIENT
    decided_alone = event is not None and not event.representative_name
    return Reader.PATIENT if decided_alone else Reader.PARENT


def _lines(address: str, postcode: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in (*address.split(","), postcode) if part.strip())
