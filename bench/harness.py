"""What every benchmark needs: a database of its own, fair timing, and a way to tell the result."""

import gc
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from config.embedded.discovery import find_postgres
from config.embedded.postgres import Postgres
from config.embedded.processes import server_account

# Both sides of a ratio run alternately, so that what else the machine does meets both alike.
ROUNDS = 5


@dataclass(frozen=True)
class Ratio:
    """One figure: what was compared, what came out, and the goal if there is one."""

    name: str
    what: str
    value: float
    goal: float | None = None
    # A goal may be an upper bound ("costs at most 1.2 times").
    at_most: bool = False
    note: str = ""

    @property
    def reached(self) -> bool:
        if self.goal is None:
            return True
        return self.value <= self.goal if self.at_most else self.value >= self.goal

    def __str__(self) -> str:
        goal = (
            "" if self.goal is None else f" (goal: {'at most' if self.at_most else 'at least'} {self.goal:g})"
        )
        verdict = "ok  " if self.reached else "MISS"
        note = f"\n     {self.note}" if self.note else ""
        return f"{verdict} {self.name}: {self.value:,.2f} {self.what}{goal}{note}"


@contextmanager
def database() -> Iterator[None]:
    """A durable PostgreSQL server, empty but for the tables; gone afterwards."""
    account = server_account()
    folder = Path(tempfile.mkdtemp(prefix="care-bench-"))
    account.own(folder)
    server = Postgres(find_postgres(), folder / "data", folder / "s", account, log=folder / "postgres.log")
    server.start()
    try:
        server.create_database("care")
        os.environ |= {
            "CARE_ENV": "demo",
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DATABASE_URL": server.url("care"),
            "CELERY_BROKER_URL": os.environ.get("CELERY_BROKER_URL", "memory://"),
            "SPINE_BASE_URL": "http://127.0.0.1:9/summary-care-record/FHIR/R4",
            "LOG_LEVEL": "WARNING",
        }
        import django

        django.setup()
        from django.core.management import call_command

        call_command("migrate", verbosity=0, interactive=False)
        yield
    finally:
        from django.db import connections

        connections.close_all()
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def copy_of_database() -> Iterator[None]:
    """The database once more, for a benchmark that fills it as no other wants to find it; gone afterwards.

    Processes that are started inside find the copy too.
    """
    from django.db import connection

    name, address = connection.settings_dict["NAME"], os.environ["DATABASE_URL"]
    copy = f"{name}_copy"
    connection.close()
    with connection._nodb_cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {copy} TEMPLATE {name}")
    connection.settings_dict["NAME"] = copy
    os.environ["DATABASE_URL"] = address.replace(f"/{name}?", f"/{copy}?")
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict["NAME"], os.environ["DATABASE_URL"] = name, address
        with connection._nodb_cursor() as cursor:
            cursor.execute(f"DROP DATABASE {copy} WITH (FORCE)")


def sql(text: str, **params: Any) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(text, params or None)


def seconds(work: Callable[[], object]) -> float:
    gc.collect()
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


@dataclass(frozen=True)
class Cost:
    """What a piece of work took: seconds by the clock, and processor seconds of this process and its backend.

    Processor seconds are what is compared where a ratio shall not depend on what else the machine does.
    They leave out the disk and the waiting; `clock` has both.
    """

    clock: float
    processor: float


def cost(work: Callable[[], object]) -> Cost:
    """Runs it once. Work in other threads or processes is not counted."""
    gc.collect()
    began, busy = time.perf_counter(), time.process_time() + _backend_seconds()
    work()
    return Cost(time.perf_counter() - began, time.process_time() + _backend_seconds() - busy)


def middle(costs: Sequence[Cost]) -> Cost:
    """The median of each of the two."""
    return Cost(
        statistics.median(each.clock for each in costs), statistics.median(each.processor for each in costs)
    )


def _backend_seconds() -> float:
    """Processor seconds of the server's process that works for this connection (Linux, same machine)."""
    from django.db import connection

    connection.ensure_connection()
    pid = connection.connection.info.backend_pid
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def side_by_side(*ways: Callable[[], object], rounds: int = ROUNDS) -> list[float]:
    """Median seconds of each way, run in turn; one round first that does not count."""
    for way in ways:
        way()
    taken: list[list[float]] = [[] for _ in ways]
    for _ in range(rounds):
        for times, way in zip(taken, ways, strict=True):
            times.append(seconds(way))
    return [statistics.median(times) for times in taken]
