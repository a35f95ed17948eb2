"""Commands that somebody answers for: who they are is asked at the terminal, never given on its line.

What stands on a command line stands in the shell's history and in the list of processes.
"""

import getpass
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, TextIO, TypeVar

from django.core.management.base import BaseCommand, CommandError

from carerecords import confirmation
from carerecords.confirmation import Confirmation
from carerecords.models import User
from carerecords.permissions import NotPermitted

Done = TypeVar("Done")
WRONG_PERSON = "Email address or password is not right."


@dataclass(frozen=True)
class Present:
    """Who stands at the terminal, proved by the password that they have just typed."""

    user: User
    confirmed: Confirmation


class PersonalCommand(BaseCommand):
    """A command done in somebody's name. A program gives their address and password as two lines of input."""

    stealth_options = ("stdin",)
    # The errors of its verbs that are refusals, to be told in one sentence.
    refusals: ClassVar[tuple[type[Exception], ...]] = ()
    stdin: TextIO

    def execute(self, *args: Any, **options: Any) -> str | None:
        self.stdin = options.get("stdin") or sys.stdin
        return super().execute(*args, **options)

    def in_own_name(self, verb: Callable[[Present], Done]) -> Done:
        """Asks who it is and calls the verb; raises `CommandError` in the words of whatever refused it."""
        told: tuple[type[Exception], ...] = (NotPermitted, *self.refusals)
        try:
            return verb(self._who())
        except told as refusal:
            raise CommandError(_sentence(refusal)) from None

    def _who(self) -> Present:
        email, password = self._asked()
        user = User.objects.filter(email=email.strip().lower()).first()
        confirmed = confirmation.by_password(user, password) if user else None
        if user is None or confirmed is None:
            raise CommandError(WRONG_PERSON)
        return Present(user, confirmed)

    def _asked(self) -> tuple[str, str]:
        if self.stdin.isatty():
            self.stderr.write("Email address: ", ending="")
            self.stderr.flush()
            return self.stdin.readline(), getpass.getpass("Password: ")
        return self.stdin.readline(), self.stdin.readline().rstrip("\r\n")


def add_text(parser: ArgumentParser, name: str, words: str) -> None:
    """A text that is kept with what was done. Whether it will do, the verb says."""
    parser.add_argument(f"--{name}", default="", metavar="TEXT", help=words)


def _sentence(refusal: Exception) -> str:
    return f"{str(refusal).rstrip('.')}."
