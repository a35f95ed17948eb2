"""`manage.py load_demo`: three real practices, about 25,000 made-up patients, and accounts to try."""

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from demo.guard import refuse_in_production
from demo.load import SEED, PatientsAlready, load


class Command(BaseCommand):
    help = "Loads three practices with made-up patients, staff, decisions and uploads. Not in production."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--seed", type=int, default=SEED, help="another seed makes other patients")
        parser.add_argument("--scale", type=float, default=1, help="share of each list to load, up to 1")

    def handle(self, *args: Any, seed: int, scale: float, **options: Any) -> None:
        refuse_in_production()
        if not 0 < scale <= 1:
            raise CommandError("--scale must be more than 0 and at most 1.")
        began = time.monotonic()
        try:
            loaded = load(at=timezone.now(), say=self._say, seed=seed, scale=scale)
        except PatientsAlready as error:
            raise CommandError(str(error)) from error
        if not loaded.patients:
            self._say("The demo is there already. Nothing was changed.")
            return
        self._say(
            f"Loaded {loaded.patients:,} patients with {loaded.items:,} entries, {loaded.events:,} "
            f"decisions and {loaded.jobs:,} uploads in {time.monotonic() - began:.1f} seconds."
        )

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()
