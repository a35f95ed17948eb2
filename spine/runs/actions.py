"""What people do with runs of sending. Each verb is one transaction, and leaves a step.

Who may: a practice's manager its own runs, the programme its own. Pausing writes nothing but the run
itself: whoever claims one of its uploads lays it aside (`spine.runs.resting`).
"""

import datetime
import uuid

from django.db import IntegrityError, connection, transaction
from django.db.models import Q, QuerySet

from carerecords import confirmation, doorbell, staffing
from carerecords.confirmation import Confirmation
from carerecords.models import Practice, RoleAssignment, User
from carerecords.permissions import NotPermitted, Permission, roles_with
from spine.reasons import Reason
from spine.runs import queries
from spine.runs.codes import OF_PRACTICE_ONLY, RunGroup, RunKind, RunState, RunStep, state_after
from spine.runs.contributing import has_ended
from spine.runs.hours import SendingHours
from spine.runs.models import SendingRow, SendingRun, SendingRunStep, SendingShare

FEED = "spine.tasks.feed_run"

# What is locked just now is skipped: whoever has it in hand finds the run cancelled and ends it (`spine.sending.settling`).
_CANCEL_OPEN = """
UPDATE carerecords_uploadjob AS job
SET state = 'CANCELLED', finished_at = %(at)s, due_at = NULL, reasons = ARRAY[%(reason)s], headline = %(headline)s
FROM (SELECT job.id FROM carerecords_uploadjob AS job JOIN spine_sendingrow AS row ON row.job_id = job.id
      WHERE row.run_id = %(run)s AND job.kind <> 'WITHDRAWAL' AND job.state IN ('WAITING', 'HELD')
      FOR UPDATE OF job SKIP LOCKED) AS open
WHERE job.id = open.id
"""


class RunRefused(Exception):
    """Nothing was done; the message says why."""


@transaction.atomic
def make(
    *,
    practice: Practice | None,
    practices: QuerySet[Practice],
    kind: RunKind,
    group: RunGroup,
    older_than_days: int | None,
    hours: SendingHours,
    by: User,
    at: datetime.datetime,
    list_filter: str = "",
) -> SendingRun:
    """A run for these practices that does nothing yet.

    `practice`: whose it is; none: the programme's. `list_filter`: only patients of the practice who match
    a filter of its list.
    """
    _require(by, practice, at)
    if kind in OF_PRACTICE_ONLY and not (practice and has_ended(practice, at)):
        raise RunRefused(
            "This practice contributes. A notice can be put on its copies while uploads are held here"
        )
    run = SendingRun.objects.create(
        practice=practice,
        kind=kind,
        group=group,
        list_filter=list_filter,
        older_than_days=older_than_days if kind is RunKind.UPDATE else None,
        hours=hours.when,
        opens=hours.opens,
        closes=hours.closes,
        made_at=at,
        made_by=by,
    )
    shares = practices.order_by("ods_code").values_list("pk", flat=True)
    if not SendingShare.objects.bulk_create(SendingShare(run=run, practice_id=pk) for pk in shares):
        raise RunRefused("Choose at least one practice")
    SendingRunStep.objects.create(run=run, kind=RunStep.MADE, made_at=at, made_by=by)
    return run


def start(
    run: SendingRun, *, by: User, at: datetime.datetime, confirmed: Confirmation | None = None
) -> SendingRun:
    """Begins to ask for its uploads.

    The programme's needs a fresh proof of who is asking (docs/adr/0064): `NotConfirmed` without one.
    """
    if run.practice_id is None:
        confirmation.check(confirmed, by, at)
    return _step(run, RunStep.STARTED, by, at)


def pause(run: SendingRun, *, by: User, at: datetime.datetime) -> SendingRun:
    """No upload of it is sent from the next batch on. Removals that were asked for still are."""
    return _step(run, RunStep.PAUSED, by, at)


def resume(run: SendingRun, *, by: User, at: datetime.datetime) -> SendingRun:
    """Goes on where it was paused."""
    return _step(run, RunStep.RESUMED, by, at)


@transaction.atomic
def cancel(run: SendingRun, *, by: User, at: datetime.datetime) -> SendingRun:
    """Ends it: uploads of it that have not begun are cancelled. Removals that were asked for still go.

    One that has finished too, while something of it is held: that would still go once nobody holds it.
    """
    has_finished = run.state == RunState.FINISHED
    locked = _step(run, RunStep.CANCELLED, by, at)
    if has_finished and not queries.has_open(locked):
        raise RunRefused("Nothing of this run can still be sent. The run is: Finished")
    reason = Reason.JOB_RUN_CANCELLED
    with connection.cursor() as cursor:
        cursor.execute(
            _CANCEL_OPEN,
            {"run": locked.pk, "at": at, "reason": reason.code, "headline": reason.sentence},
        )
    return locked


@transaction.atomic
def rerun_failed(run: SendingRun, *, by: User, at: datetime.datetime) -> int:
    """Asks again for what failed and was not asked for since; returns how many patients that is.

    Each gets a new upload, which passes the gate as the first did.
    """
    locked = _step(run, RunStep.RERUN, by, at)
    failed = queries.failed_of(locked)
    again = SendingRow.objects.filter(run=locked, job__in=failed).update(job=None)
    if not again:
        raise RunRefused("Nothing of this run has failed")
    return again


def ring_after_commit(public_id: uuid.UUID) -> None:
    """Wakes a worker for this run; the clock finds it if the bell is lost."""
    transaction.on_commit(lambda: doorbell.ring_for(FEED, run_id=str(public_id)))


@transaction.atomic
def _step(run: SendingRun, step: RunStep, by: User, at: datetime.datetime) -> SendingRun:
    locked = SendingRun.objects.select_for_update(of=("self",)).select_related("practice").get(pk=run.pk)
    _require(by, locked.practice, at)
    after = state_after(RunState(locked.state), step)
    if after is None:
        raise RunRefused(f"This cannot be done now. The run is: {RunState(locked.state).label}")
    _move(locked, after)
    SendingRunStep.objects.create(run=locked, kind=step, made_at=at, made_by=by)
    if after is RunState.RUNNING:
        ring_after_commit(locked.public_id)
    return locked


def _move(run: SendingRun, state: RunState) -> None:
    run.state = state
    try:
        with transaction.atomic():
            run.save(update_fields=["state"])
    except IntegrityError:
        kind = RunKind(run.kind).label
        raise RunRefused(
            f"Another run of this kind ({kind}) is under way. Finish or cancel it first"
        ) from None


def _require(by: User, practice: Practice | None, at: datetime.datetime) -> None:
    """Raises `NotPermitted` unless they run uploads there: at the practice, or for the programme."""
    staffing.require(by, Permission.RUN_UPLOADS, at)
    in_force = Q(ends_at__isnull=True) | Q(ends_at__gt=at)
    held = RoleAssignment.objects.filter(in_force, user=by, starts_at__lte=at)
    held = held.filter(practice=practice) if practice else held.filter(practice__isnull=True)
    if not held.filter(role__in=roles_with(Permission.RUN_UPLOADS)).exists():
        raise NotPermitted(Permission.RUN_UPLOADS, None)
