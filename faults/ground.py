"""What every scenario stands on: PostgreSQL, a broker, and for each a database and a store of its own.

All real, all gone afterwards. The server notes when each transaction committed (`track_commit_timestamp`):
that, and the store's ledger, are what the check goes by, and not what the product says about itself.
"""

import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from config.embedded.discovery import find_postgres
from config.embedded.postgres import FOR_TESTS, Postgres
from config.embedded.processes import server_account
from faults.site import FHIR, READ_TIMEOUT, Site, connected_to

# The server notes when each transaction committed, which is what the check goes by.
WITNESSED = "track_commit_timestamp=on"
_TEMPLATE = "care_empty"


@dataclass
class Ground:
    """The servers, running. `mutant`: the name of the fault planted into every child process, if any."""

    folder: Path
    postgres: Postgres
    # The stores have a server of their own: what happens to ours does not happen to them.
    stores: Postgres
    mutant: str = ""
    # Where the logs of a site's processes go, if not into the site's own folder.
    logs: Path | None = None
    # What the databases and folders of its sites are called.
    called: str = "care"
    _sites: int = 0

    @contextmanager
    def site(self, **store: str) -> Iterator[Site]:
        """A database, a store and a nursery for one scenario. `store`: more variables of the store."""
        self._sites += 1
        name = f"{self.called}_{self._sites}"
        with ExitStack() as ends:
            self.copy_database(name)
            self.stores.create_database(f"{name}_store")
            folder = self.folder / name
            folder.mkdir()
            site = Site(self, name, folder, ends, logs=self.logs or folder)
            site.start_store(store)
            ends.enter_context(site.as_our_own())
            # Sites are made while the next is not: the log of the server from here on is this site's.
            site.log_begins = self.postgres.log.stat().st_size
            yield site

    def copy_database(self, name: str) -> None:
        with psycopg.connect(self.postgres.url("postgres"), autocommit=True) as line:
            line.execute(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE}")


@contextmanager
def ground() -> Iterator[Ground]:
    """The servers with an empty, migrated database to copy; gone afterwards."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with ExitStack() as ends:
        folder = Path(tempfile.mkdtemp(prefix="care-faults-"))
        ends.callback(_clear, folder)
        folder.chmod(0o711)
        ours = server(ends, folder, "postgres", WITNESSED)
        stores = server(ends, folder, "stores", *FOR_TESTS)
        _set_up_django(ours.url(_TEMPLATE), folder / "own.log")
        make_empty(ours)
        yield Ground(folder, ours, stores)


def server(ends: ExitStack, folder: Path, name: str, *settings: str, log: Path | None = None) -> Postgres:
    """A PostgreSQL server in a folder of its own below; stopped at the end."""
    account = server_account()
    sockets = Path(tempfile.mkdtemp(prefix="care-s-"))
    ends.callback(shutil.rmtree, sockets, ignore_errors=True)
    account.own(folder / name)
    found = Postgres(
        find_postgres(),
        folder / name / "data",
        sockets,
        account,
        log=log or folder / f"{name}.log",
        settings=settings,
    )
    ends.callback(found.stop)
    found.start()
    return found


def make_empty(postgres: Postgres) -> None:
    """A migrated database without rows, which sites copy."""
    from django.core.management import call_command

    postgres.create_database(_TEMPLATE)
    with connected_to(postgres.url(_TEMPLATE)):
        call_command("migrate", verbosity=0, interactive=False)


def _clear(folder: Path) -> None:
    if os.environ.get("FAULTS_KEEP"):
        print(f"Logs are kept in {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)


def _set_up_django(database_url: str, log: Path) -> None:
    os.environ |= {
        "CARE_ENV": "demo",
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": database_url,
        "CELERY_BROKER_URL": "memory://",
        "SPINE_BASE_URL": "http://127.0.0.1:9" + FHIR,
        "SPINE_READ_TIMEOUT_SECONDS": str(READ_TIMEOUT),
        "SPINE_REQUESTS_PER_SECOND": "0",
        "UNDO_WINDOW_SECONDS": "0",
    }
    import logging

    import django

    django.setup()
    # What this process logs is looked through for patients, as what the others log.
    handler = logging.getLogger().handlers[0]
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(log.open("a"))
