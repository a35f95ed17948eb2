"""Writing the proof: decisions and intents before a send, receipts and the known copy after it."""

import datetime
import json
from collections.abc import Mapping, Sequence
from functools import lru_cache

from django.db import connection

from carerecords import upload_queue
from carerecords.many_rows import Value, copy_rows, texts
from spine.facts import Loaded
from spine.gate import ENGINE, Decision, Kind, Outcome, Scope
from spine.models import GateDecision, Receipt, UploadAttempt
from spine.sending.answers import AnswerKind
from spine.sending.claims import Claimed
from spine.sending.outgoing import BLANK_HASH, Outgoing, Sent

ACCEPTED = {AnswerKind.ACCEPTED, AnswerKind.DUPLICATE}


def write_decisions(
    decided: Sequence[tuple[Claimed, Decision, Loaded]],
    *,
    clocks: Mapping[int, int],
    at: datetime.datetime,
) -> None:
    """One row for each decision whose answer is new: a held job asked again to no effect adds none."""
    # Patients who are alike share the decision and all but their own event: in words once, not once a job.
    said: dict[tuple[int, int, int], tuple[str, str, str, str]] = {}
    rows, moment = [], str(at)
    for job, decision, loaded in decided:
        if _same_as_before(job, decision):
            continue
        clock = clocks[job.practice_id]
        key = (id(decision), id(loaded.shared), clock)
        words = said.get(key) or said.setdefault(key, _in_words(decision, loaded, clock))
        outcome, scope, reasons, shared = words
        evidence = f'{{"consent_event": {loaded.consent_event or "null"}, {shared}'
        rows.append((job.job_id, job.attempt, moment, outcome, scope, reasons, evidence, ENGINE))
    copy_rows(
        GateDecision._meta.db_table,
        ("job_id", "attempt", "at", "outcome", "scope", "reasons", "evidence", "engine"),
        rows,
    )


def _in_words(decision: Decision, loaded: Loaded, clock: int) -> tuple[str, str, str, str]:
    """Outcome, scope, reasons, and the end of the evidence from the second key on, as JSON."""
    return (
        decision.outcome.value,
        decision.scope.value if decision.scope else "",
        texts(reason.code for reason in decision.reasons),
        json.dumps({**loaded.shared, "clock": clock}).removeprefix("{"),
    )


def _same_as_before(job: Claimed, decision: Decision) -> bool:
    if job.attempt == 1 or decision.outcome is not Outcome.HOLD:
        return False
    return tuple(reason.code for reason in decision.reasons) == job.reasons


def write_intents(going: Sequence[Outgoing], *, at: datetime.datetime) -> None:
    """The intent to send, with its keys; committed by the caller before the first byte leaves."""
    moment = lru_cache(maxsize=8)(str)
    copy_rows(
        UploadAttempt._meta.db_table,
        (
            *("job_id", "attempt", "at", "request_id", "composition_id"),
            *("content_hash", "authored_at", "scope"),
        ),
        [
            (
                *(one.job_id, one.attempt, moment(at), one.request_id, one.composition_id),
                *(one.content_hash, moment(one.authored_at), str(one.scope)),
            )
            for one in going
        ],
    )


def write_receipts(sent: Sequence[Sent]) -> None:
    """One row for each attempt, whatever came of it."""
    copy_rows(
        Receipt._meta.db_table,
        (
            *("job_id", "attempt", "at", "kind", "http_status"),
            *("detail", "composition_id", "replaced_id", "body_sha256"),
        ),
        map(_receipt, sent),
    )


def _receipt(one: Sent) -> tuple[Value, ...]:
    out, answer = one.outgoing, one.answer
    return (
        out.job_id,
        out.attempt,
        one.answered_at,
        _kind(one),
        answer.status if answer else None,
        answer.detail if answer else "",
        out.composition_id if holds_ours(one) else None,
        one.replaced,
        one.body_sha256,
    )


def holds_ours(one: Sent) -> bool:
    """Whether the store now holds this very message."""
    if one.answer is None:
        return one.replaced == one.outgoing.composition_id
    return one.answer.kind in ACCEPTED


def _kind(one: Sent) -> str:
    """What a receipt says: the answer, or what the store was found to hold."""
    if one.asked_after:
        if one.answer:
            return "NOT_TOLD" if _refused_permission(one) else "ASKED_IN_VAIN"
        return "FOUND" if holds_ours(one) else "NOT_THERE"
    if one.answer:
        return str(one.answer.kind)
    if holds_ours(one):
        return "FOUND"
    if one.outgoing.would_note_anothers:
        return "OTHERS"
    return "UNCHANGED" if one.holds_it else "NOTHING_THERE"


_NOTE_COPY = """
INSERT INTO spine_storecopy AS copy
    (patient_id, composition_id, content_hash, scope, is_blank, permission, accepted_at, read_at)
SELECT patient_id, composition_id, content_hash, scope, is_blank, permission,
       CASE WHEN is_ours THEN read_at END, read_at
FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::bool[], %s::text[], %s::bool[], %s::timestamptz[])
     AS new (patient_id, composition_id, content_hash, scope, is_blank, permission, is_ours, read_at)
ON CONFLICT (patient_id) DO UPDATE SET
    composition_id = CASE WHEN excluded.accepted_at IS NULL THEN copy.composition_id ELSE excluded.composition_id END,
    content_hash = CASE WHEN excluded.accepted_at IS NULL THEN copy.content_hash ELSE excluded.content_hash END,
    scope = CASE WHEN excluded.accepted_at IS NULL OR excluded.scope = 'AS_HELD' THEN copy.scope
                 ELSE excluded.scope END,
    is_blank = CASE WHEN excluded.accepted_at IS NULL THEN copy.is_blank ELSE excluded.is_blank END,
    permission = excluded.permission,
    accepted_at = CASE WHEN excluded.scope = 'AS_HELD' THEN copy.accepted_at
                       ELSE coalesce(excluded.accepted_at, copy.accepted_at) END,
    read_at = excluded.read_at
"""


# Where nobody keeps a note there is nothing to correct.
_NOTE_NOTHING_THERE = """
UPDATE spine_storecopy AS copy
SET composition_id = '', content_hash = %s, scope = %s, is_blank = true, permission = new.permission,
    read_at = new.read_at
FROM unnest(%s::bigint[], %s::text[], %s::timestamptz[]) AS new (patient_id, permission, read_at)
WHERE copy.patient_id = new.patient_id
"""

# A copy that was blank, or of which only the permission was noted, may be another now; and of one with content
# nothing new is known.
_NOTE_NOT_TOLD = """
INSERT INTO spine_storecopy AS copy
    (patient_id, composition_id, content_hash, scope, is_blank, permission, read_at)
SELECT patient_id, composition_id, '', '', false, 'No', read_at
FROM unnest(%s::bigint[], %s::text[], %s::timestamptz[]) AS new (patient_id, composition_id, read_at)
ON CONFLICT (patient_id) DO UPDATE SET
    composition_id = CASE WHEN copy.is_blank OR copy.composition_id = '' THEN excluded.composition_id
                          ELSE copy.composition_id END,
    content_hash = CASE WHEN copy.is_blank THEN '' ELSE copy.content_hash END,
    scope = CASE WHEN copy.is_blank THEN '' ELSE copy.scope END,
    is_blank = false, permission = excluded.permission, read_at = excluded.read_at
"""


def note_copies(sent: Sequence[Sent]) -> None:
    """Keeps what is known of the store's copies, after answers that said something about them.

    A notice leaves a copy as old as it is, and with as much in it.
    """
    _note(_NOTE_COPY, [_copy_row(one) for one in sent if holds_ours(one) or _refused_permission(one)])
    gone = [one for one in sent if _found_nothing_to_remove(one)]
    _note(
        _NOTE_NOTHING_THERE,
        [(one.outgoing.patient_id, one.permission, one.answered_at) for one in gone],
        BLANK_HASH,
        Scope.BLANK,
    )


def note_not_told(sent: Sequence[Sent]) -> None:
    """Keeps that a copy may be there: whether an upload arrived, a store that says No does not tell any more.

    With the copy, for what the Spine is told and people are shown; and with the job, for whoever ends the consent.
    """
    uploads = [one for one in sent if one.outgoing.kind is Kind.UPLOAD]
    if uploads:
        upload_queue.note_may_have_arrived([one.outgoing.job_id for one in uploads])
    rows = [(one.outgoing.patient_id, one.outgoing.composition_id, one.answered_at) for one in uploads]
    _note(_NOTE_NOT_TOLD, rows)


def _note(statement: str, rows: Sequence[tuple[object, ...]], *first: str) -> None:
    if rows:
        with connection.cursor() as cursor:
            cursor.execute(statement, [*first, *(texts(column) for column in zip(*rows, strict=True))])


def _found_nothing_to_remove(one: Sent) -> bool:
    return (
        one.outgoing.kind is Kind.WITHDRAWAL
        and one.answer is None
        and not one.holds_it
        and not one.asked_after
    )


def _copy_row(one: Sent) -> tuple[object, ...]:
    """The values of `_NOTE_COPY`, in its order; what is not `is_ours` leaves the copy as noted."""
    key = (one.outgoing.patient_id,)
    if not holds_ours(one):
        return (*key, "", "", "", False, "No", False, one.answered_at)
    out = one.outgoing
    blank = out.scope is Scope.BLANK
    copy = (out.composition_id, out.content_hash, out.scope, blank)
    return (*key, *copy, one.permission, True, one.answered_at)


def _refused_permission(one: Sent) -> bool:
    return one.answer is not None and one.answer.kind is AnswerKind.CONSENT_DIFFERS
