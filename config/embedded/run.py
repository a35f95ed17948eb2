"""`make run`: everything on this machine, from nothing to a page that answers.

Starts PostgreSQL, the broker, the local store, web, worker and beat; loads the demo; prints the
address and the log-ins; looks after them until Ctrl-C, and leaves nothing behind.
"""

import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType

from config.embedded import services
from config.embedded.broker import Broker
from config.embedded.discovery import find_broker, find_postgres
from config.embedded.errors import CannotStart, refuse_in_production
from config.embedded.postgres import Postgres
from config.embedded.processes import Account, own_account, server_account, spawn
from config.embedded.services import Service, free_port
from config.embedded.state import LEFTOVERS_SECONDS, PROJECT, State, bring_within_reach, reachable

WAIT_SECONDS = 60
# After everything that was asked to end has: a child of one that was killed.
MANNERS_SECONDS = 2
FHIR = "/summary-care-record/FHIR/R4"


class Ended(Exception):
    """A person or the system asked us to end."""


class Launcher:
    """Everything that was started, in the order in which it must end."""

    def __init__(self) -> None:
        self.account = server_account()
        self.state = State(self.account)
        self.services: list[Service] = []
        self.postgres: Postgres | None = None
        self.broker: Broker | None = None
        # Servers that ended and could not be started again yet.
        self.away: set[str] = set()
        self.is_ours = False
        self.store_port = self.web_port = 0
        self.began = time.monotonic()

    def run(self) -> None:
        """Starts all, and returns only by `Ended` or `CannotStart`."""
        self.state.take()
        self.is_ours = True
        self._wait_for_leftovers()
        self.store_port = pick_port("The local store", "LOCALSTORE_PORT", 8091)
        self.web_port = pick_port("The web server", "PORT", 8000, but=self.store_port)
        environment = self._servers()
        self._prepare(environment)
        address = self._processes(environment)
        self.state.announce(address)
        self._greet(environment, address)
        self._look_after()

    def stop(self) -> None:
        """Ends everything, newest first: beat and worker before what they talk to."""
        if not self.is_ours:
            return
        for service in reversed(self.services):
            service.stop()
        if self.broker:
            self.broker.stop()
        if self.postgres:
            self.postgres.stop()
        if self.state.family:
            self.state.family.end(MANNERS_SECONDS)
        self.state.leave()

    def _wait_for_leftovers(self) -> None:
        """What a launcher that was killed left is told to end; nothing of ours starts beside it."""
        assert self.state.family is not None
        if self.state.family.members():
            say("Waiting for the end of what was left by a start that was killed")
            self.state.family.end(LEFTOVERS_SECONDS)

    def _servers(self) -> dict[str, str]:
        """PostgreSQL and the broker, unless the environment names others; the services' variables."""
        database, store_database = os.environ.get("DATABASE_URL"), os.environ.get("LOCALSTORE_DATABASE_URL")
        if not database or not store_database:
            self._start_postgres()
            assert self.postgres is not None
            database = database or self.postgres.url("care")
            store_database = store_database or self.postgres.url("localstore")
        broker = os.environ.get("CELERY_BROKER_URL") or self._start_broker()
        store = f"http://127.0.0.1:{self.store_port}"
        return {
            "CARE_ENV": "demo",
            "SECRET_KEY": self.state.secret_key(),
            "DATABASE_URL": database,
            "CELERY_BROKER_URL": broker,
            "LOCALSTORE_DATABASE_URL": store_database,
            "LOCALSTORE_PORT": str(self.store_port),
            "LOCALSTORE_PAGE": store,
            # Its faults can be ordered, from this machine (`manage.py store_fault`).
            "LOCALSTORE_CONTROL": "1",
            "SPINE_BASE_URL": store + FHIR,
            "SPINE_LEDGER_URL": f"{store}/ledger",
            "SPINE_READ_TIMEOUT_SECONDS": os.environ.get("SPINE_READ_TIMEOUT_SECONDS", "10"),
        }

    def _start_postgres(self) -> None:
        binaries = find_postgres()
        say(f"Starting PostgreSQL {binaries.major} ({binaries.source})")
        folder = bring_within_reach(binaries.folder, self.state.servers, self.account)
        self.postgres = Postgres(
            type(binaries)(folder, binaries.source, binaries.major),
            self.state.servers / "postgres" / "data",
            self.state.sockets,
            self.account,
            log=self.state.log("postgres"),
        )
        self.postgres.start()
        self.postgres.create_database("care")
        self.postgres.create_database("localstore")

    def _start_broker(self) -> str:
        binary = find_broker()
        say(f"Starting the broker ({binary.name})")
        if self.account.drops and not reachable(binary):
            copy = self.state.servers / binary.name
            copy.write_bytes(binary.read_bytes())
            copy.chmod(0o755)
            binary = copy
        self.broker = Broker(
            binary,
            self.state.servers / "broker",
            self.state.sockets,
            self.account,
            log=self.state.log("broker"),
        )
        self.broker.start()
        return self.broker.url

    def _processes(self, environment: Mapping[str, str]) -> str:
        """The local store, web, worker and beat; returns the address once the page answers."""
        account, log = self._python_account(), self.state.log
        store_page = environment["LOCALSTORE_PAGE"]
        store = self._start(services.local_store(environment, account, log("local-store"), PROJECT))
        store.wait_for(f"{store_page}/health", WAIT_SECONDS)
        port = self.web_port
        web = self._start(services.web(environment, account, log("web"), PROJECT, port))
        self._start(services.worker(environment, account, log("worker"), PROJECT))
        schedule = self.state.servers / "beat" / "schedule"
        self._start(services.beat(environment, account, log("beat"), PROJECT, schedule))
        self.state.write_environment(environment)
        address = f"http://localhost:{port}/"
        web.wait_for(f"http://127.0.0.1:{port}/log-in/", WAIT_SECONDS)
        return address

    def _start(self, service: Service) -> Service:
        say(f"Starting {service.name[0].lower()}{service.name[1:]}")
        self.services.append(service)
        service.start()
        return service

    def _python_account(self) -> Account:
        """The servers' account where it may read the program, else ours."""
        may_enter = reachable(PROJECT / "manage.py") and reachable(Path(sys.executable))
        return self.account if may_enter and reachable(Path(sys.prefix)) else own_account()

    def _prepare(self, environment: Mapping[str, str]) -> None:
        """Migrates and loads the demo; it says itself what it does."""
        sys.stdout.flush()
        process = spawn(
            [sys.executable, "-m", "config.embedded.prepare", self.state.logins],
            account=own_account(),
            log=sys.stdout.fileno(),
            environment=os.environ | dict(environment),
            folder=PROJECT,
        )
        if process.wait():
            raise CannotStart("The demo's database could not be prepared, as it says above.")

    def _greet(self, environment: Mapping[str, str], address: str) -> None:
        print(f"\nReady after {time.monotonic() - self.began:.0f} seconds.\n")
        print(f"  The product      {address}")
        print(f"  The local store  {environment['LOCALSTORE_PAGE']}/   (where uploads arrive)")
        print(f"  Logs             {self.state.root / 'logs'}")
        if self.state.servers != self.state.root:
            print(
                f"  Data             {self.state.servers}   (the account of the servers may not enter here)"
            )
        print(flush=True)
        print(self.state.logins.read_text())
        print("Ctrl-C stops everything. What was recorded is kept for the next time.\n", flush=True)

    def _look_after(self) -> None:
        while True:
            time.sleep(0.5)
            self.state.bound_logs()
            for server in (self.postgres, self.broker):
                if server and (told := bring_back(server, self.away)):
                    say(told)
            for service in self.services:
                if told := service.look_after():
                    say(told)


def bring_back(server: Postgres | Broker, away: set[str]) -> str:
    """Starts a server again that has ended; what there is to say, once, or nothing.

    One that cannot start now, on a full disk say, is tried again at the next look. `away` keeps which these are.
    """
    if server.process is None or server.process.poll() is None:
        return ""
    name = type(server).__name__
    was_away = name in away
    try:
        server.start()
    except CannotStart as error:
        away.add(name)
        return "" if was_away else f"{name} ended by itself and is tried again until it starts. {error}"
    away.discard(name)
    return f"{name} is back" if was_away else f"{name} ended by itself and was started again"


def pick_port(name: str, variable: str, usual: int, *, but: int = 0) -> int:
    """A port that is free; says so when it is not the one that was wanted."""
    port = free_port(variable, usual, but=but)
    wanted = int(os.environ.get(variable) or usual)
    if port != wanted:
        say(f"{name} takes port {port}: {wanted} is taken. {variable} names another")
    return port


def say(text: str) -> None:
    print(f"- {text}", flush=True)


def _end_on(*numbers: signal.Signals) -> Callable[[], None]:
    """The first such signal raises `Ended` where we are; later ones wait for the end."""

    def end(number: int, frame: FrameType | None) -> None:
        ignore()
        raise Ended

    def ignore() -> None:
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)

    for number in numbers:
        signal.signal(number, end)
    return ignore


def main() -> int:
    """The exit code: 0 after Ctrl-C, 1 when it could not start."""
    quiet = _end_on(signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    launcher = None
    try:
        refuse_in_production()
        launcher = Launcher()
        launcher.run()
    except Ended:
        print("\nStopping…", flush=True)
    except CannotStart as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    finally:
        quiet()
        if launcher:
            launcher.stop()
    print("Stopped.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
