"""Policy changed, and all uploads stopped, while 32 senders upload to a store that answers each call in 100 ms.

The store tells when each message arrived, and that is compared with when each change had committed.
"""

import json
import os
import subprocess
import sys
import time
import urllib.request
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from statistics import median, quantiles
from typing import Any

from bench import people, serving
from bench.harness import Ratio, sql
from bench.switches import Switch, Switchers, everybody_follows

ANSWER_MS = 100
PROCESSES, THREADS, BATCH = 4, 8, 2
CHANGES, STOPS, FLAPS, UNFENCED = 120, 20, 60, 10
# Longer than a message takes: what begins late has time to arrive.
PAUSE = 0.25
QUEUED = 1_000_000
IDLE_STOPS = 31
# The goal of a stop, beyond the slowest batch in flight.
MARGIN = 0.1

# An upload that is over is due again: the senders never run out.
_AGAIN = """
UPDATE carerecords_uploadjob AS job SET state = 'WAITING', due_at = now(), finished_at = NULL
WHERE state IN ('ACCEPTED', 'CANCELLED') AND kind = 'UPLOAD' AND id IN (SELECT max(id) FROM carerecords_uploadjob GROUP BY patient_id)
"""
# Jobs of nobody: a stop asks nothing of them, so only that they are there can cost.
_QUEUE = """
SET LOCAL session_replication_role = replica;
INSERT INTO carerecords_uploadjob
  (public_id, patient_id, practice_id, kind, state, cause, requested_at, due_at, reasons, headline)
SELECT gen_random_uuid(), 1000000000 + n, %(practice)s, 'UPLOAD', 'WAITING', 'DECISION', now(), now(), '{}', ''
FROM generate_series(1, %(count)s) n
"""
_UNQUEUE = """
SET LOCAL session_replication_role = replica;
DELETE FROM carerecords_uploadjob WHERE patient_id > 1000000000
"""


def run() -> Iterator[Ratio]:
    practice, gp = people.practice_of(10_000)
    people.all_consent(practice, gp)
    everybody_follows()
    admins = Switchers()
    admins.change(holds=False)
    with serving.slow_store(ANSWER_MS) as address:
        with _senders(address) as batches:
            _withdrawals_done()
            changes = _switched(admins.change, CHANGES)
            stops = [_paused(each) for _ in range(STOPS) for each in (admins.stop, admins.resume)]
            sql(_AGAIN)
            flaps = [admins.change(holds=number % 2 == 0) for number in range(FLAPS)]
        fenced = _arrivals(address)
        yield from _found(changes, stops, flaps, fenced, batches)
        with _senders(address, "unfenced"):
            loose = _switched(admins.change, UNFENCED)
        late = len(_late(loose, _arrivals(address)))
        yield Ratio(
            "late sends without the fence", f"in {UNFENCED} changes: the trial finds them", late, goal=1
        )
    yield from _queued(practice, admins)
    sql(_AGAIN)


def _switched(change: Any, count: int) -> list[Switch]:
    """The policy switched on and off, with time for what begins late to arrive."""
    made = []
    for number in range(count):
        if number % 20 == 0:
            sql(_AGAIN)
        made.append(_paused(lambda holds=number % 2 == 0: change(holds=holds)))
    return made


def _paused(switch: Any) -> Switch:
    made: Switch = switch()
    time.sleep(PAUSE)
    return made


def _late(switches: Sequence[Switch], arrivals: Sequence[float]) -> list[float]:
    """Messages that arrived after a change that holds them had committed, before the next was asked for."""
    late: list[float] = []
    for switch, following in pairwise(switches):
        if switch.holds:
            first, after = bisect_right(arrivals, switch.committed), bisect_left(arrivals, following.asked)
            late += arrivals[first:after]
    return late


def _found(
    changes: list[Switch],
    stops: list[Switch],
    flaps: list[Switch],
    arrivals: list[float],
    batches: list[tuple[float, float]],
) -> Iterator[Ratio]:
    from spine.sending.pipeline import QUIET_SECONDS

    held = [one for one in [*changes, *stops] if one.holds]
    beside = [one for one in held if _in_flight(one, batches)]
    if len(beside) < len(held) / 2:
        raise AssertionError(f"Only {len(beside)} of {len(held)} changes met an upload: nothing was measured")
    late = _late([*changes, *stops], arrivals) + _late(flaps, arrivals)
    yield Ratio(
        "sends begun after a stop had committed",
        f"of {len(arrivals):,} messages",
        len(late),
        goal=0,
        at_most=True,
        note=f"{len(changes)} changes of position, {len(stops)} stops and resumptions, {len(flaps)} switches in a row; "
        f"{len(beside)} of {len(held)} that hold uploads met some in flight; {serving.load()}",
    )
    waits = [one.waited for one in [*changes, *stops, *flaps]]
    yield Ratio(
        "the longest wait of a change",
        "times the longest that a send may hold it up",
        max(waits) / QUIET_SECONDS,
        goal=1,
        at_most=True,
        note=f"{max(waits) * 1e3:.0f} ms and {QUIET_SECONDS:.0f} s",
    )
    slowest = [max(end - began for began, end in _in_flight(one, batches)) for one in beside]
    over = [one.waited - send for one, send in zip(beside, slowest, strict=True)]
    shares = [one.waited / send for one, send in zip(beside, slowest, strict=True)]
    yield Ratio(
        "a change waits",
        "times the slowest batch in flight, the middle one",
        median(shares),
        note=f"99 of 100 within {_ninety_nine(shares):.2f} times; waited {median(o.waited for o in beside) * 1e3:.0f} ms, "
        f"99 of 100 within {_ninety_nine([o.waited for o in beside]) * 1e3:.0f} ms; the slowest batch took "
        f"{max(slowest) * 1e3:.0f} ms; from click to commit {median(o.took for o in beside) * 1e3:.0f} ms",
    )
    yield Ratio(
        "a change waits beyond the slowest batch in flight",
        "ms, 99 of 100",
        _ninety_nine(over) * 1e3,
        goal=MARGIN * 1e3,
        at_most=True,
    )
    yield Ratio(
        "switched in a row",
        "times the wait of a single change, the middle one",
        median(one.waited for one in flaps) / median(one.waited for one in beside),
        note=f"{FLAPS} switches in {flaps[-1].committed - flaps[0].asked:.1f} s",
    )


def _in_flight(switch: Switch, batches: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Batches that held the fence while the change waited."""
    return [(began, end) for began, end in batches if began < switch.committed and end > switch.asked]


def _ninety_nine(values: Sequence[float]) -> float:
    return quantiles(values, n=100)[98]


def _queued(practice: Any, admins: Switchers) -> Iterator[Ratio]:
    """A stop with nobody sending, beside the same with a million jobs due."""
    from django.db import transaction

    sql(
        "UPDATE carerecords_uploadjob SET state = 'CANCELLED', due_at = NULL, finished_at = now(), "
        "lease_until = NULL WHERE finished_at IS NULL"
    )
    empty = _stops(admins)
    with transaction.atomic():
        sql(_QUEUE, practice=practice.pk, count=QUEUED)
    sql("ANALYZE carerecords_uploadjob")
    full = _stops(admins)
    with transaction.atomic():
        sql(_UNQUEUE)
    sql("VACUUM ANALYZE carerecords_uploadjob")
    # Before and after: what else the machine does may have changed meanwhile.
    empty += _stops(admins)
    yield Ratio(
        "a stop with a million jobs due",
        "times one with none",
        median(full) / median(empty),
        goal=1.5,
        at_most=True,
        note=f"{median(full) * 1e3:.1f} ms and {median(empty) * 1e3:.1f} ms, the middle of {IDLE_STOPS} and twice as many",
    )


def _stops(admins: Switchers) -> list[float]:
    taken = []
    for _ in range(IDLE_STOPS):
        taken.append(admins.stop().took)
        admins.resume()
    return taken


def _withdrawals_done() -> None:
    """Removals pass every stop, so they leave before it is looked whether anything does."""
    from carerecords.models import UploadJob

    end = time.monotonic() + 60
    while UploadJob.objects.filter(kind="WITHDRAWAL", finished_at=None).exists():
        if time.monotonic() > end:
            raise AssertionError("Withdrawals do not end")
        time.sleep(0.1)


def _arrivals(address: str) -> list[float]:
    with urllib.request.urlopen(f"{address}/arrivals", timeout=30) as answer:
        arrivals: list[float] = json.load(answer)
    return sorted(arrivals)


@contextmanager
def _senders(address: str, *how: str) -> Iterator[list[tuple[float, float]]]:
    """Senders at work; afterwards the list holds from when to when each batch held the fence."""
    told: list[tuple[float, float]] = []
    command = [sys.executable, "-m", "bench.many_senders", str(THREADS), str(BATCH), *how]
    pipe = subprocess.PIPE
    # No limit of the rate: the fence is measured, and that each sender has something in flight.
    environment = os.environ | {"SPINE_BASE_URL": address, "SPINE_REQUESTS_PER_SECOND": "0"}
    senders = [
        subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment, cwd=serving.PROJECT)
        for _ in range(PROCESSES)
    ]
    try:
        for sender in senders:
            assert sender.stdout is not None
            sender.stdout.readline()
        yield told
        for sender in senders:
            out, _ = sender.communicate("stop\n", timeout=60)
            told += [(began, end) for began, end in json.loads(out)]
    finally:
        for sender in senders:
            sender.kill()
            sender.wait()
