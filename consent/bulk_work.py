"""What each kind of bulk run does with a chunk of its rows, how that is undone, and the forecast of both.

Work and forecast read the same rules (`consent.verdicts`): the work over a chunk whose patients it has
locked, the forecast over the whole list.
"""

import datetime
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.utils import timezone

from consent import deferrals, letters, many, verdicts
from consent.codes import BulkKind, EventKind, ImportKind, LetterEvent, RowReason, RowResult
from consent.imports import work as imports
from consent.many import Outcome
from consent.models import BulkRun, ChunkRow, ConsentEvent, Deferral, NoticeLetter

Work = Callable[[BulkRun, Sequence[ChunkRow], datetime.datetime], list[Outcome]]

_ONE_ANSWER = """
SELECT row.id, row.patient_id, %(preference)s, %(source)s, %(day)s::date, %(reference)s, %(note)s, '', '',
    true, row.seen_event
FROM consent_bulkrow AS row WHERE {rows}
"""
_SOME, _ALL = "row.id = ANY(%(rows)s)", "row.run_id = %(run)s"
_JUDGED = """
SELECT asked.row_id, asked.patient_id, {verdict} AS verdict
FROM ({asked}) AS asked ({columns}) JOIN carerecords_patient AS patient ON patient.id = asked.patient_id
"""
_STANDING = """
SELECT asked.id, {stands} FROM consent_bulkrow AS asked
WHERE asked.run_id = %(run)s AND asked.result = 'CHANGED'
"""


@dataclass(frozen=True)
class Forecast:
    """What would become of a run's rows if it went through now."""

    changed: int
    already: int
    # Reasons with how many rows each, the most frequent first.
    skipped: list[tuple[RowReason, int]]
    # Row ids: the first that change, the first that are skipped and why, and all that change.
    first_changed: list[int]
    first_skipped: dict[int, RowReason]
    all_changed: list[int]

    @property
    def skipped_rows(self) -> int:
        return sum(count for _, count in self.skipped)


def forecast(run: BulkRun, at: datetime.datetime, *, named: int) -> Forecast:
    """The verdicts on the whole list as it stands, in one query; the first `named` rows by id."""
    sql = f"SELECT row_id, verdict FROM ({_judged(run, _ALL)}) AS judged ORDER BY row_id"
    with connection.cursor() as cursor:
        cursor.execute(sql, _params(run, at))
        outcomes = [(row, *verdicts.read(verdict)) for row, verdict in cursor.fetchall()]
    reasons = Counter(RowReason(why) for _, result, why in outcomes if result is RowResult.SKIPPED)
    skipped = [(row, RowReason(why)) for row, result, why in outcomes if result is RowResult.SKIPPED]
    changed = [row for row, result, _ in outcomes if result is RowResult.CHANGED]
    return Forecast(
        changed=len(changed),
        already=sum(result is RowResult.ALREADY for _, result, _ in outcomes),
        skipped=reasons.most_common(),
        first_changed=changed[:named],
        first_skipped=dict(skipped[:named]),
        all_changed=changed,
    )


def forecast_of_undo(run: BulkRun) -> tuple[int, int]:
    """How many rows undoing would take back now, and how many were changed later and stay."""
    is_of_letters = run.kind == BulkKind.IMPORT and imports.of(run).kind == ImportKind.LETTERS
    kind = BulkKind.LETTER if is_of_letters else BulkKind(run.kind)
    sql = _STANDING.format(stands=verdicts.STANDS[kind])
    with connection.cursor() as cursor:
        cursor.execute(sql, {"run": run.pk})
        stands = [standing for _, standing in cursor.fetchall()]
    return sum(stands), len(stands) - sum(stands)


def _decide(run: BulkRun, rows: Sequence[ChunkRow], at: datetime.datetime) -> list[Outcome]:
    return many.record_many(
        _ONE_ANSWER.format(rows=_SOME),
        _answer(run) | {"rows": [row.pk for row in rows]},
        practice_id=run.practice_id,
        run_id=run.pk,
        by=run.created_by,
        at=at,
        same_is_enough=True,
        adults_only=_adults_only(run),
    )


def _take_back_decisions(run: BulkRun, rows: Sequence[ChunkRow], at: datetime.datetime) -> list[Outcome]:
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


def _invalidate(run: BulkRun, rows: Sequence[ChunkRow], at: datetime.datetime) -> list[Outcome]:
    """Marks the decisions that the rows were frozen with as recorded in error."""
    many.lock([row.patient_id for row in rows])
    outcomes, same = _judge(run, rows, at)
    many.take_back_many(
        [row.seen_event for row in rows if row.seen_event and row.patient_id in same],
        kind=EventKind.INVALID,
        note=run.note,
        run_id=run.pk,
        by=run.created_by,
        at=at,
    )
    return outcomes


def _send_letters(run: BulkRun, rows: Sequence[ChunkRow], at: datetime.datetime) -> list[Outcome]:
    many.lock([row.patient_id for row in rows])
    outcomes, wanted = _judge(run, rows, at)
    assert run.day is not None
    letters.letters_sent(
        patient_ids=wanted,
        sent_on=run.day,
        reference=run.reference,
        by=run.created_by,
        at=at,
        run_id=run.pk,
    )
    return outcomes


def _take_back_letters(run: BulkRun, rows: Sequence[ChunkRow], at: datetime.datetime) -> list[Outcome]:
    ids = NoticeLetter.objects.filter(
        run=run, kind=LetterEvent.SENT, patient__in=[row.patient_id for row in rows]
    ).values_list("pk", flat=True)
    assert run.undone_by is not None
    taken = letters.letters_answered(
        letter_ids=list(ids), kind=LetterEvent.REVERSAL, by=run.undone_by, at=at, run_id=run.pk
    )
    return [_undone(row, row.patient_id in taken) for row in rows]


def _defer(run: BulkRun, rows: Sequence[ChunkRow], at: datetime.datetime) -> list[Outcome]:
    many.lock([row.patient_id for row in rows])
    outcomes, wanted = _judge(run, rows, at)
    assert run.day is not None
    deferrals.defer(
        patient_ids=wanted,
        until=run.day,
        reason=run.note[:200],
        by=run.created_by,
        at=at,
        run_id=run.pk,
    )
    return outcomes


def _end_deferrals(run: BulkRun, rows: Sequence[ChunkRow], at: datetime.datetime) -> list[Outcome]:
    ids = Deferral.objects.filter(
        run=run, ends__isnull=True, patient__in=[row.patient_id for row in rows]
    ).values_list("pk", flat=True)
    assert run.undone_by is not None
    ended = deferrals.end_deferrals(
        deferral_ids=list(ids), today=timezone.localdate(at), by=run.undone_by, at=at, run_id=run.pk
    )
    return [_undone(row, row.patient_id in ended) for row in rows]


def _take_back_import(run: BulkRun, rows: Sequence[ChunkRow], at: datetime.datetime) -> list[Outcome]:
    """Decisions are taken back, and letters but for those that came back undelivered."""
    if imports.of(run).kind == ImportKind.LETTERS:
        return _take_back_letters(run, rows, at)
    return _take_back_decisions(run, rows, at)


def _judge(run: BulkRun, rows: Sequence[ChunkRow], at: datetime.datetime) -> tuple[list[Outcome], list[int]]:
    """The outcome of each row, and the patients for whom something is to be done."""
    with connection.cursor() as cursor:
        cursor.execute(_judged(run, _SOME), _params(run, at) | {"rows": [row.pk for row in rows]})
        found = [(row, patient, *verdicts.read(verdict)) for row, patient, verdict in cursor.fetchall()]
    wanted = sorted(patient for _, patient, result, _ in found if result is RowResult.CHANGED)
    return [Outcome(row, result, why) for row, _, result, why in found], wanted


def _judged(run: BulkRun, rows: str) -> str:
    return _JUDGED.format(
        verdict=verdicts.OF[BulkKind(run.kind)],
        asked=_ONE_ANSWER.format(rows=rows),
        columns=", ".join(many.COLUMNS),
    )


def _params(run: BulkRun, at: datetime.datetime) -> dict[str, Any]:
    today = timezone.localdate(at)
    rule = verdicts.decision_params(
        run.practice_id, today, same_is_enough=True, adults_only=_adults_only(run)
    )
    return _answer(run) | rule | {"run": run.pk}


def _answer(run: BulkRun) -> dict[str, Any]:
    """The one answer for all."""
    names = ("preference", "source", "day", "reference", "note")
    return {name: getattr(run, name) for name in names}


def _adults_only(run: BulkRun) -> bool:
    """Who decided for a child must be said, so consent for children is not given in bulk."""
    return run.kind == BulkKind.CONSENT


def _last_events(rows: Sequence[ChunkRow]) -> dict[int, ConsentEvent]:
    """The newest event of each patient: one that is not the run's means somebody came later."""
    newest = (
        ConsentEvent.objects.filter(patient__in=[row.patient_id for row in rows])
        .order_by("patient", "-pk")
        .distinct("patient")
    )
    return {event.patient_id: event for event in newest}


def _undone(row: ChunkRow, taken: bool) -> Outcome:
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
    BulkKind.IMPORT: imports.do,
}
UNDO: dict[BulkKind, Work] = {
    BulkKind.REFUSAL: _take_back_decisions,
    BulkKind.CONSENT: _take_back_decisions,
    BulkKind.IMPLIED: _take_back_decisions,
    BulkKind.LETTER: _take_back_letters,
    BulkKind.DEFERRAL: _end_deferrals,
    BulkKind.CONVERSION: _take_back_decisions,
    BulkKind.IMPORT: _take_back_import,
}
