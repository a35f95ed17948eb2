"""Bulk runs: freezing a list, working on it in chunks in the background, and undoing it.

A chunk is one transaction: what it did and what its rows say commit together, so a worker that dies
leaves whole chunks, and whoever takes the run up goes on with the next. Two workers never work on
one run: a chunk holds the run's row.
"""

import datetime
import uuid
from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

from django.db import connection, transaction

from carerecords import doorbell
from carerecords.models import Practice, User
from carerecords.models.patient import PatientQuerySet
from consent import bulk_work
from consent.codes import BulkKind, RowResult, RunState
from consent.many import Outcome
from consent.models import BulkRun, ChunkRow

# A tick in the browser waits for one chunk at most, some tenths of a second. Larger ones gain little.
CHUNK = 2000
# The largest file that a browser may send is applied whole, or not at all.
WHOLE_IMPORT = 20_000
# Consent is personal: more than this goes by import, with evidence for each (product page).
CONSENT_CAP = 50
TOO_MANY_CONSENTS = (
    f"You can record consent for up to {CONSENT_CAP} selected patients. Use an import with evidence for more."
)
UNDO_FOR = datetime.timedelta(hours=24)
# A run that did not move for this long has lost its worker.
LOST_AFTER = datetime.timedelta(seconds=30)
WORK = "consent.tasks.work_bulk_run"

# Written in the order of patients, whatever their places: each row that refers to a patient keeps them still at the
# commit, in the order of writing, and everybody else locks patients in this order.
_FREEZE = """
INSERT INTO consent_bulkrow (run_id, patient_id, position, seen_event, result, why)
SELECT %s, placed.id, placed.position, placed.consent_event_id, 'PENDING', ''
FROM (SELECT chosen.*, row_number() OVER () AS position FROM ({chosen}) AS chosen (id, consent_event_id)) AS placed
ORDER BY placed.id
"""

# Once for each result with its reason: to send both for each row takes longer than to write them.
_NOTE = "UPDATE consent_bulkrow SET result = %s, why = %s WHERE id = ANY(%s)"

Work = Callable[[BulkRun, Sequence[ChunkRow], datetime.datetime], list[Outcome]]


class RunRefused(Exception):
    """The run cannot be made, started or undone; the message says why."""


@transaction.atomic
def freeze(
    *,
    practice: Practice,
    kind: BulkKind,
    patients: PatientQuerySet,
    by: User,
    at: datetime.datetime,
    chosen: str = "",
    **answer: Any,
) -> BulkRun:
    """Makes a run over exactly these patients, in the order of the query; nothing is done yet.

    `answer` is the one answer for all: `preference`, `source`, `day`, `reference`, `note`. Raises
    `RunRefused` for nobody, and for consent of more than `CONSENT_CAP`.
    """
    run = BulkRun.objects.create(
        practice=practice, kind=kind, chosen=chosen[:300], created_at=at, created_by=by, **answer
    )
    sql, params = patients.of(practice).values_list("pk", "consent_event_id").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(_FREEZE.format(chosen=sql), [run.pk, *params])
        run.total = cursor.rowcount
    if not run.total:
        raise RunRefused("Select at least one patient")
    if kind is BulkKind.CONSENT and run.total > CONSENT_CAP:
        raise RunRefused(TOO_MANY_CONSENTS)
    run.save(update_fields=["total"])
    return run


@transaction.atomic
def start(*, run: BulkRun, at: datetime.datetime) -> BulkRun:
    """Confirms a frozen run, and rings for a worker. Confirming twice starts it once."""
    locked = BulkRun.objects.select_for_update().get(pk=run.pk)
    if locked.state == RunState.DROPPED:
        raise RunRefused("This was cancelled. Choose the patients again")
    if locked.state == RunState.CHECK:
        locked.state, locked.started_at, locked.moved_at = RunState.QUEUED, at, at
        locked.save(update_fields=["state", "started_at", "moved_at"])
        ring_after_commit(locked.public_id)
    return locked


@transaction.atomic
def drop(*, run: BulkRun) -> None:
    """Leaves a frozen run unconfirmed."""
    BulkRun.objects.filter(pk=run.pk, state=RunState.CHECK).update(state=RunState.DROPPED)


@transaction.atomic
def undo(*, run: BulkRun, by: User, at: datetime.datetime) -> BulkRun:
    """Starts taking back what the run changed; what was changed later by others is left alone."""
    locked = BulkRun.objects.select_for_update().get(pk=run.pk)
    if not may_be_undone(locked, at):
        raise RunRefused("This can no longer be undone")
    locked.state, locked.undone_by, locked.moved_at = RunState.UNDOING, by, at
    locked.save(update_fields=["state", "undone_by", "moved_at"])
    ring_after_commit(locked.public_id)
    return locked


def may_be_undone(run: BulkRun, at: datetime.datetime) -> bool:
    """Whether a finished run is young enough. Silence that became consent can always become silence again."""
    if run.state != RunState.DONE or run.finished_at is None:
        return False
    return run.kind == BulkKind.IMPLIED or at - run.finished_at <= UNDO_FOR


def work(public_id: uuid.UUID, clock: Callable[[], datetime.datetime]) -> None:
    """Works on a run to its end, chunk by chunk; returns at once if another worker has it."""
    while _work_on_chunk(public_id, clock()):
        pass


def lost(at: datetime.datetime) -> list[uuid.UUID]:
    """Runs under way that nobody has moved for a while: their worker died, or the bell was lost."""
    under_way = BulkRun.objects.filter(state__in=[RunState.QUEUED, RunState.RUNNING, RunState.UNDOING])
    return list(under_way.filter(moved_at__lt=at - LOST_AFTER).values_list("public_id", flat=True))


def ring_after_commit(public_id: uuid.UUID) -> None:
    """Wakes a worker for this run; the sweep finds it if the bell is lost."""
    transaction.on_commit(lambda: doorbell.ring_for(WORK, run_id=str(public_id)))


@transaction.atomic
def _work_on_chunk(public_id: uuid.UUID, at: datetime.datetime) -> bool:
    """One chunk; False when there is nothing more to do for this worker."""
    run = BulkRun.objects.select_for_update(skip_locked=True).filter(public_id=public_id).first()
    if run is None or run.state not in {RunState.QUEUED, RunState.RUNNING, RunState.UNDOING}:
        return False
    undoing = run.state == RunState.UNDOING
    wanted = RowResult.CHANGED if undoing else RowResult.PENDING
    whole = run.kind == BulkKind.IMPORT and run.total <= WHOLE_IMPORT
    size = WHOLE_IMPORT if whole else CHUNK
    fields = run.rows.filter(result=wanted).order_by("position").values_list(*ChunkRow._fields)
    rows = [ChunkRow._make(row) for row in fields[:size]]
    verb = bulk_work.UNDO if undoing else bulk_work.DO
    outcomes = verb[BulkKind(run.kind)](run, rows, at) if rows else []
    _note(outcomes)
    _count(run, outcomes)
    run.moved_at = at
    if rows:
        run.state = RunState.UNDOING if undoing else RunState.RUNNING
    else:
        _finish(run, undoing, at)
    run.save()
    return bool(rows)


def _note(outcomes: Sequence[Outcome]) -> None:
    alike: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for one in outcomes:
        alike[one.result.value, one.why].append(one.row_id)
    with connection.cursor() as cursor:
        for (result, why), rows in alike.items():
            cursor.execute(_NOTE, [result, why, rows])


def _count(run: BulkRun, outcomes: Sequence[Outcome]) -> None:
    fields = {
        RowResult.CHANGED: "changed",
        RowResult.ALREADY: "already",
        RowResult.SKIPPED: "skipped",
        RowResult.UNDONE: "taken_back",
        RowResult.KEPT: "kept",
    }
    for one in outcomes:
        name = fields[one.result]
        setattr(run, name, getattr(run, name) + 1)


def _finish(run: BulkRun, undoing: bool, at: datetime.datetime) -> None:
    if undoing:
        run.state, run.undone_at = RunState.UNDONE, at
    else:
        run.state, run.finished_at = RunState.DONE, at
