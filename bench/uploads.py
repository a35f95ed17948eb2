"""Uploads to a store that answers at once, and to one that takes 50 ms: the product with every fence and
audit row, beside an ordinary application and beside the sends alone.

Each side asks the store what it holds and sends one message a job; what each leaves is counted.
"""

import asyncio
import json
import sys
import tempfile
import time
import urllib.request
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from bench import naive, people, serving
from bench.harness import Ratio, sql
from config.embedded.processes import own_account
from config.embedded.services import Service, free_port

if TYPE_CHECKING:
    from spine.pipeline import BatchReport

ROUNDS = 3
NAIVE_JOBS, JOBS = 150, 1500
DELAYED_MS, DELAYED_JOBS = 50, 1500
CAP, CAPPED_SECONDS = 50, 10.0

# An upload that is over is due again, and the store's copy is forgotten: each round sends everything anew.
_AGAIN = """
UPDATE carerecords_uploadjob SET state = 'WAITING', due_at = now() - interval '1 minute', finished_at = NULL, lease_until = NULL
WHERE kind = 'UPLOAD' AND practice_id = %(practice)s AND state = 'ACCEPTED'
"""


def run() -> Iterator[Ratio]:
    from django.conf import settings

    practice, gp = people.practice_of(10_000)
    people.all_consent(practice, gp)
    settings.SPINE_REQUESTS_PER_SECOND = 0
    with _store(0) as address:
        settings.SPINE_BASE_URL = address
        yield from _at_once(practice, address)
    with _store(DELAYED_MS) as address:
        settings.SPINE_BASE_URL = address
        yield _delayed(practice)
        yield _capped(practice, address)


def _at_once(practice: Any, address: str) -> Iterator[Ratio]:
    netloc = address.removeprefix("http://")
    ordinary: list[float] = []
    fresh: list[float] = []
    alone: list[float] = []
    ours: list[float] = []
    allowed = _allowed(practice)
    bodies = _bodies(allowed[:JOBS])
    # The newest, which the product does not come to in a round.
    last = [claimed.job_id for claimed, _, _ in allowed[-2 * NAIVE_JOBS :]]
    for _ in range(ROUNDS):
        for rates, kept_alive, ids in ((ordinary, True, last[::2]), (fresh, False, last[1::2])):
            naive.store = naive.Caller(netloc, kept_alive=kept_alive)
            rates.append(_rate(NAIVE_JOBS, partial(_naively, ids)))
        alone.append(_rate(JOBS, lambda: _sends_alone(address, bodies)))
        ours.append(_rate(JOBS, lambda: _send(JOBS)))
        sql(_AGAIN, practice=practice.pk)
    rate = median(ours)
    note = f"{rate:,.0f} uploads a second of one process, {median(ordinary):,.0f} and {median(alone):,.0f}; {serving.load()}"
    yield Ratio(
        "uploads, all fences and audit rows",
        "times an ordinary application with a kept-alive client",
        rate / median(ordinary),
        goal=80,
        note=note,
    )
    yield Ratio(
        "uploads, all fences and audit rows",
        "times an ordinary application with a new connection each",
        rate / median(fresh),
        goal=100,
    )
    yield Ratio("uploads, all fences and audit rows", "of sends alone", rate / median(alone), goal=0.6)


def _delayed(practice: Any) -> Ratio:
    """Two calls a job over so many connections is the most that can leave."""
    from django.conf import settings

    sql(_AGAIN, practice=practice.pk)
    rate = _rate(DELAYED_JOBS, lambda: _send(DELAYED_JOBS))
    most = settings.SPINE_CONNECTIONS / (2 * DELAYED_MS / 1000)
    return Ratio(
        f"uploads to a store that answers in {DELAYED_MS} ms",
        "of what the connections allow, one process",
        rate / most,
        goal=0.85,
        note=f"{rate:,.0f} uploads a second of {most:,.0f}; {serving.load()}",
    )


def _capped(practice: Any, address: str) -> Ratio:
    """Requests of any second that were more than the rate allows, by the store's clock."""
    from django.conf import settings

    sql(_AGAIN, practice=practice.pk)
    settings.SPINE_REQUESTS_PER_SECOND = CAP
    before = len(_arrivals(address))
    try:
        _send(10**9, seconds=CAPPED_SECONDS)
    finally:
        settings.SPINE_REQUESTS_PER_SECOND = 0
    arrived = _arrivals(address)[before:]
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


def _rate(jobs: int, work: Any) -> float:
    """Jobs a second; `work` says how many it did, which must be all."""
    began = time.perf_counter()
    done = work()
    took = time.perf_counter() - began
    if done < jobs:
        raise AssertionError(f"{done} of {jobs} uploads were done")
    return float(done / took)


def _naively(ids: Sequence[int]) -> int:
    from carerecords.models import JobState, UploadJob

    for one in ids:
        naive.upload.apply((one,)).get()
    return int(UploadJob.objects.filter(pk__in=ids, state=JobState.ACCEPTED).count())


def _send(most: int, seconds: float = 600.0) -> int:
    """What a worker's task does, until so many messages left; how many did."""
    from spine import overlap
    from spine.store import Store

    store, sent, end = Store(), 0, time.monotonic() + seconds

    def goes_on(report: "BatchReport") -> bool:
        nonlocal sent
        sent += report.sent
        return sent < most and time.monotonic() < end

    try:
        while sent < most and time.monotonic() < end:
            overlap.drain(store, goes_on)
    finally:
        store.close()
    return sent


def _allowed(practice: Any) -> list[Any]:
    """The jobs that may go, each claimed, decided and with its facts."""
    from django.utils import timezone

    from carerecords.models import JobKind, JobState, UploadJob
    from spine.claims import Claimed
    from spine.facts import load_batch, load_nation
    from spine.gate import Kind, Outcome, decide

    at = timezone.now()
    jobs = list(UploadJob.objects.filter(practice=practice, state=JobState.WAITING, kind=JobKind.UPLOAD))
    facts = load_batch({job.patient_id: (Kind.UPLOAD, False) for job in jobs}, load_nation(at))
    found = []
    for job in jobs:
        loaded = facts[job.patient_id]
        claimed = Claimed(
            job.pk, 1, job.patient_id, job.practice_id, Kind.UPLOAD, 0, (), at, str(job.public_id)
        )
        if (decision := decide(loaded.facts)).outcome is Outcome.SEND:
            found.append((claimed, decision, loaded))
    return found


def _bodies(allowed: Sequence[Any]) -> Sequence[tuple[str, bytes, str]]:
    """Messages ready to be sent: NHS number, bytes, composition id."""
    from django.utils import timezone

    from spine.contents import load_outgoing

    outgoing, _ = load_outgoing(allowed, at=timezone.now())
    return [(one.nhs_number, one.build(None), one.composition_id) for one in outgoing]


def _sends_alone(address: str, bodies: Sequence[tuple[str, bytes, str]]) -> int:
    """The same client and the same calls, with nothing around them."""
    from django.conf import settings

    from spine import credentials
    from spine.answers import Answer
    from spine.client import SpineClient

    async def all_of_them() -> int:
        waiting, done = iter(bodies), 0
        client = SpineClient(
            address,
            connections=settings.SPINE_CONNECTIONS,
            read_timeout=5,
            credentials=credentials.from_settings(),
        )
        async with client:

            async def lane() -> None:
                nonlocal done
                for number, body, composition_id in waiting:
                    asked = str(uuid.uuid4())
                    ids: dict[str, Any] = {
                        "request_id": asked,
                        "correlation_id": asked,
                        "may_begin": lambda: True,
                    }
                    found = await client.read_current(number, **ids)
                    answer = await client.upload(body, session_urid="", composition_id=composition_id, **ids)
                    done += not isinstance(found, Answer) and answer.was_sent

            await asyncio.gather(*(lane() for _ in range(settings.SPINE_CONNECTIONS)))
        return done

    return asyncio.run(all_of_them())


def _arrivals(address: str) -> list[float]:
    with urllib.request.urlopen(f"{address}/arrivals") as answer:
        return [float(each) for each in json.load(answer)]


@contextmanager
def _store(milliseconds: int) -> Iterator[str]:
    with ExitStack() as ends, tempfile.TemporaryDirectory(prefix="care-store-") as folder:
        port = free_port("BENCH_STORE_PORT", 8400)
        command = [sys.executable, "-m", "bench.slow_store", str(port), str(milliseconds)]
        store = Service("The store", command, {}, own_account(), Path(folder) / "log", serving.PROJECT)
        ends.callback(store.stop)
        serving.started(store, f"http://127.0.0.1:{port}/health")
        yield f"http://127.0.0.1:{port}"
