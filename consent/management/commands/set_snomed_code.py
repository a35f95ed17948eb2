"""`manage.py set_snomed_code <preference> <id> --by EMAIL`: fills in an id that we do not know."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from carerecords.models import User
from consent.codes import Preference
from consent.snomed import BadSnomedId, set_code


class Command(BaseCommand):
    help = "Fills in the SNOMED CT id of a consent preference. Take it from the UK edition, never guess it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("preference", choices=[one.value for one in Preference if one.read_code])
        parser.add_argument("id", help="the id of the concept")
        parser.add_argument("--by", required=True, help="email address of the administrator")

    def handle(self, *args: Any, **options: Any) -> None:
        by = User.objects.filter(email__iexact=options["by"], is_active=True).first()
        if by is None:
            raise CommandError("Nobody with this email address has an account.")
        preference = Preference(options["preference"])
        try:
            row = set_code(preference=preference, text=options["id"], by=by, at=timezone.now())
        except BadSnomedId as fault:
            raise CommandError(str(fault)) from None
        self.stdout.write(f"{preference.label} ({preference.read_code}) is {row.snomed_id}.")
