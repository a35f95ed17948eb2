"""What a dead or frozen worker left behind, brought to its end without a person.

A job whose lease is over was either not begun (no intent: it waits again) or may have arrived
(intent: in doubt). A job in doubt is never sent again before the store was asked what it holds
(performance notes 4.2; API definition: a 504 does not mean that the request failed). A store that was told No
meanwhile does not say any more: the doubt ends as any message does that meets a No, in front of people.
Where it refuses the question itself, the doubt stays, and people are shown why.
"""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db import connection, transaction

from carerecords import database_clock
from carerecords.models import JobState
from spine.gate import Kind, Scope
from spine.permission import mismatches
from spine.reasons import Reason
from spine.sending import proof
from spine.sending.answers import Answer, AnswerKind
from spine.sending.outcomes import DOUBT_WAIT, LADDER
from spine.sending.outgoing import KnownCopy, Outgoing, Sent
from spine.sending.settling import Settled, settle
from spine.sending.slots import Slots
from spine.sending.store import Found, Store

BATCH = 200
# At the store's rate, questions are asked for so long at once: sends want their slots too.
QUESTION_SECONDS = 1.0

# Leases begin and end by the database's clock: a worker whose own is fast takes nothing from others.
_EXPIRED = """
SELECT job.id, job.attempt, job.patient_id, job.failures,
       EXISTS (SELECT 1 FROM spine_uploadattempt AS intent
               WHERE intent.job_id = job.id AND intent.attempt = job.attempt)
FROM carerecords_uploadjob AS job
WHERE job.state = 'SENDING' AND job.lease_until < clock_timestamp()
ORDER BY job.lease_until LIMIT %s FOR UPDATE OF job SKIP LOCKED
"""

# Taking a job in doubt puts it off, so that two workers do not ask after the same.
_IN_DOUBT = """
WITH due AS (
    SELECT id FROM carerecords_uploadjob WHERE state = 'IN_DOUBT' AND due_at <= %(now)s
    ORDER BY due_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
UPDATE carerecords_uploadjob AS job SET due_at = %(put_off)s
FROM due, carerecords_patient AS patient, spine_uploadattempt AS intent
WHERE job.id = due.id AND patient.id = job.patient_id
  AND intent.job_id = job.id AND intent.attempt = job.attempt
RETURNING job.id, job.attempt, job.patient_id, job.failures, job.kind, patient.nhs_number,
          intent.composition_id, intent.request_id, intent.content_hash, intent.scope, intent.authored_at, intent.at,
          job.reasons
"""

_PUT_BACK = """
UPDATE carerecords_uploadjob SET due_at = %(now)s
WHERE id = ANY(%(jobs)s) AND state = 'IN_DOUBT' AND due_at = %(put_off)s
"""


@dataclass(frozen=True)
class InDoubt:
    """A message whose answer was lost, when its sending was intended, and whether people are shown that the
    store refuses to tell of it."""

    outgoing: Outgoing
    intended_at: datetime.datetime
    is_shown: bool


def release_expired(*, limit: int = BATCH) -> int:
    """Takes back jobs whose worker did not finish them in time; returns how many."""
    at = database_clock.now()
    with transaction.atomic(), connection.cursor() as cursor:
        # Patients before jobs is the order of every other writer, so only look without waiting here.
        cursor.execute(_EXPIRED, [limit])
        expired = [_after_expiry(*row, at=at) for row in cursor.fetchall()]
    return len(settle(expired, at=at))


def _after_expiry(
    job_id: int, attempt: int, patient_id: int, failures: int, begun: bool, *, at: datetime.datetime
) -> Settled:
    state = JobState.IN_DOUBT if begun else JobState.WAITING
    reasons = (Reason.TECH_DOUBT,) if begun else ()
    return Settled(job_id, attempt, patient_id, state, reasons, due_at=at, failures=failures)


def resolve_doubt(store: Store, *, limit: int = BATCH) -> int:
    """Asks the store after messages in doubt; returns how many were brought to an end."""
    if not store.rate.is_open():
        return 0
    # Each is judged by how old it was before any question left: one may hang long after others were answered,
    # and a message that was not there then may have arrived since.
    asked_at = database_clock.now()
    asked, slots = _take_in_slots(store, asked_at, limit)
    if not asked:
        return 0
    found = store.read([one.outgoing.nhs_number for one in asked], slots)
    store.rate.heed(one for one in found if isinstance(one, Answer))
    answers = list(zip(asked, found, strict=True))
    _put_back([one for one, held in answers if held == Answer(AnswerKind.NOT_SENT)], asked_at)
    return _judge(answers, asked_at)


def _take_in_slots(store: Store, at: datetime.datetime, limit: int) -> tuple[list[InDoubt], Slots]:
    """What is in doubt and due, and a slot of the rate for each; where there are no slots nothing is put off."""
    with transaction.atomic():
        asked = _take_in_doubt(at, int(min(limit, store.rate.within(QUESTION_SECONDS))))
        slots = store.rate.reserve(len(asked))
        if slots is None:
            transaction.set_rollback(True)
            return [], Slots.none()
    return asked, slots


def _judge(answers: Sequence[tuple[InDoubt, Found]], asked_at: datetime.datetime) -> int:
    """Writes what the answers say of messages that were asked after from `asked_at` on; returns how many ended."""
    now = database_clock.now()
    known = [
        (one, (held.composition_id or "").lower(), held.permission or "")
        for one, held in answers
        if not isinstance(held, Answer)
    ]
    refused = [(one, held) for one, held in answers if isinstance(held, Answer) and _says_no(held)]
    with transaction.atomic():
        arrived = [_found(one, told, now) for one, held, told in known if held == one.outgoing.composition_id]
        lost = [
            (one, held)
            for one, held, _ in known
            if held != one.outgoing.composition_id and _settled_by(one, asked_at)
        ]
        not_told = [_not_told(one, held, now) for one, held in refused if _settled_by(one, asked_at)]
        ended = settle(
            [
                *map(_accepted, arrived),
                *(_again(one, now) for one, _ in lost),
                *map(_stopped_by_no, not_told),
            ],
            at=now,
        )
        # Whoever was asked after twice is noted once.
        arrived, not_told, gone = (
            [one for one in each if one.outgoing.job_id in ended]
            for each in (arrived, not_told, [_not_there(one, held, now) for one, held in lost])
        )
        proof.write_receipts([*arrived, *not_told, *gone])
        proof.note_copies(arrived)
        proof.note_not_told(not_told)
        removals = [one for one in arrived if one.outgoing.kind is Kind.WITHDRAWAL]
        mismatches.review([one.outgoing.patient_id for one in [*removals, *not_told]], at=now)
    _show_untold(
        [
            Sent(one.outgoing, held, now, asked_after=True)
            for one, held in answers
            if isinstance(held, Answer) and _refuses(held) and not one.is_shown and _settled_by(one, asked_at)
        ],
        now,
    )
    return len(ended)


def _show_untold(asked: list[Sent], at: datetime.datetime) -> None:
    """Gives what stays in doubt its reason, with the answer as proof: once, however often it is asked after."""
    with transaction.atomic():
        shown = settle([_untold(one, at) for one in asked], at=at)
        proof.write_receipts([one for one in asked if one.outgoing.job_id in shown])


def _untold(sent: Sent, at: datetime.datetime) -> Settled:
    out, due_at = sent.outgoing, at + _put_off()
    return Settled(
        out.job_id,
        out.attempt,
        out.patient_id,
        JobState.IN_DOUBT,
        (Reason.TECH_UNTOLD,),
        due_at,
        out.failures,
    )


def _put_off() -> datetime.timedelta:
    """After which time a question is asked again: nobody waits for its answer any more."""
    return datetime.timedelta(seconds=settings.SPINE_READ_TIMEOUT_SECONDS) + DOUBT_WAIT


def _take_in_doubt(at: datetime.datetime, limit: int) -> list[InDoubt]:
    with connection.cursor() as cursor:
        cursor.execute(_IN_DOUBT, {"now": at, "limit": limit, "put_off": at + _put_off()})
        return [_in_doubt(row) for row in cursor.fetchall()]


def _put_back(unasked: Sequence[InDoubt], at: datetime.datetime) -> None:
    """Makes due again what was put off at that moment to be asked after, and for which no slot was left."""
    ids = [one.outgoing.job_id for one in unasked]
    if ids:
        with connection.cursor() as cursor:
            cursor.execute(_PUT_BACK, {"jobs": ids, "now": at, "put_off": at + _put_off()})


def _in_doubt(row: Sequence) -> InDoubt:
    job_id, attempt, patient_id, failures, kind, number, composition, request, content, *rest = row
    scope, authored_at, intended_at, reasons = rest
    outgoing = Outgoing(
        job_id=job_id,
        attempt=attempt,
        patient_id=patient_id,
        failures=failures,
        kind=Kind(kind),
        scope=Scope(scope),
        nhs_number=number,
        composition_id=str(composition),
        request_id=str(request),
        content_hash=content,
        authored_at=authored_at,
        session_urid="",
        known=KnownCopy(),
        build=_never,
    )
    return InDoubt(outgoing, intended_at, is_shown=Reason.TECH_UNTOLD.code in reasons)


def _never(_: str | None) -> bytes:
    raise RuntimeError("A message in doubt is asked after, not built again.")


def _settled_by(one: InDoubt, asked_at: datetime.datetime) -> bool:
    """Whether a message that was not at the store when it was asked after can no longer be on its way there.

    The service ends a call after 60 s, and we wait a little longer than that for its answer.
    """
    return asked_at - one.intended_at > datetime.timedelta(seconds=settings.SPINE_READ_TIMEOUT_SECONDS + 5)


def _says_no(answer: Answer) -> bool:
    return answer.kind is AnswerKind.CONSENT_DIFFERS


def _refuses(answer: Answer) -> bool:
    """Whether the question was refused for what it is, so that asking again gets the same answer: any 4xx but
    those that ask to come again (408, 429), and the store's No."""
    asked_to_come_again = answer.status in (408, 429)
    return 400 <= (answer.status or 0) < 500 and not asked_to_come_again and not _says_no(answer)


def _found(one: InDoubt, permission: str, at: datetime.datetime) -> Sent:
    own = one.outgoing.composition_id
    return Sent(one.outgoing, None, at, holds_it=True, permission=permission, replaced=own, asked_after=True)


def _not_there(one: InDoubt, held: str, at: datetime.datetime) -> Sent:
    return Sent(one.outgoing, None, at, holds_it=bool(held), asked_after=True)


def _not_told(one: InDoubt, answer: Answer, at: datetime.datetime) -> Sent:
    return Sent(one.outgoing, answer, at, permission="No", asked_after=True)


def _stopped_by_no(sent: Sent) -> Settled:
    """As a message that is refused for it: an upload is held until both agree, a removal is shown as failed.

    A removal is only sent where something is there to remove, so it never ends as agreed.
    """
    out = sent.outgoing
    removal = out.kind is Kind.WITHDRAWAL
    state, reason = (
        (JobState.FAILED, Reason.TECH_WITHDRAWAL) if removal else (JobState.HELD, Reason.CONSENT_DIFFERS)
    )
    return Settled(out.job_id, out.attempt, out.patient_id, state, (reason,), failures=out.failures)


def _accepted(sent: Sent) -> Settled:
    out = sent.outgoing
    return Settled(out.job_id, out.attempt, out.patient_id, JobState.ACCEPTED, failures=out.failures)


def _again(one: InDoubt, at: datetime.datetime) -> Settled:
    """Not arrived: the job waits again, and the gate is asked again before anything leaves.

    As long as for any other failure (the API's definition has one ladder for 429, 500, 503 and 504),
    but not at all where no answer was bad and only the worker died.
    """
    out = one.outgoing
    state, reasons, due_at = _turn(out.failures, at)
    return Settled(out.job_id, out.attempt, out.patient_id, state, reasons, due_at, out.failures)


def _turn(
    failures: int, at: datetime.datetime
) -> tuple[JobState, tuple[Reason, ...], datetime.datetime | None]:
    """The state of a job that failed so often, its reasons, and when its turn comes again."""
    if failures > len(LADDER):
        return JobState.FAILED, (Reason.TECH_FAILED,), None
    if failures:
        return JobState.WAITING, (Reason.TECH_RETRY,), at + LADDER[failures - 1]
    return JobState.WAITING, (), at
