"""Finding and ending differences between the Spine's permission and decisions here, as facts change.

The rule is `spine.permission.differences.difference`; here it is asked for whole sets of patients. Cost of a
review: two queries, and one statement for each of what was found and what ended.
"""

import datetime
from collections.abc import Collection, Iterable

from django.db import transaction
from django.db.models import BooleanField, Case, Exists, ExpressionWrapper, F, OuterRef, Q, Value, When
from django.db.models.functions import Coalesce

from carerecords.models import JobKind, JobState, Patient, UploadJob, User
from carerecords.models.upload_job import BUSY_STATES, OPEN_STATES
from consent.codes import ConsentState
from spine.models import PermissionMismatch
from spine.permission.differences import Difference, Ending, Sides, difference
from spine.reasons import Reason

CHUNK = 1000
# Taken by the store; or sent, and the store does not tell whether it arrived (`proof.note_not_told`).
_MAY_BE_THERE = Q(store_copy__is_blank=False) & (
    Q(store_copy__accepted_at__isnull=False) | Q(store_copy__composition_id__gt="")
)


def sides_of(patient_ids: Collection[int]) -> dict[int, Sides]:
    """Both sides of each patient, in one query."""
    jobs = UploadJob.objects.filter(patient=OuterRef("pk"))
    busy = Q(state__in=BUSY_STATES) | Q(state__in=OPEN_STATES, kind=JobKind.WITHDRAWAL)
    held = Q(state=JobState.HELD, reasons__contains=[Reason.CONSENT_DIFFERS.code])
    rows = (
        Patient.objects.filter(pk__in=list(patient_ids))
        .annotate(
            permission=Coalesce(F("store_copy__permission"), Value("")),
            is_known=_true(Q(store_copy__isnull=False)),
            holds_record=Case(When(_MAY_BE_THERE, then=Value(True)), default=Value(False)),
            under_way=Exists(jobs.filter(busy)),
            upload_held=Exists(jobs.filter(held)),
        )
        .values_list(
            "pk", "consent_state", "permission", "is_known", "holds_record", "under_way", "upload_held"
        )
    )
    return {pk: Sides(ConsentState(state), *rest) for pk, state, *rest in rows}


def review(
    patient_ids: Collection[int],
    *,
    at: datetime.datetime,
    because: Ending = Ending.CHANGED,
    by: User | None = None,
) -> None:
    """Notes the differences that are there, and ends those that are over: `because`, and by whose call.

    Rows are taken in the order of patients, so that two reviews cannot block one another.
    """
    if not patient_ids:
        return
    with transaction.atomic():
        sides = sides_of(patient_ids)
        open_ones = PermissionMismatch.objects.filter(patient__in=list(sides), ended_at=None)
        standing = dict(open_ones.order_by("patient").select_for_update().values_list("patient", "kind"))
        now = {patient_id: difference(each) for patient_id, each in sides.items()}
        over = [patient_id for patient_id, kind in standing.items() if now[patient_id] != kind]
        if over:
            open_ones.filter(patient__in=over).update(ended_at=at, ending=because, settled_by=by)
        PermissionMismatch.objects.bulk_create(_found(now, standing, at), ignore_conflicts=True)


def sweep(*, at: datetime.datetime) -> None:
    """Reviews what is open: the patient may have decided otherwise since, which no job tells of."""
    ids = list(
        PermissionMismatch.objects.filter(ended_at=None).order_by("pk").values_list("patient", flat=True)
    )
    for start in range(0, len(ids), CHUNK):
        review(ids[start : start + CHUNK], at=at)


def _found(
    now: dict[int, Difference | None], standing: dict[int, str], at: datetime.datetime
) -> Iterable[PermissionMismatch]:
    for patient_id, kind in sorted(now.items(), key=lambda one: one[0]):
        if kind is not None and standing.get(patient_id) != kind:
            yield PermissionMismatch(patient_id=patient_id, kind=kind, found_at=at)


def _true(condition: Q) -> ExpressionWrapper:
    return ExpressionWrapper(condition, output_field=BooleanField())
