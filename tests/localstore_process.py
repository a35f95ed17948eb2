"""The local store as a real process, for any test that sends to it.

    from tests.localstore_process import localstore  # noqa: F401  (or: pytest_plugins)

    def test_something(localstore):
        before = localstore.last_sequence()
        ... send to localstore.fhir_url ...
        assert [line["outcome"] for line in localstore.ledger(after=before)] == ["accepted"]

The ledger is append-only, so nothing is ever reset between tests. A test keeps to itself by using
NHS numbers of its own (`fresh_nhs_number()`, test range 999) and by reading the ledger only after the
sequence it found at its beginning.

The store gets a database of its own on the server that DATABASE_URL (or LOCALSTORE_TEST_SERVER_URL)
names; it is dropped at the end.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
import uuid
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from random import SystemRandom

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

ROOT = Path(__file__).resolve().parent.parent
FHIR_PATH = "/summary-care-record/FHIR/R4"


class LocalStoreProcess:
    """One store process and its database; stopped, killed and started again at will."""

    def __init__(self, server_url: str, **environment: str) -> None:
        self._server_url = server_url
        self._environment = environment
        self._name = f"localstore_test_{os.getpid()}_{uuid.uuid4().hex[:8]}"
        self._port = "0"
        self._process: subprocess.Popen[str] | None = None
        self.errors: list[str] = []
        self.base_url = ""

    @property
    def fhir_url(self) -> str:
        """The address of the published interface: what SPINE_BASE_URL would be."""
        return self.base_url + FHIR_PATH

    @property
    def database_url(self) -> str:
        parts = conninfo_to_dict(self._server_url)
        parts["dbname"] = self._name
        return make_conninfo(**parts)

    def create_database(self) -> None:
        with psycopg.connect(self._server_url, autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(self._name)))

    def drop_database(self) -> None:
        with psycopg.connect(self._server_url, autocommit=True) as connection:
            drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(self._name))
            connection.execute(drop)

    def start(self) -> None:
        """Start the process and wait until it listens; a second start takes the port of the first."""
        environment = {key: value for key, value in os.environ.items() if not key.startswith("LOCALSTORE_")}
        environment |= {"LOCALSTORE_DATABASE_URL": self.database_url, "LOCALSTORE_PORT": self._port}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "spine.localstore"],
            cwd=ROOT,
            env=environment | self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._collect_errors, args=[self._process.stderr], daemon=True)
        self._reader.start()
        line = self._process.stdout.readline()
        assert line.startswith("listening on "), f"the store did not start: {self.errors}"
        self.base_url = line.removeprefix("listening on ").strip()
        self._port = self.base_url.rpartition(":")[2]

    def _collect_errors(self, stream) -> None:
        with stream:
            self.errors.extend(stream)

    def stop(self, number: int = signal.SIGTERM) -> None:
        """Stop the process (or, with SIGKILL, kill it) and wait for its end."""
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(timeout=20)
            self._process.stdout.close()
            self._reader.join(timeout=20)
            self._reader.join()
            self._process.stderr.close()
            self._process = None

    def kill(self) -> None:
        """Kill the process as a power cut would: no warning, nothing tidied up."""
        self.stop(signal.SIGKILL)

    def ledger(self, after: int = 0) -> list[dict]:
        """Return the ledger lines after that sequence, in order, all pages of them."""
        lines: list[dict] = []
        while True:
            address = f"{self.base_url}/ledger?after={after}&limit=10000"
            request = urllib.request.Request(address, headers=self._looking())
            with urllib.request.urlopen(request, timeout=30) as answer:
                page = [json.loads(line) for line in answer.read().splitlines()]
            lines += page
            if len(page) < 10_000:
                return lines
            after = page[-1]["sequence"]

    def _looking(self) -> dict[str, str]:
        """What a store that asks for tokens is shown to be looked into."""
        token = self._environment.get("LOCALSTORE_USER_TOKEN")
        return {"Authorization": f"Bearer {token}"} if token else {}

    def last_sequence(self) -> int:
        """Return the sequence of the newest ledger line: what a test reads `after`."""
        with urllib.request.urlopen(f"{self.base_url}/health", timeout=30) as answer:
            return json.load(answer)["last_sequence"]


_numbers = count(SystemRandom().randrange(900_000))


def fresh_nhs_number() -> str:
    """Return a valid NHS number of the test range 999 that this run has not used before."""
    while True:
        nine = f"999{next(_numbers) % 1_000_000:06}"
        check = -sum(int(digit) * weight for digit, weight in zip(nine, range(10, 1, -1), strict=True)) % 11
        if check != 10:
            return f"{nine}{check}"


def server_url() -> str:
    """Return the PostgreSQL server on which the store's database is made."""
    url = os.environ.get("LOCALSTORE_TEST_SERVER_URL") or os.environ.get("DATABASE_URL")
    if not url:
        pytest.fail("DATABASE_URL is not set: no PostgreSQL server for the local store")
    return url


def running_store(**environment: str) -> Iterator[LocalStoreProcess]:
    """Give a store with a new database and these extra settings; stop it and drop the database after."""
    store = LocalStoreProcess(server_url(), **environment)
    store.create_database()
    try:
        store.start()
        yield store
    finally:
        store.stop()
        store.drop_database()


@pytest.fixture(scope="session")
def localstore() -> Iterator[LocalStoreProcess]:
    """One store process for the whole session."""
    yield from running_store()


def wait_until(condition, seconds: float = 10.0) -> None:
    """Wait until `condition()` is true; fail after `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
