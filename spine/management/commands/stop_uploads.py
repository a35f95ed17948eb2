"""`manage.py stop_uploads [--review] --reason TEXT`: the emergency stop, from a shell."""

from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from carerecords.terminal import PersonalCommand, Present, add_text
from spine.policy.actions import StopRefused, review_stop, stop_uploads


class Command(PersonalCommand):
    help = "Stops all uploads at once; one national admin may. A second reviews the stop within 24 hours."
    refusals = (StopRefused,)

    def add_arguments(self, parser: CommandParser) -> None:
        add_text(parser, "reason", "everybody sees it on every page; name no patient")
        parser.add_argument("--review", action="store_true", help="as the second person: the stop is right")

    def handle(self, *args: Any, reason: str, review: bool, **options: Any) -> None:
        verb = _review if review else _stop
        self.stdout.write(self.in_own_name(lambda present: verb(present, reason)))


def _stop(present: Present, reason: str) -> str:
    silence = stop_uploads(reason=reason, by=present.user, at=timezone.now())
    return f"All uploads are stopped. {silence.sentence}"


def _review(present: Present, reason: str) -> str:
    review_stop(note=reason, by=present.user, at=timezone.now())
    return "The stop is reviewed. It goes on until two people resume uploads."
