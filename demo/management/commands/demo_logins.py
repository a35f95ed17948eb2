"""`manage.py demo_logins`: who can log in to the demo, and what to try as each."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from carerecords.models import RoleAssignment
from demo.accounts import ACCOUNTS, API_TOKEN, PASSWORD
from demo.guard import refuse_in_production
from demo.load import is_loaded

HEADINGS = ("Role", "Email", "Password", "Practice", "What to try")


class Command(BaseCommand):
    help = "Lists the accounts of the demo, their password and the API token."

    def handle(self, *args: Any, **options: Any) -> None:
        refuse_in_production()
        if not is_loaded():
            raise CommandError("The demo is not loaded. Run manage.py load_demo first.")
        self.stdout.write(_table([HEADINGS, *_rows()]))
        self.stdout.write(f"\nAPI, as api@demo.example: Authorization: Token {API_TOKEN}")


def _rows() -> list[tuple[str, ...]]:
    emails = [account.email for account in ACCOUNTS]
    held = RoleAssignment.objects.filter(user__email__in=emails).select_related("user", "practice")
    where = {row.user.email: row.practice.name if row.practice else "National" for row in held}
    return [
        (account.role.rule.name, account.email, PASSWORD, where[account.email], account.to_try)
        for account in ACCOUNTS
    ]


def _table(rows: list[tuple[str, ...]]) -> str:
    """Columns as wide as their longest text."""
    widths = [max(len(text) for text in column) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines)
