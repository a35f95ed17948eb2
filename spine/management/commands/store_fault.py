"""`manage.py store_fault KIND`: tells the local store to misbehave. Not for the real service."""

import json
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

# What an order may say beside its kind, as the store's own page has it (docs/how-to/local-store.md).
WORDS = ("target", "probability", "times", "seed", "seconds", "retry_after", "size")
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Command(BaseCommand):
    help = "Orders a fault of the local store, lists the faults in force, or takes all away."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("kind", nargs="?", default="", help="what goes wrong, for example lost_answer")
        for word in WORDS:
            parser.add_argument(f"--{word.replace('_', '-')}", default="")
        parser.add_argument("--clear", action="store_true", help="take all faults away first")

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.PRODUCTION:
            raise CommandError("Faults are for the local store, and this runs in production mode.")
        found = self._ask("DELETE" if options["clear"] else "GET")
        if options["kind"]:
            order = {"kind": options["kind"]} | {word: options[word] for word in WORDS if options[word]}
            found = self._ask("POST", order)
        for fault in found["faults"]:
            self.stdout.write(
                f"{fault['number']}: {fault['kind']} on {fault['target']}, chance {fault['probability']:g}, "
                f"struck {fault['struck']} of {fault['times'] or 'any number of'} times"
            )
        if not found["faults"]:
            self.stdout.write("No fault is in force.")

    def _ask(self, method: str, order: dict[str, str] | None = None) -> dict[str, Any]:
        store = urlsplit(settings.SPINE_BASE_URL)
        request = urllib.request.Request(
            f"{store.scheme}://{store.netloc}/faults",
            data=json.dumps(order).encode() if order else None,
            headers={"Content-Type": "application/json", "Accept": "application/json"},
            method=method,
        )
        try:
            with DIRECT.open(request, timeout=10) as answer:
                found: dict[str, Any] = json.load(answer)
                return found
        except urllib.error.HTTPError as error:
            raise CommandError(_why(error)) from None
        except OSError as error:
            raise CommandError(
                f"The local store does not answer at {store.netloc} ({error}). Is it running?"
            ) from None


def _why(error: urllib.error.HTTPError) -> str:
    if error.code == 400:
        problems: dict[str, str] = json.load(error)["problems"]
        return "\n".join(f"{message}." for message in problems.values())
    return "This store takes no orders: start it with LOCALSTORE_CONTROL=1, on this machine."
