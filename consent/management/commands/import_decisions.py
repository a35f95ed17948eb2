"""`manage.py import_decisions FILE --practice ODS --by EMAIL [--approved-by EMAIL]`."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from carerecords.formats import count
from carerecords.middleware import assignment_of
from carerecords.models import Practice, User
from carerecords.permissions import Permission, Role
from consent import bulk_runs
from consent.codes import ImportKind, ImportState
from consent.imports import actions
from consent.imports.checking import check
from consent.imports.files import BY_COMMAND, FileRefused
from consent.imports.staging import stage
from consent.models import Import

NAMED = 20


class Command(BaseCommand):
    help = (
        "Reads a file of decisions of any size, and says what it would do. It waits in the pages to be "
        "approved, or is applied at once if somebody who may approve it is named. Rules are those of the pages."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--practice", metavar="ODS", required=True, help="for example B81001")
        parser.add_argument("--by", metavar="EMAIL", required=True, help="who sends the file in")
        parser.add_argument("--approved-by", metavar="EMAIL", help="who has approved it")

    def handle(
        self, *args: Any, file: Path, practice: str, by: str, approved_by: str | None, **options: Any
    ) -> None:
        where = Practice.objects.filter(ods_code=practice.upper()).first()
        if where is None:
            raise CommandError(f"There is no practice {practice}.")
        sender, may_send = _somebody(by, where)
        approver, may_approve = _somebody(approved_by, where) if approved_by else (None, frozenset())
        if Permission.UPLOAD_IMPORT not in may_send:
            raise CommandError(f"{by} cannot {Permission.UPLOAD_IMPORT.sentence}.")
        made = self._read(file, where, sender)
        self._tell(made)
        if approver and made.state == ImportState.READY and made.writes:
            self._apply(made, approver, may_approve)

    def _read(self, file: Path, where: Practice, sender: User) -> Import:
        try:
            with file.open("rb") as opened:
                made = stage(
                    practice=where,
                    kind=ImportKind.DECISIONS,
                    file=opened,
                    name=file.name,
                    limits=BY_COMMAND,
                    by=sender,
                    at=timezone.now(),
                )
        except OSError as error:
            raise CommandError(f"{file} cannot be read.") from error
        except FileRefused as refusal:
            raise CommandError(f"{refusal}.") from refusal
        check(import_id=made.pk, at=timezone.now())
        made.refresh_from_db()
        return made

    def _tell(self, made: Import) -> None:
        if made.state == ImportState.STOPPED:
            raise CommandError(made.problem)
        self.stdout.write(
            f"{count(made.new)} new, {count(made.changed)} changed, {count(made.history)} for the history, "
            f"{count(made.same)} already the same, {count(made.bad)} errors"
        )
        for row in made.rows.filter(verdict="BAD").order_by("number")[:NAMED]:
            self.stdout.write(f"Row {row.number}: {row.problem}")
        if made.bad > NAMED:
            self.stdout.write(
                f"and {count(made.bad - NAMED)} more. All of them are at /imports/{made.public_id}/"
            )

    def _apply(self, made: Import, approver: User, may: frozenset[Permission]) -> None:
        try:
            approved = actions.approve(made=made, by=approver, may=may, at=timezone.now())
        except actions.ImportRefused as refusal:
            raise CommandError(str(refusal)) from refusal
        assert approved.run is not None
        bulk_runs.work(approved.run.public_id, timezone.now)
        approved.run.refresh_from_db()
        self.stdout.write(f"{count(approved.run.changed)} recorded, {count(approved.run.skipped)} left alone")


def _somebody(email: str, where: Practice) -> tuple[User, frozenset[Permission]]:
    """A person of the practice, and what their role there lets them do."""
    user = User.objects.filter(email=email.lower(), is_active=True).first()
    role = assignment_of(user, timezone.now()) if user else None
    if user is None or role is None or role.practice_id != where.pk:
        raise CommandError(f"{email} has no role at {where}.")
    return user, Role(role.role).rule.permissions
