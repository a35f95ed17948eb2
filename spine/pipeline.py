"""The sending: claim, fence, decide, commit the intent, send, write the receipts.

One batch runs so (docs/adr/0003-pipeline.md):

1. claim due jobs, and commit;
2. in a transaction of the fence's own, take it shared and keep the patients' decisions still;
3. leave out jobs that are another worker's by now, load the facts afresh and decide each in memory;
4. commit every decision, and for each job that may go an intent with its keys;
5. send, concurrently, beginning none after a quarter of a second or after a turn of the calendar;
6. release the fence once every send that began is answered, or its time is over;
7. commit states, receipts and known copies, each state compared with its attempt number.

So no send begins after a change that forbids it commits, and what a dead worker leaves behind was
either not begun or is known by its intent. Cost: some fifteen statements a batch, whatever its
size, and one question and one message a job at the store.
"""

import datetime
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import structlog
from django.conf import settings
from django.db import Error as DatabaseError
from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils import timezone

from carerecords import fence
from carerecords.models import JobState
from spine import proof
from spine.claims import Claimed, claim, still_held
from spine.contents import load_outgoing
from spine.facts import Loaded, load_batch, load_clocks, load_nation
from spine.gate import Decision, Facts, Kind, Outcome, decide
from spine.outcomes import after_decision, after_sending
from spine.outgoing import Outgoing, Sent
from spine.reasons import Reason
from spine.settling import Settled, settle
from spine.store import Store

# How long a batch goes on beginning sends: most of what a change of position waits for.
BEGIN_SECONDS = 0.25
# The longest that the fence is held for answers. On a clock that runs through suspends.
QUIET_SECONDS = 5.0
# A frozen worker's fence falls after this, wherever it froze.
FENCE_TIMEOUT_MS = 6000
# The right to begin a send ends so long after the fence was asked for, so before it can have fallen.
HELD_SECONDS = 5.0

Decided = tuple[Claimed, Decision, Loaded]
log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class BatchReport:
    """What one batch did: jobs taken, messages that left, jobs that the gate stopped."""

    claimed: int = 0
    sent: int = 0
    stopped: int = 0


def send_batch(store: Store, *, limit: int | None = None) -> BatchReport:
    """Takes one batch of due jobs to its end. Returns at once when nothing is due."""
    jobs = claim(limit=limit or store.room, now=timezone.now(), lease=lease())
    if not jobs:
        return BatchReport()
    with _fence(jobs) as held:
        going, stopped, turn = _decide_and_commit(jobs)
        may_begin = _until(min(_clock() + BEGIN_SECONDS, held.until, turn))
        sent = store.send(going, may_begin=may_begin, quiet_within=QUIET_SECONDS, when_quiet=held.release)
    _write(sent)
    return BatchReport(len(jobs), sum(one.began for one in sent), stopped)


def lease() -> datetime.timedelta:
    """How long a claimed job is its worker's: both calls to the store, and the writes around them."""
    return datetime.timedelta(seconds=2 * settings.SPINE_READ_TIMEOUT_SECONDS + 10)


@dataclass(frozen=True)
class Held:
    """The fence, held: until when sends may begin under it, and the call that lets it go early."""

    until: float
    release: Callable[[], None]


@contextmanager
def _fence(jobs: Sequence[Claimed]) -> Iterator[Held]:
    """Holds the fence on a connection of its own."""
    guard = fence.sender_connection()
    try:
        guard.set_autocommit(False)
        with guard.cursor() as cursor:
            cursor.execute(f"SET LOCAL idle_in_transaction_session_timeout = {FENCE_TIMEOUT_MS}")
            fence.share(cursor, (job.practice_id for job in jobs))
            # Read before the last statement: the server's time-out begins to run after it.
            until = _clock() + HELD_SECONDS
            fence.keep_patients(cursor, (job.patient_id for job in jobs))
        yield Held(until, lambda: _let_go(guard))
    finally:
        _let_go(guard)


def _let_go(guard: BaseDatabaseWrapper) -> None:
    """Ends the fence's transaction, once. Losing it early is harmless: the right to begin was timed."""
    try:
        if guard.connection is not None:
            guard.rollback()
    except DatabaseError as error:
        log.warning("fence_lost", error=type(error).__name__)
    finally:
        guard.close()


def _clock() -> float:
    """Seconds on a clock that does not stop while the machine sleeps."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def _until(end: float) -> Callable[[], bool]:
    """Says yes until that moment."""
    return lambda: _clock() < end


@transaction.atomic
def _decide_and_commit(jobs: Sequence[Claimed]) -> tuple[list[Outgoing], int, float]:
    """Decides the batch by facts read now; writes decisions, intents and the states of the rest.

    Returns what goes, how many do not, and when on the clock of sends the calendar ends the right to go.
    """
    at = timezone.now()
    decided, clocks = _decide(still_held(jobs), at)
    going = [one for one in decided if one[1].outcome is Outcome.SEND]
    outgoing, unbuildable = load_outgoing(going, at=at)
    stopped = [
        after_decision(job, decision, loaded, clocks[job.practice_id])
        for job, decision, loaded in decided
        if decision.outcome is not Outcome.SEND
    ]
    proof.write_decisions(decided, clocks=clocks, at=at)
    proof.write_intents(outgoing, at=at)
    settle([*stopped, *map(_dead_letter, unbuildable)], at=at)
    return outgoing, len(stopped), _turn_of_the_calendar(going)


def _turn_of_the_calendar(going: Sequence[Decided]) -> float:
    """The first moment at which the calendar may forbid one of these: a scheduled change of policy, say.

    No lock is taken then, so a batch decided a little before must begin nothing a little after.
    """
    turns = [
        loaded.changes_at
        for job, _, loaded in going
        if job.kind is Kind.UPLOAD and loaded.changes_at is not None
    ]
    if not turns:
        return math.inf
    return _clock() + (min(turns) - timezone.now()).total_seconds()


def _decide(jobs: Sequence[Claimed], at: datetime.datetime) -> tuple[list[Decided], dict[int, int]]:
    nation = load_nation(at)
    clocks = load_clocks({job.practice_id for job in jobs})
    loaded = load_batch({job.patient_id: (job.kind, False) for job in jobs}, nation)
    decided = []
    for job in jobs:
        found = loaded.get(job.patient_id) or Loaded(Facts(job.kind), {}, None)
        decided.append((job, decide(found.facts), found))
    return decided, clocks


def _dead_letter(job: Claimed) -> Settled:
    """A job whose message cannot be built ends by itself; the rest of its batch goes on."""
    reason = Reason.TECH_WITHDRAWAL if job.kind is Kind.WITHDRAWAL else Reason.TECH_REFUSED
    return Settled(job.job_id, job.attempt, job.patient_id, JobState.FAILED, (reason,))


@transaction.atomic
def _write(sent: Sequence[Sent]) -> None:
    """States, receipts and what is known of the store's copies, in one transaction.

    The states first: that takes the patients in order, and says which jobs another worker has
    brought further meanwhile. What such a late answer says of the store's copy is out of date.
    """
    ours = settle(map(after_sending, sent), at=timezone.now())
    proof.write_receipts(sent)
    proof.note_copies([one for one in sent if one.outgoing.job_id in ours])
