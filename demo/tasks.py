"""What the clock of the demo rings for."""

from celery import shared_task

from carerecords import database_clock
from demo.later import change_records


@shared_task(soft_time_limit=60, time_limit=90)
def change_records_sent() -> None:
    """Changes some records whose summaries were sent."""
    change_records(database_clock.now())
