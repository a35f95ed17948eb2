"""Where one scenario happens: its database, its store, and the processes that it starts there."""

import json
import os
import re
import shutil
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from config.embedded import services
from config.embedded.broker import Broker
from config.embedded.discovery import find_broker
from config.embedded.processes import own_account, server_account
from config.embedded.services import DIRECT, Service
from faults.nursery import Nursery

if TYPE_CHECKING:
    from faults.ground import Ground

PROJECT = Path(__file__).resolve().parent.parent
FHIR = "/summary-care-record/FHIR/R4"
# As short as makes sense, so that a lease is over soon: it follows from this (`spine.sending.pipeline.lease`).
READ_TIMEOUT = 2
START_SECONDS = 60
_LISTENS = re.compile(r"^listening on (\S+)$", re.MULTILINE)


@dataclass
class Site:
    """Where one scenario happens."""

    ground: "Ground"
    name: str
    folder: Path
    ends: ExitStack
    logs: Path
    log_begins: int = 0
    read_timeout: float = READ_TIMEOUT
    # Requests a second that all senders together may make; 0: as many as they like.
    rate: float = 0
    base_url: str = ""
    broker: Broker | None = None
    store: Service = field(init=False)
    # The address that the product is given, where it is not PostgreSQL's own.
    pooled_url: str = ""
    _nursery: Nursery | None = None

    @property
    def database_url(self) -> str:
        return self.ground.postgres.url(self.name)

    def environment(self, **more: str) -> dict[str, str]:
        """The variables of a process that works here."""
        return {
            "CARE_ENV": "demo",
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DATABASE_URL": self.pooled_url or self.database_url,
            "DATABASE_POOLED": "1" if self.pooled_url else "0",
            "CELERY_BROKER_URL": self.broker.url if self.broker else "memory://",
            "SPINE_BASE_URL": self.base_url + FHIR,
            "SPINE_LEDGER_URL": f"{self.base_url}/ledger",
            "SPINE_READ_TIMEOUT_SECONDS": str(self.read_timeout),
            "SPINE_REQUESTS_PER_SECOND": str(self.rate),
            "UNDO_WINDOW_SECONDS": "0",
            "FAULTS_MUTANT": self.ground.mutant,
        } | more

    def start_store(self, variables: dict[str, str]) -> None:
        environment = {
            "LOCALSTORE_DATABASE_URL": self.ground.stores.url(f"{self.name}_store"),
            # Any port that is free: another run beside this one must not be sent what is meant for this.
            "LOCALSTORE_PORT": "0",
            "LOCALSTORE_CONTROL": "1",
        } | variables
        log = self.logs / "store.log"
        self.store = services.local_store(environment, own_account(), log, PROJECT)
        self.ends.callback(self.store.stop)
        self.store.start()
        wait_until(lambda: _LISTENS.search(log.read_text()), START_SECONDS, "the store listens")
        found = _LISTENS.search(log.read_text())
        assert found is not None
        self.base_url = found.group(1)

    def start_broker(self) -> Broker:
        account = server_account()
        home = Path(tempfile.mkdtemp(prefix="care-f-"))
        self.ends.callback(shutil.rmtree, home, ignore_errors=True)
        account.own(home)
        log = self.logs / "broker.log"
        self.broker = Broker(find_broker(), home / "data", home / "s", account, log=log)
        self.ends.callback(self.broker.stop)
        self.broker.start()
        _use_broker(self.broker.url)
        self.ends.callback(_use_broker, "memory://")
        return self.broker

    def start_worker(self, name: str = "worker", **more: str) -> Service:
        """A real Celery worker; the planted fault, if any, is in it too."""
        worker = services.worker(self.environment(**more), own_account(), self.logs / f"{name}.log", PROJECT)
        worker.command = [sys.executable, "-m", "faults.planted", *worker.command[2:]]
        self.ends.callback(worker.stop)
        worker.start()
        return worker

    def start_web(self) -> int:
        """The real web server; returns its port once it answers."""
        port = services.free_port("FAULTS_PORT", 8600)
        web = services.web(self.environment(), own_account(), self.logs / "web.log", PROJECT, port)
        self.ends.callback(web.stop)
        web.start()
        web.wait_for(f"http://127.0.0.1:{port}/health/", START_SECONDS)
        return port

    def start_clock(self) -> Service:
        """A real Celery beat."""
        schedule = self.folder / "schedule"
        clock = services.beat(self.environment(), own_account(), self.logs / "clock.log", PROJECT, schedule)
        self.ends.callback(clock.stop)
        clock.start()
        return clock

    @property
    def nursery(self) -> Nursery:
        return self._nursery or self.start_nursery()

    def start_nursery(self) -> Nursery:
        """Another one, whose senders work under the settings as they are now."""
        if self._nursery is not None:
            self._nursery.stop_all()
        self._nursery = Nursery(self.environment(), self.folder, self.logs / "senders.log")
        self.ends.callback(self._nursery.close)
        return self._nursery

    def last_sequence(self) -> int:
        """How many requests of any kind reached the store."""
        with DIRECT.open(f"{self.base_url}/health", timeout=10) as answer:
            return int(json.load(answer)["last_sequence"])

    def order_fault(self, kind: str, **more: object) -> None:
        """Tells the store to misbehave (`spine.localstore.faults`)."""
        order = {"kind": kind, "target": "upload"} | more
        self._faults("POST", {name: str(value) for name, value in order.items()})

    def faults(self) -> list[dict[str, Any]]:
        """The faults in force, and how often each struck."""
        found: list[dict[str, Any]] = self._faults("GET")["faults"]
        return found

    def clear_faults(self) -> None:
        self._faults("DELETE")

    def _faults(self, method: str, order: dict[str, str] | None = None) -> Any:
        request = urllib.request.Request(
            f"{self.base_url}/faults",
            data=json.dumps(order).encode() if order else None,
            headers={"Content-Type": "application/json", "Accept": "application/json"},
            method=method,
        )
        with DIRECT.open(request, timeout=10) as answer:
            return json.load(answer)

    @contextmanager
    def as_our_own(self) -> Iterator[None]:
        """This process works on the site's database and store, as the web server would."""
        from django.conf import settings

        before = settings.SPINE_BASE_URL
        settings.SPINE_BASE_URL = self.base_url + FHIR
        try:
            with connected_to(self.database_url):
                yield
        finally:
            settings.SPINE_BASE_URL = before


@contextmanager
def connected_to(database_url: str) -> Iterator[None]:
    """Inside, this process's connections, in whichever thread, go to that address, given as PostgreSQL's sockets."""
    import dj_database_url
    from django.db import connection

    wanted, settings = dj_database_url.parse(database_url), connection.settings_dict
    before = {"NAME": settings["NAME"], "OPTIONS": settings["OPTIONS"]}
    connection.close()
    settings.update(NAME=wanted["NAME"], OPTIONS=settings["OPTIONS"] | wanted["OPTIONS"])
    try:
        yield
    finally:
        connection.close()
        settings.update(before)


def _use_broker(url: str) -> None:
    """Bells of this process ring there."""
    from celery import current_app

    from carerecords import doorbell

    os.environ["CELERY_BROKER_URL"] = url
    doorbell._silent_until = 0.0
    app: Any = current_app
    app.conf.broker_url = url
    # As Celery does after a fork: the next message asks for the address again.
    app._pool = app.amqp._producer_pool = None


def wait_until(condition: Callable[[], object], seconds: float, what: str, *, every: float = 0.05) -> float:
    """Waits until it is so; returns how long that took. Raises `AssertionError` when it is not in time."""
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > seconds:
            raise AssertionError(f"Not within {seconds:.0f} s: {what}")
        time.sleep(every)
    return time.monotonic() - began
