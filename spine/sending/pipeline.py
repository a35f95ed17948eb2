"""The sending: claim, ask, wait for a slot, fence, decide, commit the intent, send, write the receipts.

One batch runs so (docs/adr/0003-pipeline.md, 0130-one-rate-for-all-processes.md):

1. claim due jobs, practice by practice, and commit; lay aside those whose run rests;
2. look which of them may go, ask the store what it holds for those, and for the copies that notices are
   put on; reserve slots for their messages and sleep until these come, holding nothing;
3. in a transaction of the fence's own, take it shared and keep the patients' decisions still;
4. leave out jobs that are another worker's by now, end those whose patient is another practice's, load the facts afresh and decide each in memory;
5. commit every decision, and for each job that may go an intent with its keys;
6. send, concurrently, beginning none after a quarter of a second from when it may, after a turn of the calendar, or
   once the fence's session has ended;
7. release the fence once every send that began is answered, or its time is over;
8. commit states, receipts and known copies, each state compared with its attempt number.

So no send begins after a change that forbids it commits, and what a dead worker leaves behind was
either not begun or is known by its intent. After the due jobs, those that were held before a fact changed are
only asked again, in large batches: those that may go by now wait for their turn among the others.
Cost: some twenty statements a batch, whatever its size, and one question and one message a job at the
store.
"""

import datetime
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from carerecords import database_clock, fence
from carerecords.models import JobState
from spine.gate import Decision, Kind, Outcome
from spine.permission import mismatches
from spine.reasons import Reason
from spine.runs import resting as resting_runs
from spine.sending import proof
from spine.sending.answers import Answer, AnswerKind
from spine.sending.batch_size import LARGEST_BATCH
from spine.sending.claims import Claimed, claim, claim_held, still_held
from spine.sending.contents import load_outgoing
from spine.sending.current import ask_store
from spine.sending.deciding import Decided, decide_jobs
from spine.sending.guards import Guard
from spine.sending.outcomes import after_decision, after_moving, after_sending, waits_for_turn
from spine.sending.outgoing import Outgoing, Sent
from spine.sending.settling import Settled, settle
from spine.sending.slots import Slots, clock
from spine.sending.store import Current, Store

# How long a batch goes on beginning sends, from its decision or its first slot: most of what a change of position waits for.
BEGIN_SECONDS = 0.25
# The longest that the fence is held for answers. On a clock that runs through suspends.
QUIET_SECONDS = 5.0
# A frozen worker's fence falls after this, wherever it froze.
FENCE_TIMEOUT_MS = 6000
# The right to begin a send ends so long after the fence was asked for, so before it can have fallen.
HELD_SECONDS = 5.0
# Slots are never further away than their reservation looks ahead, and the batches before it.
LONGEST_SLEEP_SECONDS = 10.0


@dataclass(frozen=True)
class BatchReport:
    """What one batch did: jobs taken, messages that left, jobs that the gate stopped."""

    claimed: int = 0
    sent: int = 0
    stopped: int = 0


def send_batch(store: Store, *, limit: int | None = None) -> BatchReport:
    """Takes one batch of due jobs to its end, then one of held jobs to be asked again.

    Due jobs first: whoever just recorded a decision waits for them. Returns at once when there are none of
    either. Sends nothing while the store's rate is used up.
    """
    sent = _send_due(store, limit or store.size.jobs) if store.rate.is_open() else BatchReport()
    # Not after each batch of many; but whoever finds nothing else to do has asked all.
    may_wait = sent.claimed and not store.queue.asks_again()
    asked = BatchReport() if may_wait else _ask_again(store)
    return BatchReport(sent.claimed + asked.claimed, sent.sent, sent.stopped + asked.stopped)


def _send_due(store: Store, limit: int) -> BatchReport:
    at = database_clock.now()
    taken = claim(limit=limit, now=at, lease=lease(), queue=store.queue)
    jobs = resting_runs.lay_aside(taken, at)
    if not jobs:
        return BatchReport(len(taken))
    current = _ask_store(store, jobs, at)
    batch, sent, took = _send(store, jobs, current)
    if current or not batch.put_back:
        done = sum(one.answer is None or one.answer.was_sent for one in sent)
        store.quickness.learn()
        store.size.learn(
            taken=len(jobs), put_back=batch.put_back, tried=len(sent), done=done, part=took / BEGIN_SECONDS
        )
    return BatchReport(len(taken), sum(one.began for one in sent), batch.stopped)


def _ask_again(store: Store) -> BatchReport:
    """Asks the gate again about jobs that were held before a fact changed; sends none of them."""
    jobs = claim_held(limit=LARGEST_BATCH, lease=lease())
    store.queue.asked_again(len(jobs))
    return BatchReport(len(jobs), stopped=_send(store, jobs, {})[0].stopped) if jobs else BatchReport()


def _ask_store(store: Store, jobs: Sequence[Claimed], at: datetime.datetime) -> Current:
    """What the store holds for those of the jobs that may go as things stand, as many as go at once.

    Only a look, without the fence: which of them do go is decided under it.
    """
    likely = [job for job, decision, _ in decide_jobs(jobs, at)[0] if _goes(decision)]
    return ask_store(store, likely[: store.size.messages])


def _send(store: Store, jobs: Sequence[Claimed], current: Current) -> tuple["Batch", list[Sent], float]:
    """Decides the jobs under the fence, and sends those that may go and that the store was asked about.

    Tells what was decided, what came of the messages, and in how many seconds they had begun.
    """
    slots, begun = _slots(store, current), Begun()
    _sleep_until(slots.first - store.lead)
    began = clock()
    with _fence(jobs) as held:
        batch = _decide_and_commit(jobs, current)
        ready = clock()
        if current:
            store.learn_lead(ready - began)
        # Under a limit, a batch that was decided sooner than foreseen waits for its first slot.
        begins = max(ready, slots.first)
        in_time = _until(min(begins + BEGIN_SECONDS, held.until, batch.turn))
        sent = store.send(
            batch.going,
            current=current,
            slots=slots,
            may_begin=lambda: in_time() and held.stands(),
            when_begun=begun.note,
            quiet_within=QUIET_SECONDS,
            when_quiet=held.release,
        )
    _write(sent)
    store.rate.give_back(slots)
    store.rate.heed(one.answer for one in sent if one.answer is not None)
    return batch, sent, begun.at() - begins


def _slots(store: Store, current: Current) -> Slots:
    """A slot for each message that may have to leave; none where everybody was asked to wait meanwhile."""
    messages = sum(not isinstance(found, Answer) for found in current.values())
    return store.rate.reserve(messages, lead=store.lead) or Slots.none()


def _sleep_until(moment: float) -> None:
    """Holding nothing: neither fence nor transaction."""
    time.sleep(max(0.0, min(moment - clock(), LONGEST_SLEEP_SECONDS)))


def lease() -> datetime.timedelta:
    """How long a claimed job is its worker's: its calls to the store, and the writes around them."""
    return datetime.timedelta(seconds=2 * settings.SPINE_READ_TIMEOUT_SECONDS + 10)


class Begun:
    """When all messages of a batch had begun, or must not any more."""

    def __init__(self) -> None:
        self._at: float | None = None

    def note(self) -> None:
        """Says that it is now, if it was not before. From any thread."""
        self._at = self._at or clock()

    def at(self) -> float:
        """That moment; now, where nothing had to leave."""
        return self._at or clock()


@dataclass(frozen=True)
class Held:
    """The fence, held: until when sends may begin under it, whether it still stands, and the call that lets it go early."""

    until: float
    stands: Callable[[], bool]
    release: Callable[[], None]


@contextmanager
def _fence(jobs: Sequence[Claimed]) -> Iterator[Held]:
    """Holds the fence, in a session that does nothing else."""
    guard = Guard()
    try:
        with guard.cursor() as cursor:
            fence.share(cursor, (job.practice_id for job in jobs), idle_ms=FENCE_TIMEOUT_MS)
            # Read before the last statement: the server's time-out begins to run after it.
            until = clock() + HELD_SECONDS
            fence.keep_patients(cursor, (job.patient_id for job in jobs))
        yield Held(until, guard.stands, guard.release)
    finally:
        guard.release()


def _until(end: float) -> Callable[[], bool]:
    """Says yes until that moment."""
    return lambda: clock() < end


@dataclass(frozen=True)
class Batch:
    """What was decided: what goes, how many do not or must wait for their turn, and until when, by the calendar."""

    going: list[Outgoing]
    stopped: int
    put_back: int
    turn: float


@transaction.atomic
def _decide_and_commit(jobs: Sequence[Claimed], current: Current) -> Batch:
    """Decides the batch by facts read now; writes decisions, intents and the states of the rest."""
    read, at = clock(), database_clock.now()
    ours, moved = still_held(jobs)
    decided, clocks = decide_jobs(ours, at)
    stays = [one for one in decided if not _goes(one[1])]
    going = [one for one in decided if _goes(one[1]) and one[0].job_id in current]
    waits = [one for one, decision, _ in decided if _goes(decision) and one.job_id not in current]
    outgoing, unbuildable = load_outgoing(going, at=at)
    proof.write_decisions([*stays, *going], clocks=clocks, at=at)
    proof.write_intents(outgoing, at=at)
    stopped = [
        after_decision(job, decision, loaded, clocks[job.practice_id]) for job, decision, loaded in stays
    ]
    turned_away = [waits_for_turn(job, clocks[job.practice_id], at) for job in waits]
    settle([*stopped, *turned_away, *map(_dead_letter, unbuildable), *map(after_moving, moved)], at=at)
    mismatches.review([job.patient_id for job, decision, _ in stays if _differs(decision)], at=at)
    return Batch(outgoing, len(stays) + len(moved), len(waits), read + _turn_of_the_calendar(going, at))


def _goes(decision: Decision) -> bool:
    return decision.outcome is Outcome.SEND


def _turn_of_the_calendar(going: Sequence[Decided], at: datetime.datetime) -> float:
    """Seconds from `at` to when the calendar may first forbid one of these: a scheduled change of policy, say.

    No lock is taken then, so a batch decided a little before must begin nothing a little after.
    """
    turns = [
        loaded.changes_at
        for job, _, loaded in going
        if job.kind is not Kind.WITHDRAWAL and loaded.changes_at is not None
    ]
    return (min(turns) - at).total_seconds() if turns else math.inf


def _dead_letter(job: Claimed) -> Settled:
    """A job whose message cannot be built ends by itself; the rest of its batch goes on."""
    reason = Reason.TECH_WITHDRAWAL if job.kind is Kind.WITHDRAWAL else Reason.TECH_UNWRITTEN
    return Settled(job.job_id, job.attempt, job.patient_id, JobState.FAILED, (reason,))


@transaction.atomic
def _write(sent: Sequence[Sent]) -> None:
    """States, receipts and what is known of the store's copies, in one transaction.

    The states first: that takes the patients in order, and says which jobs another worker has
    brought further meanwhile. What such a late answer says of the store's copy is out of date.
    """
    here, at = timezone.now(), database_clock.now()
    # When each was answered by the database's clock, however wrong this machine's is.
    ahead = at - here
    sent = [one._replace(answered_at=one.answered_at + ahead) for one in sent]
    ours = settle(map(after_sending, sent), at=at)
    proof.write_receipts(sent)
    proof.note_copies([one for one in sent if one.outgoing.job_id in ours])
    mismatches.review([one.outgoing.patient_id for one in sent if _may_differ(one)], at=at)


def _differs(decision: Decision) -> bool:
    return Reason.CONSENT_DIFFERS in decision.reasons


def _may_differ(sent: Sent) -> bool:
    """Whether what came of it says something new of the store's permission: so not for an ordinary upload."""
    refused = sent.answer is not None and sent.answer.kind is AnswerKind.CONSENT_DIFFERS
    return refused or sent.outgoing.kind is Kind.WITHDRAWAL
