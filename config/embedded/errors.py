"""What can keep the embedded services from starting, said to a person."""

import os


class CannotStart(Exception):
    """Something is missing or in the way; the message says what, and what to do."""


def refuse_in_production() -> None:
    """Raises `CannotStart` where CARE_ENV is `production`."""
    if os.environ.get("CARE_ENV") == "production":
        raise CannotStart(
            "CARE_ENV is production, and the embedded services have no passwords. "
            "Give DATABASE_URL and CELERY_BROKER_URL, or unset CARE_ENV for the demo."
        )
