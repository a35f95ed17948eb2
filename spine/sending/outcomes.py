"""From answers to states: what a decision or a store's answer makes of a job. The rules are pure.

The retry ladder is the service's own: 1, 30 and 60 minutes, 2, 4, 8 and 16 hours, then failed
(spine-interface notes 1.3, the API definition's "Exponential backoff").
"""

import datetime

from carerecords.models import JobState
from spine.facts import Loaded
from spine.gate import Decision, Kind, Outcome
from spine.reasons import Reason
from spine.sending.answers import AnswerKind
from spine.sending.claims import Claimed
from spine.sending.outgoing import Sent
from spine.sending.settling import Settled

MINUTE, HOUR = datetime.timedelta(minutes=1), datetime.timedelta(hours=1)
LADDER = (1 * MINUTE, 30 * MINUTE, 60 * MINUTE, 2 * HOUR, 4 * HOUR, 8 * HOUR, 16 * HOUR)
# The store cannot be reached at all: not the message's fault, so no rung is used up.
UNREACHABLE_WAIT = datetime.timedelta(seconds=10)
# When a lost answer is first asked after.
DOUBT_WAIT = datetime.timedelta(seconds=5)
# Whoever set this service up has to mend its key or its token; trying fast would not help.
ACCESS_WAIT = MINUTE

NOT_TAKEN = {AnswerKind.RATE_LIMITED, AnswerKind.TRANSIENT}


def after_decision(job: Claimed, decision: Decision, loaded: Loaded, clock: int) -> Settled:
    """The state of a job that the gate did not let through."""
    held = decision.outcome is Outcome.HOLD
    return Settled(
        job.job_id,
        job.attempt,
        job.patient_id,
        JobState.HELD if held else JobState.CANCELLED,
        decision.reasons,
        due_at=loaded.changes_at if held else None,
        failures=job.failures,
        clock_seen=clock,
    )


def waits_for_turn(job: Claimed, clock: int, at: datetime.datetime) -> Settled:
    """The state of a job that may go, when others go before it: in the place where it was.

    One that was held takes its place by when it was asked for; the day on which its hold would have
    ended by itself counts no longer, since it ended before.
    """
    was_due = job.due_at is not None and job.due_at <= at
    return Settled(
        job.job_id,
        job.attempt,
        job.patient_id,
        JobState.WAITING,
        (Reason.TECH_TURN,),
        due_at=job.due_at if was_due else min(job.requested_at, at),
        failures=job.failures,
        clock_seen=clock,
    )


def after_moving(job: Claimed) -> Settled:
    """The end of a job whose patient moved to another practice while it was claimed: that one asks anew."""
    return Settled(
        job.job_id,
        job.attempt,
        job.patient_id,
        JobState.CANCELLED,
        (Reason.PATIENT_LEFT,),
        failures=job.failures,
    )


def after_resting(job: Claimed, state: JobState, reason: Reason, due_at: datetime.datetime | None) -> Settled:
    """The state of a job that was claimed while the run that it belongs to rests."""
    return Settled(job.job_id, job.attempt, job.patient_id, state, (reason,), due_at, job.failures)


def after_sending(sent: Sent) -> Settled:
    """The state of a job that was sent, or that needed no sending."""
    if sent.answer is None:
        return _without_sending(sent)
    if sent.answer.kind in {AnswerKind.ACCEPTED, AnswerKind.DUPLICATE}:
        return _state(sent, JobState.ACCEPTED)
    if sent.answer.kind is AnswerKind.NOT_SENT:
        return _state(sent, JobState.WAITING, due_in=datetime.timedelta(0))
    if sent.answer.kind is AnswerKind.UNKNOWN:
        return _unknown(sent)
    if sent.answer.kind is AnswerKind.UNAUTHORISED:
        return _state(sent, JobState.WAITING, Reason.TECH_ACCESS, due_in=ACCESS_WAIT)
    if sent.answer.kind is AnswerKind.UNREACHABLE:
        return _state(sent, JobState.WAITING, Reason.TECH_RETRY, due_in=UNREACHABLE_WAIT)
    if sent.answer.kind in NOT_TAKEN:
        return next_rung(sent)
    return _refused(sent)


def next_rung(sent: Sent) -> Settled:
    """The next try of a message that the store could not take, or its end after the last rung."""
    climbed = sent.outgoing.failures + 1
    if climbed > len(LADDER):
        return _state(sent, JobState.FAILED, Reason.TECH_FAILED, failures=climbed)
    wait = LADDER[climbed - 1]
    asked = sent.answer.retry_after if sent.answer else None
    if asked:
        wait = max(wait, datetime.timedelta(seconds=asked))
    return _state(sent, JobState.WAITING, Reason.TECH_RETRY, due_in=wait, failures=climbed)


def _without_sending(sent: Sent) -> Settled:
    if sent.replaced == sent.outgoing.composition_id:
        return _state(sent, JobState.ACCEPTED)
    out = sent.outgoing
    if out.would_note_anothers:
        return _state(sent, JobState.CANCELLED, Reason.STORE_OTHERS)
    reason = Reason.STORE_SAME if sent.holds_it else Reason.STORE_NOTHING
    return _state(sent, JobState.CANCELLED, reason)


def _unknown(sent: Sent) -> Settled:
    if not sent.began:
        # Only the question was lost: the message never left.
        return next_rung(sent)
    # Counted as a failure now: if it turns out to be lost, it climbs the ladder as others do.
    climbed = sent.outgoing.failures + 1
    return _state(sent, JobState.IN_DOUBT, Reason.TECH_DOUBT, due_in=DOUBT_WAIT, failures=climbed)


def _refused(sent: Sent) -> Settled:
    assert sent.answer is not None
    differs = sent.answer.kind is AnswerKind.CONSENT_DIFFERS
    if sent.outgoing.kind is Kind.WITHDRAWAL and differs and sent.outgoing.known.is_nothing:
        return _state(sent, JobState.CANCELLED, Reason.STORE_AGREES)
    if sent.outgoing.kind is Kind.WITHDRAWAL:
        return _state(sent, JobState.FAILED, Reason.TECH_WITHDRAWAL)
    if differs:
        return _state(sent, JobState.HELD, Reason.CONSENT_DIFFERS)
    if sent.answer.kind is AnswerKind.TOO_LARGE:
        return _state(sent, JobState.FAILED, Reason.TECH_TOO_LARGE)
    if sent.answer.kind is AnswerKind.UNSUPPORTED:
        return _state(sent, JobState.FAILED, Reason.TECH_UNSUPPORTED)
    if sent.answer.kind is AnswerKind.NOT_WRITTEN:
        return _state(sent, JobState.FAILED, Reason.TECH_UNWRITTEN)
    return _state(sent, JobState.FAILED, Reason.TECH_REFUSED)


def _state(
    sent: Sent,
    state: JobState,
    *reasons: Reason,
    due_in: datetime.timedelta | None = None,
    failures: int | None = None,
) -> Settled:
    return Settled(
        sent.outgoing.job_id,
        sent.outgoing.attempt,
        sent.outgoing.patient_id,
        state,
        reasons,
        due_at=None if due_in is None else sent.answered_at + due_in,
        failures=sent.outgoing.failures if failures is None else failures,
    )
