"""The processes of the product: what each is started with, and how it is told to end."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from config.embedded.errors import CannotStart
from config.embedded.processes import Account, spawn, stop

# The first restart comes at once, later ones ever more slowly.
LONGEST_PAUSE = 30.0
HIGHEST_PORT = 65535
# Whatever proxy the environment names, it is not the way to this machine itself.
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass
class Service:
    """One process that is started again when it dies."""

    name: str
    command: list[str]
    environment: Mapping[str, str]
    account: Account
    log: Path
    folder: Path
    # How long it may take to finish what it is doing.
    patience: float = 10.0
    process: "subprocess.Popen[bytes] | None" = None
    deaths: int = 0
    not_before: float = field(default=0.0)

    def start(self) -> None:
        self.stop()  # A killed one may have left children.
        with self.log.open("ab") as log:
            self.process = spawn(
                self.command,
                account=self.account,
                log=log,
                environment=os.environ | dict(self.environment),
                folder=self.folder,
            )

    def stop(self) -> None:
        if self.process is not None:
            stop(self.process, signal.SIGTERM, self.patience)
            self.process = None

    def look_after(self) -> str:
        """Starts it again if it died and its pause is over; says so, or nothing."""
        if self.process is None or self.process.poll() is None:
            return ""
        if not self.not_before:
            self.not_before = time.monotonic() + min(2.0**self.deaths - 1, LONGEST_PAUSE)
        if time.monotonic() < self.not_before:
            return ""
        code, self.not_before = self.process.returncode, 0.0
        self.deaths += 1
        self.start()
        return f"{self.name} ended by itself (code {code}) and was started again. Its log: {self.log}"

    def wait_for(self, address: str, seconds: float) -> None:
        """Returns when the address answers; raises `CannotStart` when it does not in time, or ended."""
        assert self.process is not None
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise CannotStart(f"{self.name} ended while starting. {self.log} says why.")
            try:
                with DIRECT.open(address, timeout=5):
                    return
            except OSError:
                time.sleep(0.1)
        raise CannotStart(f"{self.name} did not answer within {seconds:.0f} seconds. {self.log} says why.")


def local_store(environment: Mapping[str, str], account: Account, log: Path, folder: Path) -> Service:
    return Service(
        "The local store", [sys.executable, "-m", "spine.localstore"], environment, account, log, folder
    )


def web(environment: Mapping[str, str], account: Account, log: Path, folder: Path, port: int) -> Service:
    command = [
        *(sys.executable, "-m", "gunicorn", "config.wsgi:application"),
        *("--bind", f"127.0.0.1:{port}", "--worker-class", "gthread", "--workers", "2", "--threads", "4"),
        # It would open a socket in the home folder.
        "--no-control-socket",
        *("--graceful-timeout", "5"),
    ]
    return Service("The web server", command, environment, account, log, folder)


def worker(environment: Mapping[str, str], account: Account, log: Path, folder: Path) -> Service:
    command = [
        *(sys.executable, "-m", "celery", "-A", "config", "worker"),
        *("--concurrency", "2", "--loglevel", "INFO", "--without-gossip", "--without-mingle"),
    ]
    return Service("The worker", command, environment, account, log, folder, patience=20)


def beat(
    environment: Mapping[str, str], account: Account, log: Path, folder: Path, schedule: Path
) -> Service:
    command = [
        *(sys.executable, "-m", "celery", "-A", "config", "beat"),
        *("--loglevel", "WARNING", "--schedule", str(schedule), "--pidfile="),
    ]
    return Service("The clock", command, environment, account, log, folder)


def free_port(variable: str, usual: int, *, but: int = 0) -> int:
    """The port that a variable names, or the next that nobody listens on, nor will; raises `CannotStart`."""
    named = os.environ.get(variable) or str(usual)
    if not named.isdecimal() or not 1 <= int(named) <= HIGHEST_PORT:
        raise CannotStart(f"{variable} is {named}. It has to be a number from 1 to {HIGHEST_PORT}.")
    wanted = int(named)
    last = min(wanted + 99, HIGHEST_PORT)
    for port in range(wanted, last + 1):
        if port == but:
            continue
        with socket.socket() as attempt:
            attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                attempt.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise CannotStart(f"No port from {wanted} to {last} is free. Name another in {variable}.")
