"""Feeding runs to the senders: their uploads are asked for as fast as they leave, and no faster.

A run of ten thousand patients that asked for all at once would stand before every decision made after
it, and pausing it would have to touch each. So at most a minute's work of a run waits at a time.

A chunk is one transaction: the jobs and the rows that name them commit together, and a row asks once.
A worker that dies leaves whole chunks, and the next ring of the clock goes on (docs/adr/0150).
Cost: sixteen statements a chunk of `CHUNK` patients, two more where removals are asked for too, and one for each
reason why any are left out; nine to list a practice.
"""

import datetime
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from carerecords import doorbell, upload_queue
from carerecords.models import Cause, JobKind, Patient, UploadJob
from spine.facts import load_batch, load_nation
from spine.gate import decide
from spine.reasons import Reason
from spine.runs.asking import asked_for, asks_for, kind_asked, notice_asked, requests_a_patient
from spine.runs.codes import RunKind, RunState, RunStep
from spine.runs.models import SendingRow, SendingRun, SendingRunStep, SendingShare
from spine.runs.queries import UNSETTLED, jobs_of
from spine.runs.selection import patients_of

CHUNK = 500
# What waits of a run where the store has no limit; else a minute's work.
MOST_WAITING = 2000
FEWEST_WAITING = 20

_LIST = """
INSERT INTO spine_sendingrow (run_id, patient_id, why)
SELECT %s, chosen.id, '' FROM ({chosen}) AS chosen (id) ON CONFLICT DO NOTHING
"""
# Looked up patient by patient: as a join, stale statistics make it read everything that waits.
_NAME_JOBS = """
UPDATE spine_sendingrow AS row SET job_id = job.id
FROM unnest(%(patients)s::bigint[]) AS asked (patient_id) CROSS JOIN LATERAL
    (SELECT id FROM carerecords_uploadjob
     WHERE patient_id = asked.patient_id AND state IN ('WAITING', 'HELD') AND cause = 'RUN' AND requested_at = %(at)s
     LIMIT 1) AS job
WHERE row.run_id = %(run)s AND row.patient_id = asked.patient_id
"""
_NOTE_WHY = "UPDATE spine_sendingrow SET why = %s WHERE run_id = %s AND patient_id = ANY(%s)"
_WAKE = """
UPDATE carerecords_uploadjob AS job SET due_at = %(at)s, reasons = '{}', headline = ''
FROM (SELECT job.id FROM carerecords_uploadjob AS job JOIN spine_sendingrow AS row ON row.job_id = job.id
      WHERE row.run_id = %(run)s AND job.state = 'WAITING' AND job.due_at IS NULL
      FOR UPDATE OF job SKIP LOCKED) AS asleep
WHERE job.id = asleep.id
"""


def feed(public_id: uuid.UUID, clock: Callable[[], datetime.datetime]) -> None:
    """Asks for as many uploads of a run as there is room for; returns at once if another worker has it."""
    with doorbell.held():
        while _feed_chunk(public_id, clock()):
            pass


def most_waiting(kind: RunKind) -> int:
    """How many uploads or notices of a run may wait at a time."""
    rate = settings.SPINE_REQUESTS_PER_SECOND
    if not rate:
        return MOST_WAITING
    return max(FEWEST_WAITING, min(MOST_WAITING, int(60 * rate / requests_a_patient(kind))))


@transaction.atomic
def _feed_chunk(public_id: uuid.UUID, at: datetime.datetime) -> bool:
    """One chunk; False when there is nothing more to do for this worker now."""
    # Without its key, so that whoever settles uploads of it does not wait for this chunk, which waits for them.
    locked = SendingRun.objects.select_for_update(skip_locked=True, no_key=True, of=("self",))
    runs = locked.select_related("made_by")
    run = runs.filter(public_id=public_id, state=RunState.RUNNING).first()
    if run is None:
        return False
    _wake(run, at)
    waiting = jobs_of(run).filter(state__in=UNSETTLED).count()
    if not run.sending_hours.is_open(timezone.localtime(at)):
        return False
    most = most_waiting(RunKind(run.kind))
    patients = _next_patients(run, min(CHUNK, most - waiting))
    if patients:
        _ask(run, patients, at)
        return True
    if waiting >= most:
        return False
    if _list_next_practice(run, at):
        return True
    if not waiting:
        _finish(run, at)
    return False


def _wake(run: SendingRun, at: datetime.datetime) -> None:
    """What was laid aside while it was paused is due again."""
    with connection.cursor() as cursor:
        cursor.execute(_WAKE, {"run": run.pk, "at": at})
        if cursor.rowcount:
            doorbell.ring_after_commit()


def _list_next_practice(run: SendingRun, at: datetime.datetime) -> bool:
    """Lists the patients of the practice whose turn it is; False after the last."""
    share = run.shares.filter(taken_at=None).select_related("practice").order_by("pk").first()
    if share is None:
        return False
    chosen = patients_of(run, Patient.objects.of(share.practice), at).order_by("pk").values_list("pk")
    sql, params = chosen.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(_LIST.format(chosen=sql), [run.pk, *params])
    SendingShare.objects.filter(pk=share.pk).update(taken_at=at)
    return True


def _next_patients(run: SendingRun, most: int) -> list[int]:
    if most <= 0:
        return []
    rows = SendingRow.objects.filter(run=run, job=None, why="").order_by("pk")
    return list(rows.values_list("patient_id", flat=True)[:most])


def _ask(run: SendingRun, patients: Sequence[int], at: datetime.datetime) -> None:
    """Asks for what the gate does not rule out, and notes why for the others."""
    left_out = dict.fromkeys(_moved(run, patients), Reason.PATIENT_LEFT)
    open_or_busy = UploadJob.objects.filter(asked_for(RunKind(run.kind)), patient__in=patients)
    for pk in open_or_busy.values_list("patient_id", flat=True):
        left_out.setdefault(pk, Reason.JOB_OPEN)
    uploads, removals, notices = [], [], []
    kind, notice = kind_asked(RunKind(run.kind)), notice_asked(RunKind(run.kind))
    asked = {pk: (kind, False) for pk in patients if pk not in left_out}
    for pk, found in load_batch(asked, load_nation(at)).items():
        facts = replace(found.facts, notice=notice)
        asks = asks_for(RunKind(run.kind), facts.consent, decide(facts))
        if isinstance(asks, Reason):
            left_out[pk] = asks
        elif asks is JobKind.WITHDRAWAL:
            removals.append(pk)
        elif asks is JobKind.NOTICE:
            notices.append(pk)
        else:
            uploads.append(pk)
    upload_queue.request_uploads(uploads, cause=Cause.RUN, by=run.made_by, at=at, not_before=at)
    upload_queue.request_withdrawals(removals, cause=Cause.RUN, by=run.made_by, at=at)
    upload_queue.request_notices(notices, cause=Cause.RUN, by=run.made_by, at=at)
    _name_jobs(run, [*uploads, *removals, *notices], at)
    _note_why(run, left_out.items())


def _moved(run: SendingRun, patients: Sequence[int]) -> list[int]:
    """Keeps the patients as they are; returns those who are of no practice of the run any more.

    They moved since they were listed: the run is not their new practice's, and may not speak for it. Who only
    left is still of the practice that they left.
    """
    rows = Patient.objects.filter(pk__in=patients).order_by("pk").lock().values_list("pk", "practice_id")
    practice_of = dict(rows)
    theirs = run.shares.filter(practice__in=set(practice_of.values())).values_list("practice_id", flat=True)
    of_the_run = set(theirs)
    return [pk for pk, practice in practice_of.items() if practice not in of_the_run]


def _name_jobs(run: SendingRun, patients: Sequence[int], at: datetime.datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_NAME_JOBS, {"run": run.pk, "patients": list(patients), "at": at})


def _note_why(run: SendingRun, left_out: Iterable[tuple[int, Reason]]) -> None:
    patients: dict[str, list[int]] = {}
    for pk, why in left_out:
        patients.setdefault(why.code, []).append(pk)
    with connection.cursor() as cursor:
        for code, those in patients.items():
            cursor.execute(_NOTE_WHY, [code, run.pk, those])


def _finish(run: SendingRun, at: datetime.datetime) -> None:
    run.state = RunState.FINISHED
    run.save(update_fields=["state"])
    SendingRunStep.objects.create(run=run, kind=RunStep.FINISHED, made_at=at)
