"""Silence after a letter, recorded as implied consent: only under a model that says so.

It is never a side effect: each practice gets a bulk run of its own, counted, in its history, and to be
taken back at any time (product page 3). Who asked and has not decided is not silent.
"""

import datetime

from django.utils import timezone

from carerecords.models import Practice
from carerecords.models.patient import PatientQuerySet
from consent import bulk_runs
from consent.codes import BulkKind, ConsentModel, Preference, Source
from consent.models import BulkRun, ConsentModelRevision
from consent.national_model import in_force


def silent(practice: Practice, *, letter_weeks: int, today: datetime.date) -> PatientQuerySet:
    """Patients written to so long ago of whom nothing was ever recorded."""
    return practice.patients.here().filter(
        # Not only of now: what was recorded and taken back was somebody's business.
        consent_events__isnull=True,
        letter_sent_on__lte=today - datetime.timedelta(weeks=letter_weeks),
    )


def record_silence(at: datetime.datetime) -> list[BulkRun]:
    """Starts a run for each live practice with silent patients; none where express consent is asked for.

    What was taken back is not recorded again. Two queries a practice with nobody.
    """
    today = timezone.localdate(at)
    model = in_force(today)
    if model is None or model.model == ConsentModel.EXPLICIT:
        return []
    live = Practice.objects.filter(goes_live_on__lte=today, patients__letter_sent_on__isnull=False)
    return [run for practice in live.distinct().order_by("pk") if (run := _run(practice, model, at))]


def _run(practice: Practice, model: ConsentModelRevision, at: datetime.datetime) -> BulkRun | None:
    patients = silent(practice, letter_weeks=model.letter_weeks, today=timezone.localdate(at))
    # Frozen whole before: its sweep goes on with it, and a second run would find the same patients.
    under_way = BulkRun.objects.filter(practice=practice, kind=BulkKind.IMPLIED, finished_at__isnull=True)
    if model.recorded_by is None or under_way.exists() or not patients.exists():
        return None
    run = bulk_runs.freeze(
        practice=practice,
        kind=BulkKind.IMPLIED,
        patients=patients.order_by("family_name", "given_name", "pk"),
        by=model.recorded_by,
        at=at,
        chosen=f"Written to {model.letter_weeks} weeks ago or earlier, and nothing was recorded since.",
        preference=Preference.IMPLIED_CORE,
        source=Source.SILENCE,
        day=timezone.localdate(at),
        note=f"Consent model of {model.effective_from.isoformat()}: {ConsentModel(model.model).label}",
    )
    return bulk_runs.start(run=run, at=at)
