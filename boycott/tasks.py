"""What the clock does for policy. No change takes effect here: that the calendar does by itself."""

import structlog
from celery import shared_task
from django.utils import timezone

from boycott.surveys.counting import count_ballot, to_count
from boycott.surveys.sealing import SealBroken
from boycott.sweeping import sweep

log = structlog.get_logger(__name__)


@shared_task(soft_time_limit=60, time_limit=90)
def sweep_changes() -> None:
    """Suspends what leavers left behind, and notes which scheduled changes took effect."""
    sweep(timezone.now())


@shared_task(soft_time_limit=600, time_limit=660)
def count_closed_ballots() -> None:
    """Counts each ballot whose time is over. One that cannot be opened is said so, and stays sealed."""
    for survey in to_count(timezone.now()):
        try:
            count_ballot(survey=survey, at=timezone.now())
        except SealBroken:
            log.error("ballot_cannot_be_opened", survey=str(survey.public_id))
