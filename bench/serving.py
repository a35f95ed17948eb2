"""The product's web server as it is deployed, and browsers that ask it over kept-alive connections.

All sides of a ratio go through this, so what a request costs here (some 20 microseconds) meets all alike.
"""

import os
import shutil
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from config.embedded import services
from config.embedded.broker import Broker
from config.embedded.discovery import find_broker
from config.embedded.processes import own_account, server_account
from config.embedded.services import Service, free_port

PROJECT = Path(__file__).resolve().parent.parent
# Two web processes with four threads each, as `make run` has them: enough for each to be busy.
BROWSERS = 8
START_SECONDS = 60


@dataclass
class Web:
    """A web server that answers on a port of this machine."""

    port: int

    def connect(self) -> "Browser":
        """A kept-alive connection of one browser."""
        return Browser(socket.create_connection(("127.0.0.1", self.port)))


@dataclass
class Browser:
    """One connection. It knows as much HTTP as our own answers need."""

    line: socket.socket
    buffer: bytearray = field(default_factory=lambda: bytearray(1 << 20))

    def ask(self, request: bytes) -> tuple[int, bytes]:
        """The status and body of the answer. Raises `ConnectionError` if there is none."""
        self.line.sendall(request)
        view, got, end, whole = memoryview(self.buffer), 0, -1, 1 << 30
        while got < whole:
            more = self.line.recv_into(view[got:])
            if not more:
                raise ConnectionError("The web server hung up")
            got += more
            if end < 0 and (end := self.buffer.find(b"\r\n\r\n", 0, got)) >= 0:
                whole = end + 4 + _length(bytes(self.buffer[:end]))
        return int(self.buffer[9:12]), bytes(self.buffer[end + 4 : got])


@contextmanager
def web(environment: dict[str, str]) -> Iterator[Web]:
    """A web server with these variables on top of our own, and a broker for its bells."""
    with ExitStack() as ends:
        folder = Path(tempfile.mkdtemp(prefix="care-web-"))
        ends.callback(shutil.rmtree, folder, ignore_errors=True)
        account = server_account()
        account.own(folder)
        broker = Broker(find_broker(), folder / "broker", folder / "s", account, log=folder / "broker.log")
        ends.callback(broker.stop)
        broker.start()
        port = free_port("BENCH_PORT", 8300)
        variables = {"CELERY_BROKER_URL": broker.url, "WEB_CONCURRENCY": "2"} | environment
        service = services.web(variables, own_account(), folder / "web.log", PROJECT, port)
        ends.callback(service.stop)
        started(service, f"http://127.0.0.1:{port}/health/")
        yield Web(port)


@contextmanager
def slow_store(milliseconds: int) -> Iterator[str]:
    """The address of a store that accepts everything, and takes so long over each answer."""
    with ExitStack() as ends, tempfile.TemporaryDirectory(prefix="care-store-") as folder:
        port = free_port("BENCH_STORE_PORT", 8400)
        command = [sys.executable, "-m", "bench.slow_store", str(port), str(milliseconds)]
        store = Service("The store", command, {}, own_account(), Path(folder) / "log", PROJECT)
        ends.callback(store.stop)
        started(store, f"http://127.0.0.1:{port}/health")
        yield f"http://127.0.0.1:{port}"


def started(service: Service, address: str) -> None:
    """Starts a service and waits until its address answers."""
    service.start()
    try:
        service.wait_for(address, START_SECONDS)
    except Exception as error:
        raise SystemExit(f"{error}\n{service.log.read_text(errors='replace')[-2000:]}") from error


def session_of(user: Any) -> str:
    """The cookies of a browser in which this user has logged in."""
    from django.conf import settings
    from django.test import Client

    client = Client()
    client.force_login(user)
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    return f"{settings.SESSION_COOKIE_NAME}={session}; {settings.CSRF_COOKIE_NAME}={SECRET}"


# What a page would have put into a browser's cookie, and its forms send back.
SECRET = "b" * 32


def get(path: str, cookies: str = "") -> bytes:
    """A request for a page."""
    lines = [f"GET {path} HTTP/1.1", "Host: localhost", *([f"Cookie: {cookies}"] if cookies else [])]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def post(path: str, cookies: str, body: str, **headers: str) -> bytes:
    """A form that is sent."""
    told = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    lines = [
        *(f"POST {path} HTTP/1.1", "Host: localhost", f"Cookie: {cookies}", f"X-CSRFToken: {SECRET}"),
        *("Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(body)}", *told),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n" + body).encode()


def rate(server: Web, request: bytes, lasting: float) -> float:
    """Answers a second while all browsers ask for the same, each as soon as it was answered."""
    return asked(server, [lambda: request] * BROWSERS, lasting).rate


@dataclass(frozen=True)
class Answers:
    """How long each answer took, and all of them together, in seconds."""

    took: list[float]
    lasted: float

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.took) / self.lasted


def asked(
    server: Web, browsers: Sequence[Callable[[], bytes | None]], lasting: float, says: bytes = b""
) -> Answers:
    """What browsers found that asked until the time was over, or they had nothing to ask any more.

    Raises if an answer is not 200, or does not contain `says`.
    """
    took: list[float] = []
    faults: list[str] = []
    start = time.perf_counter()
    end = start + lasting

    def ask(next_request: Callable[[], bytes | None]) -> None:
        browser = server.connect()
        with browser.line:
            while (began := time.perf_counter()) < end and (request := next_request()) is not None:
                try:
                    status, body = browser.ask(request)
                except OSError as error:
                    status, body = 0, str(error).encode()
                took.append(time.perf_counter() - began)
                if status != 200 or says not in body:
                    faults.append(f"{status}: {body[:500]!r}")
                    return

    threads = [threading.Thread(target=ask, args=[each]) for each in browsers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise AssertionError(f"{len(faults)} browsers were not answered: {faults[0]}")
    return Answers(took, time.perf_counter() - start)


def in_turn(ways: dict[str, Callable[[], float]], rounds: int) -> dict[str, float]:
    """The median of each way's figure, all ways in each round; one round first that does not count."""
    figures: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds + 1):
        for name, way in ways.items():
            figure = way()
            if number:
                figures[name].append(figure)
    return {name: median(each) for name, each in figures.items()}


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    raise ConnectionError("The answer does not say how long it is")


def load() -> str:
    """What else the machine does, for the reader of the figures."""
    return f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
