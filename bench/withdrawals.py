"""Consent withdrawn, patient by patient, while two senders run batches at a store that answers each call in 50 ms;
beside the same without senders.

A withdrawal waits for its patient's batch if there is one, and for nobody else's.
"""

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median, quantiles
from typing import Any

from bench import people, serving
from bench.harness import Ratio, cost

ANSWER_MS = 50
SENDERS = 2
ROUNDS = 3
SECONDS = 4.0
# One member of staff after another, and not as fast as a machine can.
PAUSE = 0.01


def run() -> Iterator[Ratio]:
    practice, gp = people.practice_of(10_000)
    people.all_consent(practice, gp)
    patients = people.consenting(practice)
    random.Random(1).shuffle(patients)
    waiting = iter(patients)
    alone: list[float] = []
    beside: list[float] = []
    batches: list[float] = []
    sent, processor = 0, 0.0
    with serving.slow_store(ANSWER_MS) as address:
        for _ in range(ROUNDS):
            spent = cost(lambda: alone.extend(_withdraw(waiting, gp, SECONDS / 2)))
            processor += spent.processor
            with _senders(address) as told:
                beside += _withdraw(waiting, gp, SECONDS)
            batches += [batch["seconds"] for batch in told]
            sent += sum(batch["sent"] for batch in told)
    if sent < 100:
        raise AssertionError(f"The senders sent {sent} messages: nothing was measured")
    hundredths = quantiles(beside, n=100)
    yield Ratio(
        "a withdrawal while uploads are sent",
        "ms, the middle one",
        median(beside) * 1e3,
        goal=5,
        at_most=True,
        note=f"{median(alone) * 1e3:.1f} ms without senders, of which {processor / len(alone) * 1e3:.1f} ms of processor; 99 of 100 within {hundredths[98] * 1e3:.0f} ms; "
        f"{len(beside):,} withdrawals beside {sent:,} messages in {len(batches)} batches; {serving.load()}",
    )
    yield Ratio(
        "a withdrawal while uploads are sent",
        "times one without senders",
        median(beside) / median(alone),
    )
    yield Ratio(
        "the longest wait of a withdrawal",
        "times the longest batch",
        max(beside) / max(batches),
        goal=1,
        at_most=True,
        note=f"{max(beside) * 1e3:.0f} ms and {max(batches) * 1e3:.0f} ms; {sum(each > 0.05 for each in beside)} "
        "waited for more than 50 ms",
    )


def _withdraw(patients: Iterator[int], by: Any, lasting: float) -> list[float]:
    """How long each took, in seconds: patient after patient until the time is over."""
    from django.utils import timezone

    from carerecords.models import Patient
    from consent.actions import Evidence, record_decision
    from consent.codes import Preference, Source

    took = []
    end = time.monotonic() + lasting
    while time.monotonic() < end:
        patient, at = Patient(pk=next(patients)), timezone.now()
        evidence = Evidence(Source.PHONE, note="Rang to withdraw")
        began = time.perf_counter()
        record_decision(
            patient=patient,
            preference=Preference.WITHDRAWN,
            evidence=evidence,
            decided_on=timezone.localdate(at),
            by=by,
            at=at,
        )
        took.append(time.perf_counter() - began)
        time.sleep(PAUSE)
    return took


@contextmanager
def _senders(address: str) -> Iterator[list[dict[str, Any]]]:
    """Senders at work; afterwards the list holds what each of their batches did."""
    told: list[dict[str, Any]] = []
    command = [sys.executable, "-m", "bench.sender"]
    pipe = subprocess.PIPE
    # No limit of the rate: what is measured is the wait for batches, so that there must be some.
    environment = os.environ | {"SPINE_BASE_URL": address, "SPINE_REQUESTS_PER_SECOND": "0"}
    senders = [
        subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment, cwd=serving.PROJECT)
        for _ in range(SENDERS)
    ]
    try:
        for sender in senders:
            assert sender.stdout is not None
            sender.stdout.readline()
        yield told
        for sender in senders:
            out, _ = sender.communicate("stop\n", timeout=60)
            told += [json.loads(line) for line in out.splitlines()]
    finally:
        for sender in senders:
            sender.kill()
            sender.wait()
