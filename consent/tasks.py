"""What workers do for consent: bulk runs, told apart by id. Messages carry no patient data."""

import uuid

from celery import shared_task
from django.utils import timezone

from consent import bulk_runs


@shared_task(soft_time_limit=3600, time_limit=3660)
def work_bulk_run(*, run_id: str) -> None:
    """Works on one run to its end."""
    bulk_runs.work(uuid.UUID(run_id), timezone.now)


@shared_task(soft_time_limit=3600, time_limit=3660)
def take_up_lost_runs() -> None:
    """Goes on with runs whose worker died or whose bell was lost."""
    for public_id in bulk_runs.lost(timezone.now()):
        bulk_runs.work(public_id, timezone.now)
