"""`manage.py reconcile`: our rows against the store's ledger; exit 1 on any difference."""

from typing import Any
from urllib.error import HTTPError

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from spine.uploads.ledger import compare


class Command(BaseCommand):
    help = "Compares what was recorded here with the store's own ledger."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.SPINE_LEDGER_URL:
            raise CommandError("SPINE_LEDGER_URL is not set: only the local store has a ledger to read.")
        try:
            token = settings.SPINE_BEARER_TOKEN or settings.SPINE_USER_TOKEN
            found = compare(settings.SPINE_LEDGER_URL, token)
        except HTTPError as error:
            raise CommandError(
                f"The store does not let its ledger be read ({error.code}). "
                "Set SPINE_BEARER_TOKEN or SPINE_USER_TOKEN to one that it knows; a bought one is not enough."
            ) from None
        except OSError as error:
            raise CommandError(
                f"The store's ledger does not answer ({error}). Is the store running?"
            ) from None
        self.stdout.write(
            f"{found.ledger_lines} accepted lines in the store's ledger, {found.accepted_jobs} accepted jobs here, "
            f"{found.on_their_way} on their way or in doubt"
        )
        for difference in found.differences:
            self.stdout.write(f"{difference.count} {difference.sentence}: {', '.join(difference.examples)}")
        self.stdout.write(f"{found.total} differences")
        if found.total:
            raise SystemExit(1)
