"""What the clock does for policy. Nothing takes effect here: that the calendar does by itself."""

from celery import shared_task
from django.utils import timezone

from boycott.sweeping import sweep


@shared_task(soft_time_limit=60, time_limit=90)
def sweep_changes() -> None:
    """Suspends what leavers left behind, and notes which scheduled changes took effect."""
    sweep(timezone.now())
