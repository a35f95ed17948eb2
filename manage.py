#!/usr/bin/env python
"""Django's command line for this project."""

import os
import sys
from pathlib import Path


def load_running_demo() -> None:
    """Takes the variables of the services that `make run` started in this checkout, if it did.

    Never where a database is named, nor in production.
    """
    if "DATABASE_URL" in os.environ or os.environ.get("CARE_ENV", "demo") != "demo":
        return
    state = Path(os.environ.get("CARE_STATE_DIR") or Path(__file__).resolve().parent / ".state")
    if (state / "env").is_file():
        for line in (state / "env").read_text().splitlines():
            name, _, value = line.partition("=")
            os.environ[name] = value


def main() -> None:
    load_running_demo()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
