"""What the bell costs: Celery's part of the sending, its messages, what idle workers ask, and how soon they wake.

A broker, a worker of two processes and a clock, as `make run` starts them; a store that answers at once.
"""

import base64
import json
import os
import re
import shutil
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from bench import people, serving
from bench.harness import Ratio, sql
from config.embedded import services
from config.embedded.broker import Broker
from config.embedded.discovery import find_broker
from config.embedded.processes import own_account, server_account
from config.embedded.services import Service

JOBS = 10_000
NO_OPS = 500
IDLE_SECONDS = 30
WORKERS = 2
BELLS = 100
# A bell comes alone: whoever answered the one before is idle again.
PAUSE = 0.2
# Does nothing, and comes with Celery.
NO_OP = "celery.accumulate"


def run() -> Iterator[Ratio]:
    practice, gp = people.practice_of(JOBS)
    people.all_consent(practice, gp)
    sql(
        "UPDATE carerecords_uploadjob SET due_at = NULL, state = 'HELD', clock_seen = 9e15 WHERE state = 'WAITING'"
    )
    with ExitStack() as ends:
        ends.enter_context(_everything_told())
        address = ends.enter_context(serving.slow_store(0))
        bells = ends.enter_context(broker())
        worker = ends.enter_context(_worker(bells, address))
        a_message = _no_op_seconds(bells)
        ends.enter_context(_clock(bells, address, worker))
        yield _idle()
        yield _woken(bells)
        yield from _drained(bells, a_message)


@dataclass
class Bells:
    """The broker, and every message that was put into it."""

    url: str
    path: Path
    messages: list[str] = field(default_factory=list)


@contextmanager
def broker() -> Iterator[Bells]:
    """A broker of our own, whose traffic is listened to. The process of the benchmark rings it too."""
    with ExitStack() as ends:
        folder = Path(tempfile.mkdtemp(prefix="care-bells-"))
        ends.callback(shutil.rmtree, folder, ignore_errors=True)
        account = server_account()
        account.own(folder)
        server = Broker(find_broker(), folder / "broker", folder / "s", account, log=folder / "broker.log")
        ends.callback(server.stop)
        server.start()
        bells = Bells(server.url, server.socket)
        threading.Thread(target=_listen, args=[bells], daemon=True).start()
        ends.callback(_rings_at, os.environ["CELERY_BROKER_URL"])
        _rings_at(server.url)
        yield bells


def _rings_at(url: str) -> None:
    """This process's application sends its messages there from now on."""
    from kombu import pools

    from config.celery import app

    app.conf.update(broker_url=url, broker_read_url=url, broker_write_url=url)
    pools.reset()
    # What the application keeps of its former broker; it has no public way to forget it.
    vars(app)["_pool"] = vars(app.amqp)["_producer_pool"] = None


def _listen(bells: Bells) -> None:
    """Keeps what is pushed to the queue, until the broker ends."""
    import redis

    try:
        with redis.Redis(unix_socket_path=str(bells.path), socket_timeout=None).monitor() as monitor:
            for heard in monitor.listen():
                if heard["command"].startswith("LPUSH celery "):
                    bells.messages.append(heard["command"])
    except redis.ConnectionError:
        return


@contextmanager
def _worker(bells: Bells, address: str) -> Iterator[Service]:
    with ExitStack() as ends:
        folder = Path(tempfile.mkdtemp(prefix="care-worker-"))
        ends.callback(shutil.rmtree, folder, ignore_errors=True)
        variables = _variables(bells, address)
        service = services.worker(variables, own_account(), folder / "worker.log", serving.PROJECT)
        ends.callback(service.stop)
        service.start()
        _wait_for(service, "ready.")
        yield service


@contextmanager
def _clock(bells: Bells, address: str, worker: Service) -> Iterator[None]:
    folder = worker.log.parent
    variables = _variables(bells, address)
    clock = services.beat(variables, own_account(), folder / "beat.log", serving.PROJECT, folder / "schedule")
    clock.start()
    try:
        _wait_for(worker, "send_due")
        yield
    finally:
        clock.stop()


def _variables(bells: Bells, address: str) -> dict[str, str]:
    # No limit of the rate: what is measured is the bell and not the wait for a slot.
    return {
        "CELERY_BROKER_URL": bells.url,
        "SPINE_BASE_URL": address,
        "SPINE_REQUESTS_PER_SECOND": "0",
        "LOG_LEVEL": "INFO",
    }


def _wait_for(service: Service, word: str) -> None:
    end = time.monotonic() + serving.START_SECONDS
    while word not in service.log.read_text(errors="replace"):
        if time.monotonic() > end:
            raise SystemExit(
                f"{service.name} does not start: {service.log.read_text(errors='replace')[-2000:]}"
            )
        time.sleep(0.1)


def _no_op_seconds(bells: Bells) -> float:
    """What one message costs a worker: published, fetched, run and acknowledged, with a task that does nothing."""
    import redis
    from celery import current_app

    line = redis.Redis(unix_socket_path=str(bells.path))
    for _ in range(10):
        current_app.send_task(NO_OP)
    _until_empty(line)
    began = time.perf_counter()
    for _ in range(NO_OPS):
        current_app.send_task(NO_OP)
    _until_empty(line)
    return (time.perf_counter() - began) / NO_OPS


def _until_empty(line: Any) -> None:
    """Nothing waits and nothing is unacknowledged."""
    while line.llen("celery") or line.hlen("unacked"):
        time.sleep(0.002)


@contextmanager
def _everything_told() -> Iterator[None]:
    """New connections have their statements written to the server's log."""
    from django.db import connection

    name = connection.ops.quote_name(connection.settings_dict["NAME"])
    sql(f"ALTER DATABASE {name} SET log_min_duration_statement = 0")
    try:
        yield
    finally:
        sql(f"ALTER DATABASE {name} RESET log_min_duration_statement")


def _idle() -> Ratio:
    """How often the workers ask the same while there is nothing to do."""
    before = _log().stat().st_size
    time.sleep(IDLE_SECONDS)
    with _log().open("rb") as log:
        log.seek(before)
        said = log.read().decode(errors="replace")
    asked = Counter(
        re.sub(r"'[^']*'|\d+", "?", text)[:160]
        for text in re.findall(
            r"(?:statement|execute [^:]*): ((?:SELECT|WITH|UPDATE|INSERT|DELETE)\b.*)", said
        )
    )
    question, times = asked.most_common(1)[0]
    return Ratio(
        "the question that idle workers ask most",
        "times a second and process",
        times / IDLE_SECONDS / WORKERS,
        goal=1,
        at_most=True,
        note=f"{question[:70]}…; {sum(asked.values()) / IDLE_SECONDS:.1f} statements a second of all, clock's tasks included",
    )


def _log() -> Path:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SHOW data_directory")
        return Path(cursor.fetchone()[0]).parent / "postgres.log"


def _woken(bells: Bells) -> Ratio:
    """From the commit that rings to the worker's claim of the job."""
    from django.db import connection, transaction
    from django.utils import timezone

    from carerecords import doorbell
    from carerecords.models import UploadJob

    ids = list(UploadJob.objects.filter(state="HELD").order_by("pk").values_list("pk", flat=True)[:BELLS])
    waited = []
    for job in ids:
        while _anything_due():
            time.sleep(0.01)
        time.sleep(PAUSE)
        with transaction.atomic():
            UploadJob.objects.filter(pk=job).update(state="WAITING", due_at=timezone.now())
            doorbell.ring_after_commit()
        began = time.perf_counter()
        with connection.cursor() as cursor:
            while True:
                cursor.execute("SELECT state FROM carerecords_uploadjob WHERE id = %s", [job])
                if cursor.fetchone()[0] != "WAITING":
                    break
        waited.append(time.perf_counter() - began)
    return Ratio(
        "from a commit to the worker's claim",
        "ms, 99 of 100",
        quantiles(waited, n=100)[98] * 1e3,
        goal=50,
        at_most=True,
        note=f"the middle one {median(waited) * 1e3:.1f} ms, of {len(waited)}; {serving.load()}",
    )


def _drained(bells: Bells, a_message: float) -> Iterator[Ratio]:
    """Ten thousand jobs of one commit, from its bell to the last receipt."""
    from django.db import connection

    from carerecords import doorbell
    from carerecords.models import UploadJob

    # Counted is what crosses the broker from here on.
    before = len(bells.messages)
    sql(
        "UPDATE carerecords_uploadjob SET state = 'WAITING', due_at = now() - interval '1 second' WHERE state = 'HELD'"
    )
    jobs = UploadJob.objects.filter(state="WAITING").count()
    began = time.perf_counter()
    doorbell.ring()
    while _anything_due():
        time.sleep(0.05)
    took = time.perf_counter() - began
    done = UploadJob.objects.filter(state="ACCEPTED").count()
    connection.close()
    rung = [_body(message) for message in bells.messages[before:]]
    if any(args or kwargs for args, kwargs in rung):
        raise AssertionError("A message says more than its task's name")
    yield Ratio(
        "messages through the broker",
        "for 10,000 jobs",
        len(rung) / jobs * 10_000,
        goal=100,
        at_most=True,
        note=f"{len(rung)} for {jobs:,} jobs, the clock's among them; none carries a word; {done:,} accepted in {took:.1f} s",
    )
    yield Ratio(
        "Celery's part of the sending",
        "per cent of the time",
        100 * len(rung) * a_message / took,
        goal=2,
        at_most=True,
        note=f"a message that does nothing costs {a_message * 1e3:.2f} ms; {serving.load()}",
    )


def _anything_due() -> bool:
    """Not what the demo's clock asks for, for the evening."""
    from django.db.models import Q
    from django.utils import timezone

    from carerecords.models import UploadJob

    due = Q(state="WAITING", due_at__lte=timezone.now()) | Q(state="SENDING")
    return UploadJob.objects.filter(due).exists()


def _body(pushed: str) -> tuple[list[Any], dict[str, Any]]:
    """The arguments that a message carries."""
    envelope = json.loads(pushed.removeprefix("LPUSH celery "))
    args, kwargs, _ = json.loads(base64.b64decode(envelope["body"]))
    return args, kwargs
