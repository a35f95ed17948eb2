"""What workers run. Thin: a bell or the clock rings, and the database says what is due.

Messages carry the id of a run at most, and so no patient data.
"""

import time
import uuid

from celery import shared_task

from carerecords import database_clock
from consent import actions as consent_actions
from spine.permission import mismatches
from spine.runs import feeding
from spine.runs.queries import running
from spine.sending import overlap, recovery
from spine.sending.store import store_of_this_process

# A task goes on while there is work, but not so long that a worker cannot be stopped in peace.
DRAIN_SECONDS = 10


@shared_task(soft_time_limit=300, time_limit=330)
def send_due() -> None:
    """Sends what is due, batch after batch."""
    end = time.monotonic() + DRAIN_SECONDS
    overlap.drain(store_of_this_process(), lambda _: time.monotonic() < end)


@shared_task(soft_time_limit=300, time_limit=330)
def recover() -> None:
    """Takes back what a dead worker held, and asks the store after messages in doubt."""
    recovery.release_expired()
    recovery.resolve_doubt(store_of_this_process())


@shared_task(soft_time_limit=300, time_limit=330)
def derive_due() -> None:
    """Works out again the consent of patients whose state changes with the calendar."""
    consent_actions.derive_due(at=database_clock.now())


@shared_task(soft_time_limit=300, time_limit=330)
def review_mismatches() -> None:
    """Looks again at where the Spine's permission and decisions here disagree. Asks the Spine nothing."""
    mismatches.sweep(at=database_clock.now())


@shared_task(soft_time_limit=300, time_limit=330)
def feed_run(*, run_id: str) -> None:
    """Asks for uploads of a run that was started just now."""
    feeding.feed(uuid.UUID(run_id), database_clock.now)


@shared_task(soft_time_limit=300, time_limit=330)
def feed_runs() -> None:
    """Asks for uploads of every run that is under way, as far as there is room for them."""
    for public_id in running():
        feeding.feed(public_id, database_clock.now)
