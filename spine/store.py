"""The one path to the central store: one event loop and its kept-alive connections a process.

Only `spine.pipeline` and `spine.recovery` come here (an architecture test says so).
"""

import asyncio
import hashlib
import os
import uuid
from collections.abc import Callable, Iterator, Sequence

import structlog
from django.conf import settings
from django.utils import timezone

from spine import credentials
from spine.answers import Answer, AnswerKind
from spine.client import CurrentSummary, SpineClient
from spine.gate import Kind
from spine.outgoing import Outgoing, Sent

log = structlog.get_logger(__name__)

MayBegin = Callable[[], bool]
LARGEST_BATCH = 500


class Store:
    """Sends batches and asks questions; blocking outside, concurrent inside."""

    def __init__(self) -> None:
        # How many messages a batch should have, learnt from the batches before.
        self.room = 2 * settings.SPINE_CONNECTIONS
        self._loop = asyncio.new_event_loop()
        self._client = SpineClient(
            settings.SPINE_BASE_URL,
            connections=settings.SPINE_CONNECTIONS,
            read_timeout=settings.SPINE_READ_TIMEOUT_SECONDS,
            credentials=credentials.from_settings(),
        )
        self._loop.run_until_complete(self._client.__aenter__())

    def close(self) -> None:
        """Closes the connections; the object is done with."""
        self._loop.run_until_complete(self._client.__aexit__(None, None, None))
        # One more turn, in which the closed connections let go of their sockets.
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    def send(
        self,
        going: Sequence[Outgoing],
        *,
        may_begin: MayBegin,
        quiet_within: float,
        when_quiet: Callable[[], None],
    ) -> list[Sent]:
        """Sends all, and returns what came of each, in the same order.

        `may_begin` is asked in the last moment before a message's bytes leave. `when_quiet` is
        called once every send is answered, or `quiet_within` seconds have passed; by then
        `may_begin` must say no. Answers that come later are still waited for.
        """
        results: list[Sent | None] = [None] * len(going)
        waiting = iter(enumerate(going))
        # One lane a connection, each with one message at a time: so a message that began to ask is
        # also sent, and the time to begin does not pass in asking for all before sending any.
        lanes = min(settings.SPINE_CONNECTIONS, len(going))
        tasks = [self._loop.create_task(self._lane(waiting, results, may_begin)) for _ in range(lanes)]
        if tasks:
            self._loop.run_until_complete(asyncio.wait(tasks, timeout=quiet_within))
        when_quiet()
        self._loop.run_until_complete(_all(tasks))
        sent = [one for one in results if one is not None]
        self._learn(len(going), sum(one.answer is None or one.answer.was_sent for one in sent))
        return sent

    def read(self, nhs_numbers: Sequence[str]) -> list[CurrentSummary | Answer]:
        """What the store holds now for each patient, in the same order."""

        async def read_all() -> list[CurrentSummary | Answer]:
            return await asyncio.gather(*(self._read(number, lambda: True) for number in nhs_numbers))

        return self._loop.run_until_complete(read_all())

    async def _lane(
        self, waiting: Iterator[tuple[int, Outgoing]], results: list[Sent | None], may_begin: MayBegin
    ) -> None:
        for index, one in waiting:
            results[index] = await self._send_one(one, may_begin)

    def _learn(self, tried: int, done: int) -> None:
        """Finds how many messages fit into the time to begin: a batch should be no larger."""
        if done < tried:
            self.room = max(settings.SPINE_CONNECTIONS, done)
        else:
            self.room = min(LARGEST_BATCH, max(self.room, 2 * tried))

    async def _send_one(self, one: Outgoing, may_begin: MayBegin) -> Sent:
        if not may_begin():
            return Sent(one, Answer(AnswerKind.NOT_SENT), timezone.now())
        current = await self._read(one.nhs_number, may_begin)
        if isinstance(current, Answer):
            return Sent(one, current, timezone.now())
        permission, held = current.permission or "", (current.composition_id or "").lower()
        if held == one.composition_id or _nothing_to_do(one, held):
            # Accepted by an earlier attempt, or unchanged, or nothing there to take back.
            return Sent(one, None, timezone.now(), holds_it=bool(held), permission=permission, replaced=held)
        if one.kind is Kind.UPLOAD and permission == "No":
            # The store would refuse it; what the patient told it is reason enough not to ask.
            return Sent(one, Answer(AnswerKind.CONSENT_DIFFERS), timezone.now(), permission=permission)
        try:
            body = one.build(held or None)
        except Exception as error:  # noqa: BLE001
            # One message that cannot be written must not cost its batch the answers of the others.
            log.error("message_not_written", job_id=one.job_id, error=type(error).__name__)
            return Sent(one, Answer(AnswerKind.REFUSED), timezone.now(), permission=permission)
        answer = await self._client.upload(
            body,
            request_id=one.request_id,
            correlation_id=one.request_id,
            session_urid=one.session_urid,
            composition_id=one.composition_id,
            may_begin=may_begin,
        )
        return Sent(
            one,
            answer,
            timezone.now(),
            began=answer.was_sent,
            permission=permission,
            replaced=held,
            body_sha256=hashlib.sha256(body).hexdigest(),
        )

    async def _read(self, nhs_number: str, may_begin: MayBegin) -> CurrentSummary | Answer:
        # A question of its own id: only the message itself must be recognised when repeated.
        asked = str(uuid.uuid4())
        return await self._client.read_current(
            nhs_number, request_id=asked, correlation_id=asked, may_begin=may_begin
        )


def _nothing_to_do(one: Outgoing, held: str) -> bool:
    """Whether the store is already as it should be."""
    if one.kind is Kind.WITHDRAWAL and not held:
        return True
    return bool(held) and held == one.known.composition_id and one.content_hash == one.known.content_hash


async def _all(tasks: Sequence["asyncio.Task[None]"]) -> None:
    await asyncio.gather(*tasks)


_stores: dict[int, Store] = {}


def store_of_this_process() -> Store:
    """The process's store; a forked worker gets one of its own, never its parent's sockets."""
    pid = os.getpid()
    if pid not in _stores:
        _stores.clear()
        _stores[pid] = Store()
    return _stores[pid]
