"""The memory of a large import: the most that two processes of the command ever had, for few rows and for many.

The design asks for a million rows; `BENCH_IMPORT_ROWS=1000000` measures that, in some ten minutes on 2 cores.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from itertools import islice
from typing import Any

from bench.decision_files import decisions, fill, nhs_numbers, people
from bench.harness import Ratio, seconds

FEW, MANY = 10_000, int(os.environ.get("BENCH_IMPORT_ROWS", "100000"))
# A million rows in 12 seconds.
GOAL_SECONDS_A_ROW = 12e-6

# The command, which tells at its end the most memory that it had (VmHWM: since it began, not its parent's).
_MEASURED = """
import sys
from django.core.management import execute_from_command_line
execute_from_command_line(["manage.py", "import_decisions", *sys.argv[1:]])
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print("peak kB", status["VmHWM"].split()[0])
"""


def run() -> Iterator[Ratio]:
    from carerecords.models import Practice

    practice = Practice.objects.filter(patients__isnull=True).order_by("-pk")[0]
    people_of = people(practice, "memory")
    numbers = nhs_numbers(begin=930_000_000)
    few, many = list(islice(numbers, FEW)), list(islice(numbers, MANY))
    fill(practice, few)
    fill(practice, many)
    peaks, took = zip(*(imported(practice, people_of, chosen) for chosen in (few, many)), strict=True)
    yield Ratio(
        "memory of an import",
        f"times for {MANY:,} rows what {FEW:,} need",
        peaks[1] / peaks[0],
        goal=1.2,
        at_most=True,
        note=f"{peaks[0] / 1024:,.0f} and {peaks[1] / 1024:,.0f} MiB",
    )
    yield Ratio(
        f"an import of {MANY:,} rows, applied",
        "seconds",
        took[1],
        goal=MANY * GOAL_SECONDS_A_ROW,
        at_most=True,
        note=f"{took[1] / MANY * 1e6:,.0f} µs a row, the start of the command among them",
    )


def imported(practice: Any, people_of: tuple[Any, Any], numbers: list[str]) -> tuple[int, float]:
    """The most memory of the command that imports and applies these, in kB, and how long it took."""
    staff, manager = people_of
    told = ""
    with tempfile.NamedTemporaryFile("w", suffix=".csv") as file:
        file.write(decisions(numbers, 1500, "consent"))
        file.flush()
        command = [sys.executable, "-c", _MEASURED, file.name, "--practice", practice.ods_code]
        command += ["--by", staff.email, "--approved-by", manager.email]

        def importing() -> None:
            nonlocal told
            told = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True).stdout

        took = seconds(importing)
    if "0 left alone" not in told:
        raise AssertionError(f"The import failed: {told}")
    return int(told.rpartition("peak kB ")[2]), took
