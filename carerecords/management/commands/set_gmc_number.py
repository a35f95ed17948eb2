"""`manage.py set_gmc_number EMAIL NUMBER`."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from carerecords import staffing


class Command(BaseCommand):
    help = "Stores a doctor's GMC number, by which they are on the rolls of surveys and ballots."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument("gmc_number", metavar="NUMBER", help="7 numbers")

    def handle(self, *args: Any, email: str, gmc_number: str, **options: Any) -> None:
        try:
            user = staffing.note_gmc_number(email=email, gmc_number=gmc_number)
        except staffing.RoleRefused as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{user.name} has the GMC number {user.gmc_number}.")
