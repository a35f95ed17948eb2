"""Uploads to a store that answers at once, and to one that takes 50 ms: the product with every fence and
audit row, beside an ordinary application and beside the sends alone.

Each side asks the store what it holds and sends one message a job, over TLS as the real store wants it, from two
processes at the store that answers at once, as `make run` has them; what each leaves is counted. The ordinary one is a
Celery worker that a broker tells of each patient.
"""

import json
import os
import shutil
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from bench import naive, people, serving
from bench.harness import Ratio
from bench.tls import Certificate, certificate
from config.embedded.broker import Broker
from config.embedded.discovery import find_broker
from config.embedded.processes import own_account, server_account
from config.embedded.services import Service, free_port

ROUNDS = 5
PROCESSES = 2
KEPT_JOBS, NEW_JOBS, JOBS = 200, 100, 6000
DELAYED_MS, WARM_JOBS, DELAYED_JOBS = 50, 1000, 2500
CAP, CAPPED_SECONDS = 50, 15.0


def run() -> Iterator[Ratio]:
    practice, gp = people.practice_of(10_000)
    people.all_consent(practice, gp)
    with _store(0) as store, _worker(store), _senders(store) as senders:
        yield from _at_once(practice, senders)
    with _store(DELAYED_MS) as store:
        with _sender(store) as sender:
            yield _delayed(practice, sender)
        with _sender(store, SPINE_REQUESTS_PER_SECOND=str(CAP)) as sender:
            yield _capped(practice, store, sender)


@dataclass
class Sender:
    """A process of `bench.one_sender`."""

    process: "subprocess.Popen[str]"

    def ask(self, **what: Any) -> Any:
        assert self.process.stdin is not None and self.process.stdout is not None
        print(json.dumps(what), file=self.process.stdin, flush=True)
        return json.loads(self.process.stdout.readline())

    def rate(self, do: str, jobs: int) -> float:
        """Jobs a second, all of which must be done."""
        return Senders([self]).rate(do, jobs)


@dataclass
class Senders:
    """Several at once."""

    each: list[Sender]

    def rate(self, do: str, jobs: int) -> float:
        """Jobs a second of all together, the same number for each; all must be done."""
        share, began = jobs // len(self.each), time.perf_counter()
        with ThreadPoolExecutor(len(self.each)) as threads:
            took = list(threads.map(lambda one: one.ask(do=do, jobs=share, seconds=600), self.each))
        seconds, done = time.perf_counter() - began, [one["done"] for one in took]
        if min(done) < share:
            raise AssertionError(f"{done} uploads were done by each, of {share}")
        return float(sum(done) / seconds)


def _at_once(practice: Any, senders: Senders) -> Iterator[Ratio]:
    for sender in senders.each:
        allowed = sender.ask(do="allowed", practice=practice.pk)
    kept, new = allowed[:KEPT_JOBS], allowed[KEPT_JOBS : KEPT_JOBS + NEW_JOBS]
    rounds = []
    for number in range(ROUNDS + 1):
        _ask_for_all(practice)
        rates = {
            # The product does not come to these: the naive ones are done first, and are over then.
            "kept": _naively(kept, kept_alive=True),
            "new": _naively(new, kept_alive=False),
            "alone": senders.rate("alone", JOBS),
            "ours": senders.rate("send", JOBS),
        }
        # A first round warms up.
        rounds += [rates] if number else []
    middle = {name: median(rates[name] for rates in rounds) for name in rounds[0]}
    note = (
        f"{middle['ours']:,.0f} uploads a second; ordinary {middle['kept']:,.0f} kept alive, {middle['new']:,.0f} new; "
        f"sends alone {middle['alone']:,.0f}; {serving.load()}"
    )
    # Both sides of a ratio are of one round: what else the machine did then met both.
    for name, what, goal in (
        ("kept", "times an ordinary application with a kept-alive client", 80),
        ("new", "times an ordinary application with a new client each", 100),
        ("alone", "of sends alone", 0.6),
    ):
        value = median(rates["ours"] / rates[name] for rates in rounds)
        yield Ratio("uploads, all fences and audit rows", what, value, goal=goal, note=note)
        note = ""


def _ask_for_all(practice: Any) -> None:
    """A new upload of each patient who consents, due at once."""
    from django.utils import timezone

    from carerecords import upload_queue
    from carerecords.models import Cause

    at = timezone.now()
    upload_queue.request_uploads(people.consenting(practice), cause=Cause.RUN, by=None, at=at, not_before=at)


def _delayed(practice: Any, sender: Sender) -> Ratio:
    """Two calls a job over so many connections is the most that can leave."""
    from django.conf import settings

    _ask_for_all(practice)
    # How large its batches are to be it has to learn first.
    sender.rate("send", WARM_JOBS)
    rate = sender.rate("send", DELAYED_JOBS)
    most = settings.SPINE_CONNECTIONS / (2 * DELAYED_MS / 1000)
    return Ratio(
        f"uploads to a store that answers in {DELAYED_MS} ms",
        "of what the connections allow, one process",
        rate / most,
        goal=0.85,
        note=f"{rate:,.0f} uploads a second of {most:,.0f}; {serving.load()}",
    )


def _capped(practice: Any, store: "Store", sender: Sender) -> Ratio:
    """Requests that arrived, times what the rate allows, by the store's clock."""
    _ask_for_all(practice)
    before = len(store.arrivals())
    sender.ask(do="send", jobs=10**9, seconds=CAPPED_SECONDS)
    arrived = store.arrivals()[before:]
    # Each message is half of its job's requests. The first and the last stand at the ends of the time counted.
    rate = 2 * (len(arrived) - 1) / (arrived[-1] - arrived[0])
    return Ratio(
        f"requests under a limit of {CAP} a second",
        "times the limit",
        rate / CAP,
        goal=1.01,
        at_most=True,
        note=f"{len(arrived)} messages in {arrived[-1] - arrived[0]:.1f} s; {serving.load()}",
    )


def _naively(patients: Sequence[int], *, kept_alive: bool) -> float:
    """Jobs a second, from the first message to the broker until the last job is over."""
    from carerecords.models import JobState, UploadJob

    waiting = UploadJob.objects.filter(patient__in=patients, state=JobState.WAITING)
    ids = list(waiting.values_list("pk", flat=True))
    over = UploadJob.objects.filter(pk__in=ids, state=JobState.ACCEPTED)
    began = time.perf_counter()
    for one in ids:
        naive.upload.delay(one, kept_alive)
    while over.count() < len(ids):
        if time.perf_counter() - began > serving.START_SECONDS * 3:
            raise AssertionError(f"{over.count()} of {len(ids)} ordinary uploads were done")
        time.sleep(0.02)
    return len(ids) / (time.perf_counter() - began)


@dataclass
class Store:
    """A store that accepts everything."""

    address: str
    secret: Certificate

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs to send to it as fast as it can."""
        known = {"SPINE_BASE_URL": self.address, "SPINE_REQUESTS_PER_SECOND": "0"}
        return known | self.secret.environment

    def arrivals(self) -> list[float]:
        """When each message arrived, by its clock."""
        trusted = ssl.create_default_context(cafile=self.secret.trusted)
        with urllib.request.urlopen(f"{self.address}/arrivals", context=trusted) as answer:
            return [float(each) for each in json.load(answer)]


@contextmanager
def _store(milliseconds: int) -> Iterator[Store]:
    with ExitStack() as ends, tempfile.TemporaryDirectory(prefix="care-store-") as name:
        folder = Path(name)
        secret, port = certificate(folder), free_port("BENCH_STORE_PORT", 8400)
        command = [*(sys.executable, "-m", "bench.slow_store", str(port), str(milliseconds))]
        command += [str(secret.chain), str(secret.key)]
        service = Service("The store", command, {}, own_account(), folder / "log", serving.PROJECT)
        ends.callback(service.stop)
        service.start()
        store = Store(f"https://127.0.0.1:{port}", secret)
        _until_it_answers(store)
        yield store


def _until_it_answers(store: Store) -> None:
    end = time.monotonic() + serving.START_SECONDS
    while True:
        try:
            store.arrivals()
            return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


@contextmanager
def _sender(store: Store, **more: str) -> Iterator[Sender]:
    environment = os.environ | store.environment | more
    command, pipe = [sys.executable, "-m", "bench.one_sender"], subprocess.PIPE
    with subprocess.Popen(
        command, stdin=pipe, stdout=pipe, text=True, env=environment, cwd=serving.PROJECT
    ) as process:
        try:
            assert process.stdout is not None
            process.stdout.readline()
            yield Sender(process)
            process.communicate(timeout=60)
        finally:
            process.kill()


@contextmanager
def _senders(store: Store) -> Iterator[Senders]:
    with ExitStack() as ends:
        yield Senders([ends.enter_context(_sender(store)) for _ in range(PROCESSES)])


@contextmanager
def _worker(store: Store) -> Iterator[None]:
    """A Celery worker of the ordinary application, and a broker: as many processes that work as on the other side."""
    with ExitStack() as ends:
        folder = Path(tempfile.mkdtemp(prefix="care-naive-"))
        ends.callback(shutil.rmtree, folder, ignore_errors=True)
        account = server_account()
        account.own(folder)
        broker = Broker(find_broker(), folder / "broker", folder / "s", account, log=folder / "broker.log")
        ends.callback(broker.stop)
        broker.start()
        variables: Mapping[str, str] = store.environment | {"CELERY_BROKER_URL": broker.url}
        command = [
            sys.executable,
            "-m",
            "celery",
            "-A",
            "bench.naive",
            "worker",
            "--concurrency",
            str(PROCESSES),
        ]
        worker = Service("The worker", command, variables, own_account(), folder / "log", serving.PROJECT)
        ends.callback(worker.stop)
        worker.start()
        naive.app.conf.update(broker_url=broker.url, broker_read_url=broker.url, broker_write_url=broker.url)
        yield
