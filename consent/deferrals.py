"""Decisions put off until a day: the sheet leaves the patient out until then."""

import datetime
from collections.abc import Sequence

from django.db import connection, transaction
from django.db.models import QuerySet

from carerecords.models import Practice, User
from consent.models import Deferral

_DEFER = """
INSERT INTO consent_deferral (patient_id, practice_id, until, reason, run_id, recorded_at, recorded_by_id)
SELECT id, practice_id, %(until)s, %(reason)s, %(run)s, %(at)s, %(by)s
FROM carerecords_patient WHERE id = ANY(%(patients)s) ORDER BY id
"""

_END = """
INSERT INTO consent_deferral (patient_id, practice_id, until, reason, run_id, ends_id, recorded_at, recorded_by_id)
SELECT patient_id, practice_id, %(today)s, '', %(run)s, id, %(at)s, %(by)s
FROM consent_deferral AS deferral
WHERE deferral.id = ANY(%(deferrals)s) AND deferral.ends_id IS NULL
  AND NOT EXISTS (SELECT 1 FROM consent_deferral AS end_ WHERE end_.ends_id = deferral.id)
ORDER BY patient_id
RETURNING patient_id
"""


@transaction.atomic
def defer(
    *,
    patient_ids: Sequence[int],
    until: datetime.date,
    reason: str,
    by: User,
    at: datetime.datetime,
    run_id: int | None = None,
) -> None:
    """Puts the decisions of these patients off."""
    with connection.cursor() as cursor:
        cursor.execute(
            _DEFER,
            {
                "until": until,
                "reason": reason,
                "run": run_id,
                "at": at,
                "by": by.pk,
                "patients": list(patient_ids),
            },
        )


@transaction.atomic
def end_deferrals(
    *,
    deferral_ids: Sequence[int],
    today: datetime.date,
    by: User,
    at: datetime.datetime,
    run_id: int | None = None,
) -> set[int]:
    """Ends deferrals that still run; returns their patients."""
    with connection.cursor() as cursor:
        cursor.execute(
            _END, {"today": today, "run": run_id, "at": at, "by": by.pk, "deferrals": list(deferral_ids)}
        )
        return {patient for (patient,) in cursor.fetchall()}


def running(practice: Practice, today: datetime.date) -> QuerySet[Deferral]:
    """Deferrals of the practice's patients that run: neither ended nor over."""
    return Deferral.objects.filter(
        patient__practice=practice, until__gt=today, ends__isnull=True, ended_by__isnull=True
    )
