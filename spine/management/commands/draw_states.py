"""`manage.py draw_states > docs/states.md`."""

from typing import Any

from django.core.management.base import BaseCommand

from spine.states import diagram


class Command(BaseCommand):
    help = "Prints the diagrams of the states of jobs and of changes of policy."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(diagram(), ending="")
