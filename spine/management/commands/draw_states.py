"""`manage.py draw_states > docs/states.md`."""

from typing import Any

from django.core.management.base import BaseCommand

from spine.states import diagram


class Command(BaseCommand):
    help = "Prints the diagram of a job's states."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(diagram(), ending="")
