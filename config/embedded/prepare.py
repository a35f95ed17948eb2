"""The database, from whatever it holds to a loaded demo; its log-ins go to the file that is named.

One process for all of it: every start of Django takes seconds.
"""

import os
import sys
from pathlib import Path

import django
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DatabaseError


def main(logins: Path) -> int:
    """The exit code; what went wrong is said in a sentence."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    try:
        print("- Preparing the database", flush=True)
        call_command("migrate", verbosity=0)
        print("- Loading the demo (made-up patients)", flush=True)
        call_command("load_demo", "--scale", os.environ.get("CARE_DEMO_SCALE") or "1")
        with logins.open("w") as file:
            call_command("demo_logins", stdout=file)
    except (CommandError, DatabaseError) as error:
        print(f"\n{error}".rstrip(), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
