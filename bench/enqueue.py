"""A million uploads asked for, beside a message each in a broker.

Both are durable: rows committed chunk by chunk, and messages in a broker that writes what it is told to disk.
"""

import time
from collections.abc import Iterator
from typing import Any

from bench import bells, scale, serving
from bench.harness import Ratio

JOBS = 1_000_000
MESSAGES = 5_000


def run() -> Iterator[Ratio]:
    from carerecords.models import UploadJob

    scale.populate(JOBS)
    asked, took = scale.ask()
    rate = asked / took
    with bells.broker() as broker:
        a_second = _messages_a_second(broker)
    yield Ratio(
        "uploads asked for",
        "times a message each by .delay()",
        rate / a_second,
        goal=80,
        note=f"{asked:,} in {took:.1f} s, {rate:,.0f} and {a_second:,.0f} a second; {serving.load()}",
    )
    waiting = UploadJob.objects.filter(state="WAITING").count()
    again, took_again = scale.ask(most=asked // 10)
    if UploadJob.objects.filter(state="WAITING").count() != waiting:
        raise AssertionError("A patient has two open uploads, or none")
    yield Ratio(
        "the same asked for again",
        "times the first time; still one open upload a patient",
        (took_again / again) / (took / asked),
    )


def _messages_a_second(broker: "bells.Bells") -> float:
    """An ordinary application publishes one a job, with its id."""
    from celery import shared_task

    @shared_task(name="bench.upload")
    def upload(job_id: int) -> None: ...

    task: Any = upload
    task.delay(0)
    began = time.perf_counter()
    for job in range(MESSAGES):
        task.delay(job)
    took = time.perf_counter() - began
    if len(broker.messages) < MESSAGES:
        raise AssertionError("Not all messages reached the broker")
    return MESSAGES / took
