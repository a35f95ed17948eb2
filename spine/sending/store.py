"""The one path to the central store: one event loop and its kept-alive connections a process.

Only `spine.sending.pipeline`, `spine.sending.current` and `spine.sending.recovery` come here (an architecture test says so).
"""

import asyncio
import os
import uuid
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

import structlog
from django.conf import settings
from django.utils import timezone

from spine.gate import Kind
from spine.sending import credentials
from spine.sending.answers import Answer, AnswerKind
from spine.sending.batch_size import BatchSize
from spine.sending.claims import Queue
from spine.sending.client import CurrentSummary, SpineClient
from spine.sending.late_messages import LateMessages, Replaces
from spine.sending.loop_thread import LoopThread
from spine.sending.outgoing import Outgoing, Sent
from spine.sending.quickness import Quickness
from spine.sending.rate import Rate
from spine.sending.slots import MayBegin, Slots, clock
from spine.sending.writing import Writing, Written

log = structlog.get_logger(__name__)

# How long the messages of a batch take to leave at the store's rate: less than a batch has to begin.
FILL_SECONDS = 0.2
LONGEST_LEAD = 0.5
# What the store holds for a patient, or the answer that says why that is not known; and that by job.
Found = CurrentSummary | Answer
Current = Mapping[int, Found]


class Store:
    """Sends batches and asks questions; blocking outside, concurrent inside.

    Two threads may use it at once, each for a batch of its own. What is learnt about sizes and lead then
    mixes both, and may miss one batch's word: it is an estimate.
    """

    def __init__(self) -> None:
        self.rate = Rate(settings.SPINE_REQUESTS_PER_SECOND)
        self.size = BatchSize(settings.SPINE_CONNECTIONS, self.rate.within(FILL_SECONDS))
        self.queue = Queue()
        self.quickness = Quickness(settings.SPINE_CONNECTIONS)
        # How long before its first message a batch takes the fence, learnt from those before.
        self.lead = 0.05
        self._mean, self._deviation = 0.03, 0.01
        self._late = LateMessages()
        self._loop = LoopThread()
        self._client = SpineClient(
            settings.SPINE_BASE_URL,
            connections=settings.SPINE_CONNECTIONS,
            read_timeout=settings.SPINE_READ_TIMEOUT_SECONDS,
            credentials=credentials.from_settings(),
        )
        self._loop.run(self._client.__aenter__())

    @property
    def gains_by_two(self) -> bool:
        """Whether two batches at once are quicker than one after the other: connections or slots wait, not the processor."""
        return bool(self.rate.per_second) or not self.quickness.is_quick

    def learn_lead(self, seconds: float) -> None:
        """Notes how long a batch took from the fence to its first message.

        The mean and twice the deviation, as TCP reckons its time-outs: a batch that is early waits some
        milliseconds, one that is late has lost its slots.
        """
        off = seconds - self._mean
        self._mean += off / 8
        self._deviation += (abs(off) - self._deviation) / 4
        self.lead = min(LONGEST_LEAD, self._mean + 2 * self._deviation)

    def close(self) -> None:
        """Closes the connections; the object is done with."""
        self._loop.run(self._client.__aexit__(None, None, None))
        self._loop.close()

    def read(self, nhs_numbers: Sequence[str], slots: Slots) -> list[Found]:
        """What the store holds now for each patient, in the same order; not asked where slots ran out."""
        return self._ask_all([self._read(number, slots) for number in nhs_numbers])

    def read_copies(self, held: Sequence[tuple[str, CurrentSummary]], slots: Slots) -> list[Found]:
        """The same for each NHS number, now with the copy itself; not asked where slots ran out."""
        return self._ask_all([self._read_copy(number, found, slots) for number, found in held])

    def _ask_all(self, questions: Sequence[Coroutine[None, None, Found]]) -> list[Found]:
        results: list[Found] = [Answer(AnswerKind.NOT_SENT)] * len(questions)
        waiting = iter(enumerate(questions))

        async def lane() -> None:
            for index, question in waiting:
                results[index] = await question

        async def lanes() -> None:
            # Not all at once: messages of another batch would wait for a connection behind all of them.
            count = min(settings.SPINE_CONNECTIONS, len(questions))
            await asyncio.gather(*(lane() for _ in range(count)))

        self._loop.run(lanes())
        return results

    def send(
        self,
        going: Sequence[Outgoing],
        *,
        current: Current,
        slots: Slots,
        may_begin: MayBegin,
        when_begun: Callable[[], None],
        quiet_within: float,
        when_quiet: Callable[[], None],
    ) -> list[Sent]:
        """Sends all, and returns what came of each, in the same order.

        `current` says for each job what the store was found to hold. `may_begin` is asked in the last
        moment before a message's bytes leave. `when_begun` is called, it may be by another thread, when no message waits
        to begin any more, and may be called again. `when_quiet` is called once every send is answered, or
        `quiet_within` seconds have passed; by then `may_begin` must say no. Answers that come later
        are still waited for.
        """
        results: list[Sent | None] = [_without_message(one, current[one.job_id]) for one in going]
        leaving = [place for place, result in enumerate(results) if result is None]

        def write(place: int) -> bytes:
            found = current[going[place].job_id]
            assert isinstance(found, CurrentSummary)
            return self._late.write(going[place], Replaces(_held(found), found.copy))

        async def lane(waiting: Iterator[int], writing: Writing, is_last: bool) -> None:
            for place in waiting:
                one = going[place]
                found = current[one.job_id]
                assert isinstance(found, CurrentSummary)
                results[place] = await self._send_one(
                    one, found, slots, may_begin, partial(writing.take, place)
                )
            if is_last:
                when_begun()

        # One lane a connection, each with one message at a time.
        lanes: list[asyncio.Task[None]] = []

        async def begin() -> None:
            end = clock() + quiet_within
            groups = self._late.groups(going, leaving)
            for group in groups:
                waiting, is_last = iter(group), group is groups[-1]
                writing = Writing(write, group, lambda place: going[place].is_long)
                count = min(settings.SPINE_CONNECTIONS, len(group))
                begun = [asyncio.create_task(lane(waiting, writing, is_last)) for _ in range(count)]
                lanes.extend(begun)
                await asyncio.wait(begun, timeout=max(0.0, end - clock()))

        try:
            if leaving:
                self._loop.run(begin())
            else:
                when_begun()
            when_quiet()
            self._loop.run(_all(lanes))
        except BaseException:
            # Whoever gives up lets the fence go: by then no lane may begin anything.
            self._loop.run(_end(lanes))
            raise
        return [one for one in results if one is not None]

    async def _send_one(
        self,
        one: Outgoing,
        found: CurrentSummary,
        slots: Slots,
        may_begin: MayBegin,
        written: Callable[[], Written],
    ) -> Sent:
        permission, held = found.permission or "", _held(found)
        if not may_begin():
            return Sent(one, Answer(AnswerKind.NOT_SENT), timezone.now())
        try:
            # Before its turn: its slot would be over.
            message = written()
        except Exception as error:  # noqa: BLE001
            # One message that cannot be written must not cost its batch the answers of the others.
            log.error("message_not_written", job_id=one.job_id, error=type(error).__name__)
            return Sent(one, Answer(AnswerKind.NOT_WRITTEN), timezone.now(), permission=permission)
        turn = slots.turn(may_begin)
        begins = await turn()
        if begins is None:
            return Sent(one, Answer(AnswerKind.NOT_SENT), timezone.now())
        asked = clock()
        answer = await self._client.upload(
            message.body,
            request_id=one.request_id,
            correlation_id=one.request_id,
            session_urid=one.session_urid,
            composition_id=one.composition_id,
            may_begin=begins,
            again=turn,
        )
        if answer.was_sent:
            self._late.left(one)
            self.quickness.saw(clock() - asked)
        if answer.kind is AnswerKind.RATE_LIMITED:
            slots.close()
        return Sent(
            one,
            answer,
            timezone.now(),
            began=answer.was_sent,
            permission=permission,
            replaced=held,
            body_sha256=message.sha256,
        )

    async def _read_copy(self, nhs_number: str, found: CurrentSummary, slots: Slots) -> Found:
        turn = slots.turn(lambda: True)
        begins = await turn()
        if begins is None:
            return Answer(AnswerKind.NOT_SENT)
        asked = str(uuid.uuid4())
        copy = await self._client.read_summary(
            nhs_number,
            (found.composition_id or "").lower(),
            request_id=asked,
            correlation_id=asked,
            may_begin=begins,
            again=turn,
        )
        if isinstance(copy, bytes):
            return replace(found, copy=copy)
        if copy.kind is AnswerKind.RATE_LIMITED:
            slots.close()
        return copy

    async def _read(self, nhs_number: str, slots: Slots) -> Found:
        turn = slots.turn(lambda: True)
        begins = await turn()
        if begins is None:
            return Answer(AnswerKind.NOT_SENT)
        # A question of its own id: only the message itself must be recognised when repeated.
        asked = str(uuid.uuid4())
        answer = await self._client.read_current(
            nhs_number, request_id=asked, correlation_id=asked, may_begin=begins, again=turn
        )
        if isinstance(answer, Answer) and answer.kind is AnswerKind.RATE_LIMITED:
            slots.close()
        return answer


def _held(found: CurrentSummary) -> str:
    """The id of the copy that the store holds, or nothing."""
    return (found.composition_id or "").lower()


def _without_message(one: Outgoing, found: Found) -> Sent | None:
    """What becomes of a job of which the store need not be told, or cannot be now; None: its message has to leave."""
    if isinstance(found, Answer):
        return Sent(one, found, timezone.now())
    permission, held = found.permission or "", _held(found)
    if held == one.composition_id or _nothing_to_do(one, held):
        # Accepted by an earlier attempt, or unchanged, or nothing there to take back.
        return Sent(one, None, timezone.now(), holds_it=bool(held), permission=permission, replaced=held)
    if one.kind is not Kind.WITHDRAWAL and permission == "No":
        # The store would refuse it; what the patient told it is reason enough not to ask.
        return Sent(one, Answer(AnswerKind.CONSENT_DIFFERS), timezone.now(), permission=permission)
    if one.build_on and found.copy is None:
        # What we know of the copy changed after it was asked for, so it was not read: next time it is.
        return Sent(one, Answer(AnswerKind.NOT_SENT), timezone.now())
    return None


def _nothing_to_do(one: Outgoing, held: str) -> bool:
    """Whether the store is already as it should be."""
    if one.kind is Kind.WITHDRAWAL and not held:
        return True
    if one.kind is Kind.NOTICE and (one.known.is_nothing or held != one.known.composition_id):
        # Another practice's copy, or none: it is not ours to say anything of.
        return True
    return bool(held) and held == one.known.composition_id and one.content_hash == one.known.content_hash


async def _all(tasks: Sequence["asyncio.Task[None]"]) -> None:
    await asyncio.gather(*tasks)


async def _end(tasks: Sequence["asyncio.Task[None]"]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


_stores: dict[int, Store] = {}


def store_of_this_process() -> Store:
    """The process's store; a forked worker gets one of its own, never its parent's sockets."""
    pid = os.getpid()
    if pid not in _stores:
        _stores.clear()
        _stores[pid] = Store()
    return _stores[pid]
