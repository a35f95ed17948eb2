"""`manage.py upload_runs VERB …`: runs of uploads at a terminal. They are made on their page."""

import uuid
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from carerecords.terminal import PersonalCommand
from spine.runs import actions, pages
from spine.runs.actions import RunRefused
from spine.runs.codes import RunKind
from spine.runs.models import SendingRun
from spine.runs.progress import progress_of
from spine.runs.queries import under_way

VERBS = {"pause": actions.pause, "resume": actions.resume, "cancel": actions.cancel}
WORDS = {
    "pause": "nothing of it is sent from the next batch on",
    "resume": "goes on where it was paused",
    "cancel": "ends it: what has not begun is cancelled",
}


class Command(PersonalCommand):
    help = "Lists the runs of uploads under way, and pauses, resumes or cancels one in your name."
    refusals = (RunRefused,)

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
        verbs.add_parser("list", help="those that are running or paused, the newest first")
        for name, words in WORDS.items():
            _of_one(verbs.add_parser(name, help=words))

    def handle(self, *args: Any, verb: str, **options: Any) -> None:
        if verb == "list":
            lines = [_line(run) for run in under_way()] or ["No run is under way."]
            self.stdout.write("\n".join(lines))
            return
        run = _run(options["id"])
        self.in_own_name(lambda present: VERBS[verb](run, by=present.user, at=timezone.now()))
        run.refresh_from_db()
        self.stdout.write(_line(run))


def _of_one(parser: ArgumentParser) -> None:
    parser.add_argument("id", help="of the run, from `list`")


def _run(text: str) -> SendingRun:
    try:
        run = SendingRun.objects.select_related("practice").filter(public_id=uuid.UUID(text)).first()
    except ValueError:
        run = None
    if run is None:
        raise CommandError(f"There is no run {text}.")
    return run


def _line(run: SendingRun) -> str:
    """`0b7… J81012 First upload. Paused: 8 of 14 done. Nothing of it is sent.`"""
    where = run.practice.ods_code if run.practice else "programme"
    told = pages.headline(run, progress_of(run), timezone.localtime())
    return f"{run.public_id} {where} {RunKind(run.kind).label}. {told}"
