"""`manage.py end_role EMAIL ROLE [--practice ODS]`."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from carerecords import staffing
from carerecords.permissions import Role


class Command(BaseCommand):
    help = "Ends somebody's role now: it is gone with their next click. The row stays."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument("role", choices=[role.value for role in Role])
        parser.add_argument("--practice", metavar="ODS", help="for roles of one practice, for example B81001")

    def handle(self, *args: Any, email: str, role: str, practice: str | None, **options: Any) -> None:
        try:
            staffing.end_role(email=email, role=Role(role), ods_code=practice, at=timezone.now())
        except staffing.RoleRefused as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{email} no longer has that role.")
