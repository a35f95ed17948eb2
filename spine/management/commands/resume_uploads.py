"""`manage.py resume_uploads {ask,agree,decline} --reason TEXT`: takes two national admins, from a shell too."""

from collections.abc import Callable
from typing import Any

from django.core.management.base import CommandParser
from django.utils import timezone

from carerecords.confirmation import NotConfirmed
from carerecords.terminal import PersonalCommand, Present, add_text
from spine.policy.actions import StopRefused, agree_to_resume, ask_to_resume, decline_to_resume


class Command(PersonalCommand):
    help = "Resumes uploads after an emergency stop: one national admin asks, another agrees or declines."
    refusals = (StopRefused, NotConfirmed)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("verb", choices=_VERBS)
        add_text(parser, "reason", "it is kept in the history")

    def handle(self, *args: Any, verb: str, reason: str, **options: Any) -> None:
        self.stdout.write(self.in_own_name(lambda present: _VERBS[verb](present, reason)))


def _ask(present: Present, reason: str) -> str:
    ask_to_resume(reason=reason, by=present.user, at=timezone.now())
    return "You asked to resume uploads. They stay stopped until another national admin agrees."


def _agree(present: Present, reason: str) -> str:
    agree_to_resume(note=reason, confirmed=present.confirmed, by=present.user, at=timezone.now())
    return "Uploads run again. Every held upload is looked at afresh."


def _decline(present: Present, reason: str) -> str:
    decline_to_resume(note=reason, by=present.user, at=timezone.now())
    return "Uploads stay stopped."


_VERBS: dict[str, Callable[[Present, str], str]] = {"ask": _ask, "agree": _agree, "decline": _decline}
