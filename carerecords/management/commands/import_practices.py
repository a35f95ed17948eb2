"""`manage.py import_practices [FILE]`: the national list of practices."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

import carerecords
from carerecords.practice_import import BadPracticeFile, import_practices

NATIONAL_LIST = Path(carerecords.__file__).parent / "data" / "practices-england.csv"


class Command(BaseCommand):
    help = "Adds and changes practices from a CSV file; by default from the list that came with this."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", nargs="?", type=Path, default=NATIONAL_LIST)

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        try:
            with file.open(encoding="utf-8-sig", newline="") as lines:
                imported = import_practices(lines)
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
        except BadPracticeFile as error:
            raise CommandError(f"Nothing was imported from {file}.\n{error}") from error
        self.stdout.write(f"Practices: {imported}.")
