"""`manage.py replay [SCENARIO]`: a piece of history month by month, or all of them by name."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from reports.replays.engine import WORLDS, Month, replay
from reports.replays.history import SCENARIOS
from reports.replays.scenario import Scenario


class Command(BaseCommand):
    help = "Replays a piece of history by today's rule, month by month. Writes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("scenario", nargs="?", help="its name; without it, all names")

    def handle(self, *args: Any, **options: Any) -> None:
        name = options["scenario"]
        if not name:
            for one in SCENARIOS.values():
                self.stdout.write(f"{one.slug:14} {one.title}")
        elif name in SCENARIOS:
            self._print(SCENARIOS[name])
        else:
            raise CommandError(f"There is no scenario {name}. There are: {', '.join(SCENARIOS)}.")

    def _print(self, scenario: Scenario) -> None:
        self.stdout.write(f"{scenario.title}\n{scenario.told}\nSource: {scenario.source}")
        self.stdout.write(f"Taken for granted: {scenario.assumed}")
        for month in replay(scenario):
            self._month(month)

    def _month(self, month: Month) -> None:
        self.stdout.write(f"\n{month.day:%B %Y}. Position: {month.position}. {month.model.label}.")
        for world in WORLDS:
            sent = month.sent[world.name]
            self.stdout.write(
                f"  {world.name}: {sent.summaries:,} of {month.patients:,} may be uploaded, "
                f"{sent.additional:,} with additional information"
            )
        for reason, patients in month.held:
            self.stdout.write(f"  {patients:,} not: {reason.sentence}")
