"""What the clock rings for, and how often. Each ring is worth nothing once the next is due."""

from typing import Any

# Seconds between two rings of each task.
EVERY: dict[str, float] = {
    "spine.tasks.send_due": 2,
    "spine.tasks.recover": 2,
    "spine.tasks.feed_runs": 5,
    "consent.tasks.take_up_lost_runs": 15,
    "consent.tasks.take_up_lost_imports": 15,
    "consent.tasks.forget_old_imports": 3600,
    "consent.tasks.record_silence": 3600,
    "consent.tasks.forget_old_answers": 900,
    "boycott.tasks.sweep_changes": 30,
    "boycott.tasks.count_closed_ballots": 15,
    "spine.tasks.review_mismatches": 60,
    "spine.tasks.derive_due": 60,
}
# Only with the made-up patients of the demo.
OF_DEMO: dict[str, float] = {"demo.tasks.change_records_sent": 60}


def entries(*, demo: bool) -> dict[str, dict[str, Any]]:
    """The schedule as Celery's beat reads it."""
    every = EVERY | OF_DEMO if demo else EVERY
    return {
        task: {"task": task, "schedule": float(seconds), "options": {"expires": seconds}}
        for task, seconds in every.items()
    }
