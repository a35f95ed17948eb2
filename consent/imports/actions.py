"""The steps of an import after its upload: approve, cancel, undo, forget, take up what was lost."""

import datetime
import uuid
from collections.abc import Collection

from django.db import connection, transaction
from django.db.models import Sum

from carerecords import doorbell
from carerecords.models import User
from carerecords.permissions import Permission
from consent import bulk_runs
from consent.codes import BulkKind, ImportKind, ImportState, RowVerdict, RunState
from consent.imports import approval
from consent.imports.approval import Proposal
from consent.models import BulkRun, Import, ImportRow
from consent.models.imports import UNDER_WAY

CHECK, REGISTER = "consent.tasks.check_import", "consent.tasks.register_import"
# A file is told to nobody after this, and its rows go.
KEPT_FOR = datetime.timedelta(days=30)
LOST_AFTER = datetime.timedelta(seconds=30)
NOT_APPROVED = "Nobody approved this file within 30 days, so its rows were deleted. Send it in again."
WRITTEN = [RowVerdict.NEW, RowVerdict.CHANGED, RowVerdict.HISTORY]

# In the order of patients: see `consent.bulk_runs`.
_FREEZE = """
INSERT INTO consent_bulkrow (run_id, patient_id, position, seen_event, result, why)
SELECT %(run)s, patient_id, number, seen_event, 'PENDING', ''
FROM consent_importrow WHERE belongs_to_id = %(import)s AND verdict = ANY(%(written)s) ORDER BY patient_id
"""


class ImportRefused(Exception):
    """The step cannot be taken; the message says why and what happens next."""


def proposal(made: Import, by: User, at: datetime.datetime) -> Proposal:
    """The facts on which it depends whether this person may approve."""
    lately = Import.objects.filter(
        practice=made.practice_id,
        approved_by=by,
        uploaded_by=by,
        approved_at__gt=at - datetime.timedelta(hours=24),
    ).exclude(pk=made.pk)
    return Proposal(
        is_own=made.uploaded_by_id == by.pk,
        consents=made.consents,
        additional=made.additional,
        approved_alone=lately.aggregate(all=Sum("consents"))["all"] or 0,
    )


@transaction.atomic
def approve(*, made: Import, by: User, may: Collection[Permission], at: datetime.datetime) -> Import:
    """Has an import applied that was checked. Approving twice applies it once."""
    # One at a time for each person, so that two imports cannot both count as the first.
    User.objects.select_for_update().get(pk=by.pk)
    locked = Import.objects.select_for_update().get(pk=made.pk)
    if locked.state in {ImportState.APPLYING, ImportState.DONE}:
        return locked
    if locked.state != ImportState.READY or not locked.writes:
        raise ImportRefused("This import cannot be applied. Send the file in again.")
    if why := approval.fault(proposal(locked, by, at), may):
        raise ImportRefused(why)
    locked.state, locked.approved_by, locked.approved_at = ImportState.APPLYING, by, at
    locked.moved_at = at
    if locked.kind == ImportKind.PATIENTS:
        _ring_after_commit(REGISTER, locked.public_id)
    else:
        locked.run = _run_of(locked, by, at)
        bulk_runs.ring_after_commit(locked.run.public_id)
    locked.save()
    return locked


def _run_of(made: Import, by: User, at: datetime.datetime) -> BulkRun:
    run = BulkRun.objects.create(
        practice_id=made.practice_id,
        kind=BulkKind.IMPORT,
        state=RunState.QUEUED,
        chosen=f"Import of {ImportKind(made.kind).label.lower()}",
        created_at=at,
        created_by=by,
        started_at=at,
        moved_at=at,
        total=made.writes,
    )
    with connection.cursor() as cursor:
        cursor.execute(_FREEZE, {"run": run.pk, "import": made.pk, "written": [v.value for v in WRITTEN]})
    return run


@transaction.atomic
def cancel(*, made: Import, by: User, at: datetime.datetime) -> None:
    """Leaves an import unapplied; its rows are deleted."""
    locked = Import.objects.select_for_update().get(pk=made.pk)
    if locked.state == ImportState.CANCELLED:
        return
    if locked.state not in {ImportState.READY, ImportState.CHECKING}:
        raise ImportRefused("This import can no longer be cancelled.")
    locked.state, locked.cancelled_by, locked.cancelled_at = ImportState.CANCELLED, by, at
    locked.save(update_fields=["state", "cancelled_by", "cancelled_at"])
    ImportRow.objects.filter(belongs_to=locked).delete()


@transaction.atomic
def undo(*, made: Import, by: User, at: datetime.datetime) -> None:
    """Starts taking back what an import recorded. A patient list is not taken back."""
    if made.run is None:
        raise ImportRefused("A patient list cannot be undone.")
    try:
        bulk_runs.undo(run=made.run, by=by, at=at)
    except bulk_runs.RunRefused as error:
        raise ImportRefused(f"{error}.") from error


def ring_for_check(made: Import) -> None:
    """Wakes a worker to check the import, after the commit."""
    _ring_after_commit(CHECK, made.public_id)


def lost(at: datetime.datetime) -> list[Import]:
    """Imports under way that nobody has moved for a while. What a bulk run applies is the run's."""
    under_way = Import.objects.filter(state__in=UNDER_WAY, run__isnull=True)
    return list(under_way.filter(moved_at__lt=at - LOST_AFTER))


@transaction.atomic
def forget(at: datetime.datetime) -> int:
    """Deletes the rows of imports that are a month old; returns how many rows that was.

    What nobody approved until then is stopped: without its rows it could not be applied.
    """
    old = Import.objects.filter(uploaded_at__lt=at - KEPT_FOR)
    old.filter(state=ImportState.READY).update(state=ImportState.STOPPED, problem=NOT_APPROVED)
    under_way = BulkRun.objects.filter(state__in=[RunState.QUEUED, RunState.RUNNING])
    over = old.exclude(state__in=UNDER_WAY, run__isnull=True).exclude(run__in=under_way)
    return ImportRow.objects.filter(belongs_to__in=over).delete()[0]


def _ring_after_commit(task: str, public_id: uuid.UUID) -> None:
    transaction.on_commit(lambda: doorbell.ring_for(task, import_id=str(public_id)))
