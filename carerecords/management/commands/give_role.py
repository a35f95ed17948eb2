"""`manage.py give_role EMAIL ROLE [--practice ODS] [--given-name … --family-name …]`."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from carerecords import staffing
from carerecords.permissions import Role

PERSON = ("given_name", "family_name", "title", "gmc_number", "sds_user_id", "sds_role_profile_id")


class Command(BaseCommand):
    help = "Gives somebody a role from now on. New people choose a password by 'Forgotten your password?'."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument("role", choices=[role.value for role in Role])
        parser.add_argument("--practice", metavar="ODS", help="for roles of one practice, for example B81001")
        for name in PERSON:
            parser.add_argument(f"--{name.replace('_', '-')}", default="")

    def handle(self, *args: Any, email: str, role: str, practice: str | None, **options: Any) -> None:
        person = {name: options[name] for name in PERSON if options[name]}
        try:
            given = staffing.give_role(
                email=email, role=Role(role), ods_code=practice, at=timezone.now(), **person
            )
        except staffing.RoleRefused as error:
            raise CommandError(str(error)) from error
        where = given.practice or "the whole country"
        self.stdout.write(f"{given.user.name} is now {given.get_role_display()} at {where}.")
