"""A Valkey server of our own, on a Unix socket in a private folder, writing what it is told to disk."""

import os
import signal
import socket
import subprocess
import time
from pathlib import Path

from config.embedded.errors import CannotStart
from config.embedded.processes import Account, spawn, stop

START_SECONDS = 20
LONGEST_SOCKET = 107


class Broker:
    """One server; `folder` holds its append-only file, `sockets` is short and private."""

    def __init__(self, binary: Path, folder: Path, sockets: Path, account: Account, *, log: Path) -> None:
        self.binary, self.folder, self.account, self.log = binary, folder, account, log
        self.socket = sockets / "broker"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The address for Celery."""
        return f"redis+socket://{self.socket}?virtual_host=0"

    def start(self) -> None:
        """Starts and waits; raises `CannotStart`."""
        if len(os.fsencode(self.socket)) > LONGEST_SOCKET:
            raise CannotStart(
                f"The folder for the broker's socket has too long a path ({self.socket.parent}). "
                "Name a shorter one in CARE_SOCKET_DIR."
            )
        self.account.own(self.folder)
        self.account.own(self.socket.parent)
        self.socket.unlink(missing_ok=True)
        settings = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.folder),
            "appendonly": "yes",
            "appendfsync": "everysec",
            # A broker that throws messages away when full would do so in silence.
            "maxmemory-policy": "noeviction",
            "save": "",
        }
        flags = [part for name, value in settings.items() for part in (f"--{name}", value)]
        with self.log.open("ab") as log:
            self.process = spawn([self.binary, *flags], account=self.account, log=log, folder=self.folder)
        self._wait()

    def stop(self) -> None:
        """Ends the server; what it acknowledged is on disk."""
        if self.process is not None:
            stop(self.process, signal.SIGTERM, 10)
            self.process = None

    def _wait(self) -> None:
        assert self.process is not None
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise CannotStart(f"The broker stopped while starting. {self.log} says why.")
            if self._answers():
                return
            time.sleep(0.02)
        raise CannotStart(f"The broker did not answer within {START_SECONDS} seconds. {self.log} says why.")

    def _answers(self) -> bool:
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
                line.settimeout(1)
                line.connect(str(self.socket))
                line.sendall(b"PING\r\n")
                return line.recv(16).startswith(b"+PONG")
        except OSError:
            return False
