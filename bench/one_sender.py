"""`python -m bench.one_sender`: one process that sends as a worker's task does, told by lines of JSON on its input.

`{"do": "allowed", "practice": ID}` answers with the patients of its uploads that may go; `{"do": "send", "jobs": N, "seconds": S}` sends; `{"do":
"alone", "jobs": N}` makes the same calls with messages that are ready, and nothing around them. The answers say how
many were done, in how many seconds by the clock and of this process's processor.
"""

import asyncio
import json
import sys
import time
import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spine.sending.pipeline import BatchReport
    from spine.sending.store import Store


def main() -> None:
    import django

    django.setup()
    from django.db import connection

    from config.celery import calm_collector
    from spine.sending.store import Store

    store = Store()
    print(json.dumps("ready"), flush=True)
    allowed: list[Any] = []
    bodies: list[tuple[str, bytes, str]] = []
    for line in sys.stdin:
        told = json.loads(line)
        if told["do"] == "allowed":
            allowed = _allowed(told["practice"])
            bodies = _bodies(allowed)
            # As in a worker; and what only the benchmark keeps is none of the sender's.
            calm_collector()
            answer: Any = [claimed.patient_id for claimed, _, _ in allowed]
        else:
            began, busy = time.perf_counter(), time.process_time()
            if told["do"] == "send":
                done = _send(store, told["jobs"], told["seconds"])
            else:
                done = _alone(store, bodies[: told["jobs"]])
            answer = {
                "done": done,
                "seconds": time.perf_counter() - began,
                "processor": time.process_time() - busy,
            }
        print(json.dumps(answer), flush=True)
    store.close()
    connection.close()


def _send(store: "Store", most: int, seconds: float) -> int:
    """Until so many messages left or the time is over; how many did."""
    from spine.sending import overlap

    sent, end = 0, time.monotonic() + seconds

    def goes_on(report: "BatchReport") -> bool:
        nonlocal sent
        sent += report.sent
        return sent < most and time.monotonic() < end

    while sent < most and time.monotonic() < end:
        overlap.drain(store, goes_on)
    return sent


def _alone(store: "Store", bodies: Sequence[tuple[str, bytes, str]]) -> int:
    """By the client of the store itself, over the connections that it has open."""
    from django.conf import settings

    from spine.sending.answers import Answer, AnswerKind

    client, waiting, done = store._client, iter(bodies), 0

    async def lane() -> None:
        nonlocal done
        for number, body, composition_id in waiting:
            asked = str(uuid.uuid4())
            ids: dict[str, Any] = {
                "request_id": asked,
                "correlation_id": asked,
                "may_begin": lambda: True,
                "again": _never,
            }
            found = await client.read_current(number, **ids)
            answer = await client.upload(body, session_urid="", composition_id=composition_id, **ids)
            done += not isinstance(found, Answer) and answer.kind is AnswerKind.ACCEPTED

    async def lanes() -> None:
        await asyncio.gather(*(lane() for _ in range(settings.SPINE_CONNECTIONS)))

    store._loop.run(lanes())
    return done


async def _never() -> None:
    """No call is made again."""


def _allowed(practice: int) -> list[Any]:
    """The uploads of a practice that may go, each claimed, decided and with its facts."""
    from django.utils import timezone

    from carerecords.models import JobKind, JobState, UploadJob
    from spine.facts import load_batch, load_nation
    from spine.gate import Kind, Outcome, decide
    from spine.sending.claims import Claimed

    at = timezone.now()
    waiting = UploadJob.objects.filter(practice=practice, state=JobState.WAITING, kind=JobKind.UPLOAD)
    jobs = list(waiting.order_by("pk"))
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


def _bodies(allowed: Sequence[Any]) -> list[tuple[str, bytes, str]]:
    """Messages ready to be sent: NHS number, bytes, composition id."""
    from django.utils import timezone

    from spine.sending.contents import load_outgoing

    outgoing, _ = load_outgoing(allowed, at=timezone.now())
    return [(one.nhs_number, one.build(None), one.composition_id) for one in outgoing]


if __name__ == "__main__":
    main()
