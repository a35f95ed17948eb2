"""`manage.py policy_change VERB …`: the way of a change of policy, at a terminal (docs/how-to/policy-commands.md)."""

import datetime
import uuid
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from boycott.actions import ChangeRefused
from boycott.api_input import EditChangeShape, NewChangeShape, content_from
from boycott.approvals import Approved, approve_change, reject_change
from boycott.dossier import Dossier, dossier, dossier_of
from boycott.drafting import cancel_change, draft_change, edit_change, submit_change
from boycott.lines import line_for, lines
from boycott.motion_queries import standing_motions
from carerecords.confirmation import NotConfirmed
from carerecords.terminal import PersonalCommand, Present, add_text
from spine.policy.change_by_command import BadFile, listed, motion_in_a_line, read_file, shown

SEEN = "the fingerprint that you saw, last line of `show`"


class Command(PersonalCommand):
    help = "Lists, shows, drafts and decides changes of policy: two people, as on the pages and by API."
    refusals = (ChangeRefused, BadFile, NotConfirmed)

    def add_arguments(self, parser: CommandParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
        verbs.add_parser("list", help="every change, the one touched last first")
        verbs.add_parser("motions", help="the motions that one can rest on, for the file")
        verbs.add_parser("lines", help="the policies that one can change, for the file")
        _of_one(verbs.add_parser("show", help="what it says, its steps and what it would do now"))
        draft = verbs.add_parser("draft", help="writes a new one from a file, as the API takes it")
        draft.add_argument("file", type=Path)
        edit = _of_one(verbs.add_parser("edit", help="writes it again: approvals are void"))
        edit.add_argument("file", type=Path)
        submit = _of_one(verbs.add_parser("submit", help="sends it for approval"))
        approve = _of_one(verbs.add_parser("approve", help="approves what was seen; never one's own"))
        for one in (edit, submit, approve):
            one.add_argument("--seen", required=True, metavar="FINGERPRINT", help=SEEN)
        add_text(approve, "phrase", "the phrase that `show` names, to the letter")
        add_text(approve, "comment", "why you approve")
        for name, words in (("reject", "sends it back"), ("cancel", "gives it up for good")):
            add_text(_of_one(verbs.add_parser(name, help=words)), "comment", "why; its authors read it")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["verb"] in _LISTS:
            read, none = _LISTS[options["verb"]]
            self._say(*read(timezone.now()) or [none])
        elif options["verb"] == "show":
            self._say(*shown(_change(options["id"]), timezone.now()))
        else:
            verb = _VERBS[options["verb"]]
            done = self.in_own_name(lambda present: verb(present, options))
            if isinstance(done, Approved) and done.dossier.content.starts_at is None:
                self._say(done.quiet.sentence)
            found = done.dossier if isinstance(done, Approved) else done
            self._say(*shown(dossier(found.change), timezone.now()))

    def _say(self, *lines: str) -> None:
        self.stdout.write("\n".join(lines))


def _of_one(parser: ArgumentParser) -> ArgumentParser:
    parser.add_argument("id", help="of the change, from `list`")
    return parser


def _change(given: str) -> Dossier:
    try:
        found = dossier_of(uuid.UUID(given))
    except ValueError:
        found = None
    if found is None:
        raise CommandError("There is no change of policy with this id.")
    return found


def _draft(present: Present, options: dict[str, Any]) -> Dossier:
    sent, at = read_file(options["file"], NewChangeShape), timezone.now()
    line, content = line_for(sent["line"], at), content_from(sent)
    return draft_change(line=line, content=content, by=present.user, at=at)


def _edit(present: Present, options: dict[str, Any]) -> Dossier:
    found = _change(options["id"])
    sent = read_file(options["file"], EditChangeShape, seen=options["seen"])
    return edit_change(
        change=found.change,
        content=content_from(sent),
        seen=sent["seen"],
        by=present.user,
        at=timezone.now(),
    )


def _submit(present: Present, options: dict[str, Any]) -> Dossier:
    change = _change(options["id"]).change
    return submit_change(change=change, seen=options["seen"], by=present.user, at=timezone.now())


def _approve(present: Present, options: dict[str, Any]) -> Approved:
    return approve_change(
        change=_change(options["id"]).change,
        seen=options["seen"],
        phrase=options["phrase"],
        comment=options["comment"],
        confirmed=present.confirmed,
        by=present.user,
        at=timezone.now(),
    )


def _reject(present: Present, options: dict[str, Any]) -> Dossier:
    change = _change(options["id"]).change
    return reject_change(change=change, comment=options["comment"], by=present.user, at=timezone.now())


def _cancel(present: Present, options: dict[str, Any]) -> Dossier:
    change = _change(options["id"]).change
    return cancel_change(change=change, comment=options["comment"], by=present.user, at=timezone.now())


_LISTS: dict[str, tuple[Callable[[datetime.datetime], list[str]], str]] = {
    "list": (listed, "There is no change of policy."),
    "motions": (lambda at: [motion_in_a_line(one) for one in standing_motions()], "No motions recorded."),
    "lines": (
        lambda at: [f"{line.id}  {line.words}" for line in lines(at)],
        'No position has been in force: say "line": null.',
    ),
}
_VERBS: dict[str, Callable[[Present, dict[str, Any]], Dossier | Approved]] = {
    "draft": _draft,
    "edit": _edit,
    "submit": _submit,
    "approve": _approve,
    "reject": _reject,
    "cancel": _cancel,
}
