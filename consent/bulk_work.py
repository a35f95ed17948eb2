"""What each kind of bulk run does with a chunk of its rows, and how that is undone."""

import datetime
from collections.abc import Callable, Sequence

from django.utils import timezone

from carerecords.models import Patient
from consent import deferrals, letters, many
from consent.codes import BulkKind, EventKind, LetterEvent, RowReason, RowResult
from consent.many import Outcome
from consent.models import BulkRow, BulkRun, ConsentEvent, Deferral, NoticeLetter

Work = Callable[[BulkRun, Sequence[BulkRow], datetime.datetime], list[Outcome]]

_ONE_ANSWER = """
SELECT row.id, row.patient_id, %(preference)s, %(source)s, %(day)s::date, %(reference)s, %(note)s, '', '',
    true, row.seen_event
FROM consent_bulkrow AS row WHERE row.id = ANY(%(rows)s)
"""


def _decide(run: BulkRun, rows: Sequence[BulkRow], at: datetime.datetime) -> list[Outcome]:
    answer = {
        "preference": run.preference,
        "source": run.source,
        "day": run.day,
        "reference": run.reference,
        "note": run.note,
        "rows": [row.pk for row in rows],
    }
    return many.record_many(
        _ONE_ANSWER,
        answer,
        practice_id=run.practice_id,
        run_id=run.pk,
        by=run.created_by,
        at=at,
        same_is_enough=True,
    )


def _take_back_decisions(run: BulkRun, rows: Sequence[BulkRow], at: datetime.datetime) -> list[Outcome]:
    """Takes back the run's own events where nothing was recorded later."""
    many.lock([row.patient_id for row in rows])
    last = _last_events(rows)
    ours = {patient: event for patient, event in last.items() if event.run_id == run.pk}
    assert run.undone_by is not None
    taken = many.take_back_many(
        [event.pk for event in ours.values()],
        kind=EventKind.REVERSAL,
        note="",
        run_id=run.pk,
        by=run.undone_by,
        at=at,
    )
    return [_undone(row, row.patient_id in taken) for row in rows]


def _invalidate(run: BulkRun, rows: Sequence[BulkRow], at: datetime.datetime) -> list[Outcome]:
    """Marks the decisions that the rows were frozen with as recorded in error."""
    many.lock([row.patient_id for row in rows])
    current = dict(
        Patient.objects.filter(pk__in=[row.patient_id for row in rows]).values_list("pk", "consent_event_id")
    )
    same = [row for row in rows if row.seen_event and current[row.patient_id] == row.seen_event]
    taken = many.take_back_many(
        [row.seen_event for row in same if row.seen_event],
        kind=EventKind.INVALID,
        note=run.note,
        run_id=run.pk,
        by=run.created_by,
        at=at,
    )
    return [
        Outcome(row.pk, RowResult.CHANGED, "")
        if row.patient_id in taken
        else Outcome(row.pk, RowResult.SKIPPED, RowReason.DECIDED.value)
        for row in rows
    ]


def _send_letters(run: BulkRun, rows: Sequence[BulkRow], at: datetime.datetime) -> list[Outcome]:
    here, outcomes = _here(run, rows, at)
    noted = set(
        NoticeLetter.objects.filter(
            patient__in=here,
            kind=LetterEvent.SENT,
            sent_on=run.day,
            reference=run.reference,
            answered_by=None,
        ).values_list("patient", flat=True)
    )
    assert run.day is not None
    letters.letters_sent(
        patient_ids=[patient for patient in here if patient not in noted],
        sent_on=run.day,
        reference=run.reference,
        by=run.created_by,
        at=at,
        run_id=run.pk,
    )
    return outcomes + [
        Outcome(row.pk, RowResult.ALREADY if row.patient_id in noted else RowResult.CHANGED, "")
        for row in rows
        if row.patient_id in here
    ]


def _take_back_letters(run: BulkRun, rows: Sequence[BulkRow], at: datetime.datetime) -> list[Outcome]:
    ids = NoticeLetter.objects.filter(
        run=run, kind=LetterEvent.SENT, patient__in=[row.patient_id for row in rows]
    ).values_list("pk", flat=True)
    assert run.undone_by is not None
    taken = letters.letters_answered(
        letter_ids=list(ids), kind=LetterEvent.REVERSAL, by=run.undone_by, at=at, run_id=run.pk
    )
    return [_undone(row, row.patient_id in taken) for row in rows]


def _defer(run: BulkRun, rows: Sequence[BulkRow], at: datetime.datetime) -> list[Outcome]:
    here, outcomes = _here(run, rows, at)
    assert run.day is not None
    deferrals.defer(
        patient_ids=sorted(here),
        until=run.day,
        reason=run.note[:200],
        by=run.created_by,
        at=at,
        run_id=run.pk,
    )
    return outcomes + [Outcome(row.pk, RowResult.CHANGED, "") for row in rows if row.patient_id in here]


def _end_deferrals(run: BulkRun, rows: Sequence[BulkRow], at: datetime.datetime) -> list[Outcome]:
    ids = Deferral.objects.filter(
        run=run, ends__isnull=True, patient__in=[row.patient_id for row in rows]
    ).values_list("pk", flat=True)
    assert run.undone_by is not None
    ended = deferrals.end_deferrals(
        deferral_ids=list(ids), today=timezone.localdate(at), by=run.undone_by, at=at, run_id=run.pk
    )
    return [_undone(row, row.patient_id in ended) for row in rows]


def _here(run: BulkRun, rows: Sequence[BulkRow], at: datetime.datetime) -> tuple[set[int], list[Outcome]]:
    """Patients of the rows who are on the practice's list, and the outcomes of the others."""
    today = timezone.localdate(at)
    patients = Patient.objects.in_bulk([row.patient_id for row in rows])
    here, outcomes = set(), []
    for row in rows:
        patient = patients[row.patient_id]
        if patient.practice_id != run.practice_id:
            outcomes.append(Outcome(row.pk, RowResult.SKIPPED, RowReason.MOVED.value))
        elif not patient.is_here_on(today):
            outcomes.append(Outcome(row.pk, RowResult.SKIPPED, RowReason.GONE.value))
        else:
            here.add(row.patient_id)
    return here, outcomes


def _last_events(rows: Sequence[BulkRow]) -> dict[int, ConsentEvent]:
    """The newest event of each patient: one that is not the run's means somebody came later."""
    newest = (
        ConsentEvent.objects.filter(patient__in=[row.patient_id for row in rows])
        .order_by("patient", "-pk")
        .distinct("patient")
    )
    return {event.patient_id: event for event in newest}


def _undone(row: BulkRow, taken: bool) -> Outcome:
    if taken:
        return Outcome(row.pk, RowResult.UNDONE, "")
    return Outcome(row.pk, RowResult.KEPT, RowReason.LATER.value)


DO: dict[BulkKind, Work] = {
    BulkKind.REFUSAL: _decide,
    BulkKind.CONSENT: _decide,
    BulkKind.IMPLIED: _decide,
    BulkKind.LETTER: _send_letters,
    BulkKind.DEFERRAL: _defer,
    BulkKind.CONVERSION: _invalidate,
}
UNDO: dict[BulkKind, Work] = {
    BulkKind.REFUSAL: _take_back_decisions,
    BulkKind.CONSENT: _take_back_decisions,
    BulkKind.IMPLIED: _take_back_decisions,
    BulkKind.LETTER: _take_back_letters,
    BulkKind.DEFERRAL: _end_deferrals,
    BulkKind.CONVERSION: _take_back_decisions,
    BulkKind.IMPORT: _take_back_decisions,
}
