"""A PostgreSQL server of our own, on a Unix socket in a private folder."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import psycopg
from psycopg import sql

from config.embedded.discovery import PostgresBinaries
from config.embedded.errors import CannotStart
from config.embedded.processes import Account, kill, spawn, stop, working_in

USER = "care"
# The longest path of a Unix socket, less PostgreSQL's own "/.s.PGSQL.5432".
LONGEST_SOCKET_FOLDER = 107 - len("/.s.PGSQL.5432")
START_SECONDS = 60
# Sort order and text must not depend on who starts the server.
LOCALE = {"LC_ALL": "C.UTF-8", "TZ": "UTC"}
# What docker-compose.yml says too: an end to waiting for a lock, and to work that nobody waits for; and
# a log that quotes neither the statement that failed nor the row: both hold what people wrote of patients.
AS_IN_PRODUCTION = (
    "lock_timeout=10s",
    "client_connection_check_interval=1s",
    "log_min_error_statement=panic",
    "log_error_verbosity=terse",
)
FOR_TESTS = (
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "client_connection_check_interval=100ms",
)


class Postgres:
    """One server. `folder` holds its data; `sockets` is short, private and made anew."""

    def __init__(
        self,
        binaries: PostgresBinaries,
        folder: Path,
        sockets: Path,
        account: Account,
        *,
        log: Path,
        settings: tuple[str, ...] = (),
    ) -> None:
        self.binaries, self.folder, self.sockets, self.account = binaries, folder, sockets, account
        self.log, self.settings = log, settings
        self.process: subprocess.Popen[bytes] | None = None

    def url(self, database: str) -> str:
        """The address of a database, for Django and psycopg."""
        return f"postgresql://{USER}@/{database}?host={self.sockets}"

    def start(self) -> None:
        """Makes the data folder if there is none, starts, and waits; raises `CannotStart`."""
        if len(os.fsencode(self.sockets)) > LONGEST_SOCKET_FOLDER:
            raise CannotStart(
                f"The folder for PostgreSQL's socket has too long a path ({self.sockets}). "
                "Name a shorter one in CARE_SOCKET_DIR."
            )
        self._check_version()
        self.account.own(self.sockets)
        if not (self.folder / "PG_VERSION").exists():
            self._make_data_folder()
        self._clear_leftovers()
        options = ["listen_addresses=", f"unix_socket_directories={self.sockets}", "max_connections=200"]
        flags = [part for option in (*options, *AS_IN_PRODUCTION, *self.settings) for part in ("-c", option)]
        with self.log.open("ab") as log:
            self.process = spawn(
                [self.binaries.folder / "postgres", "-D", self.folder, *flags],
                account=self.account,
                log=log,
                environment=os.environ | LOCALE,
                dies_with=signal.SIGINT,
                folder=self.sockets,
            )
        self._wait()

    def stop(self) -> None:
        """Fast shutdown: open transactions are rolled back, nothing committed is lost."""
        if self.process is not None:
            stop(self.process, signal.SIGINT, 30)
            self.process = None

    def create_database(self, name: str) -> None:
        """Makes a database unless it is there."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))

    def _check_version(self) -> None:
        stored = self.folder / "PG_VERSION"
        if stored.exists() and stored.read_text().strip() != str(self.binaries.major):
            raise CannotStart(
                f"The data in {self.folder} was made by PostgreSQL {stored.read_text().strip()}, and this is "
                f"PostgreSQL {self.binaries.major}. Move that folder away to begin with new data, or name the "
                "older server in CARE_POSTGRES_BIN."
            )

    def _make_data_folder(self) -> None:
        """Made beside its place and moved there, so that a broken attempt leaves nothing half made."""
        self.account.own(self.folder.parent)
        fresh = self.folder.with_name(self.folder.name + ".new")
        shutil.rmtree(fresh, ignore_errors=True)
        self.account.own(fresh)
        with self.log.open("ab") as log:
            made = spawn(
                [
                    self.binaries.folder / "initdb",
                    "-D",
                    fresh,
                    "-U",
                    USER,
                    "--auth=trust",
                    "-E",
                    "UTF8",
                    "-N",
                ],
                account=self.account,
                log=log,
                environment=os.environ | LOCALE,
                folder=self.sockets,
            ).wait()
        if made != 0:
            raise CannotStart(f"PostgreSQL could not make its data folder. {self.log} says why.")
        shutil.rmtree(self.folder, ignore_errors=True)
        fresh.rename(self.folder)

    def _clear_leftovers(self) -> None:
        """What is left of a server that was killed. Its pid file PostgreSQL judges by itself.

        A backend in the middle of a long statement goes on with it, and no new server starts until it
        is gone.
        """
        end = time.monotonic() + START_SECONDS
        while (left := working_in(self.folder, "postgres", self.account)) and time.monotonic() < end:
            kill(left)
            time.sleep(0.02)
        for leftover in self.sockets.glob(".s.PGSQL.*"):
            leftover.unlink()

    def _wait(self) -> None:
        assert self.process is not None
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise CannotStart(
                    f"PostgreSQL stopped while starting. The end of {self.log}:\n{self._tail()}"
                )
            try:
                psycopg.connect(self.url("postgres"), connect_timeout=5).close()
            except psycopg.OperationalError:
                time.sleep(0.05)
            else:
                return
        raise CannotStart(f"PostgreSQL did not answer within {START_SECONDS} seconds. {self.log} says why.")

    def _tail(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-5:])
