"""The made-up people every benchmark works on: the demo's three practices at their true list size."""

import io

from django.core.management import call_command


def make() -> None:
    call_command("import_practices", stdout=io.StringIO())
    call_command("load_demo", stdout=io.StringIO())
