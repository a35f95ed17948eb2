"""The demo never runs in production: it would mix made-up patients with real ones."""

from django.conf import settings
from django.core.management.base import CommandError


def refuse_in_production() -> None:
    """Raises `CommandError` where CARE_ENV is production."""
    if settings.CARE_ENV == "production":
        raise CommandError("The demo is refused: CARE_ENV is production. Set CARE_ENV=demo to try it.")
