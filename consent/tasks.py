"""What workers do for consent: bulk runs and imports, told apart by id. Messages carry no patient data."""

import uuid

from celery import shared_task
from django.utils import timezone

from carerecords import database_clock
from consent import bulk_runs, form_drafts, silence
from consent.codes import ImportState
from consent.imports import actions as imports
from consent.imports.checking import check
from consent.imports.registering import register
from consent.models import Import
from consent.sheet import rows as sheet_rows
from consent.sheet.standing import KEPT_FOR


@shared_task(soft_time_limit=3600, time_limit=3660)
def work_bulk_run(*, run_id: str) -> None:
    """Works on one run to its end."""
    bulk_runs.work(uuid.UUID(run_id), database_clock.now)


@shared_task(soft_time_limit=3600, time_limit=3660)
def take_up_lost_runs() -> None:
    """Goes on with runs whose worker died or whose bell was lost."""
    for public_id in bulk_runs.lost(database_clock.now()):
        bulk_runs.work(public_id, database_clock.now)


@shared_task(soft_time_limit=3600, time_limit=3660)
def check_import(*, import_id: str) -> None:
    """Finds out what each row of a file would do."""
    check(import_id=Import.objects.get(public_id=import_id).pk, at=database_clock.now())


@shared_task(soft_time_limit=3600, time_limit=3660)
def register_import(*, import_id: str) -> None:
    """Registers the patients of an approved list."""
    register(import_id=Import.objects.get(public_id=import_id).pk, at=database_clock.now())


@shared_task(soft_time_limit=3600, time_limit=3660)
def take_up_lost_imports() -> None:
    """Goes on with imports whose worker died or whose bell was lost."""
    for made in imports.lost(database_clock.now()):
        step = check if made.state == ImportState.CHECKING else register
        step(import_id=made.pk, at=database_clock.now())


@shared_task(soft_time_limit=600, time_limit=660)
def forget_old_imports() -> None:
    """Deletes the rows of files that were sent in a month ago."""
    imports.forget(timezone.now())


@shared_task(soft_time_limit=60, time_limit=90)
def forget_old_answers() -> None:
    """Deletes answers that were typed and never saved, once their time is over."""
    at = timezone.now()
    form_drafts.drop_old(at=at)
    sheet_rows.forget_old(before=at - KEPT_FOR)


@shared_task(soft_time_limit=600, time_limit=660)
def record_silence() -> None:
    """Under a model of implied consent, records the silence of those whose time to object is over."""
    silence.record_silence(database_clock.now())
