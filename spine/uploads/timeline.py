"""Everything that became of one upload as lines to read, newest first. Pure."""

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from carerecords.formats import nhs_time
from carerecords.models import JobState, UploadJob
from spine.gate import Outcome, Scope
from spine.models import GateDecision, Receipt, UploadAttempt, UploadStep
from spine.reasons import Reason
from spine.uploads.answer_words import answer_sentences
from spine.uploads.queries import UploadRecord

_OUTCOMES = {
    Outcome.SEND: "Checked: allowed to go",
    Outcome.HOLD: "Checked: held",
    Outcome.CANCEL: "Checked: will not be sent",
}
_CHECKS = {Outcome.SEND: "Allowed", Outcome.HOLD: "Held", Outcome.CANCEL: "Will not be sent"}
_SCOPES = {
    Scope.CORE: "Medication, allergies and adverse reactions.",
    Scope.CORE_ADDITIONAL: "Medication, allergies, adverse reactions and additional information.",
    Scope.BLANK: "A blank record that says the summary was withdrawn.",
    Scope.AS_HELD: "What the Spine holds, with a notice that it is not kept up to date.",
}
# What the store answered, or why there is no answer (`spine.sending.answers.AnswerKind`, `spine.sending.proof`).
_RECEIPTS = {
    "ACCEPTED": "The Spine accepted it",
    "DUPLICATE": "The Spine has it already",
    "CONSENT_DIFFERS": "The Spine refused it: it holds a different decision",
    "REFUSED": "The Spine refused it",
    "TOO_LARGE": "The Spine refused it: too large",
    "UNSUPPORTED": "The Spine could not read what was sent",
    "RATE_LIMITED": "The Spine asked to wait",
    "TRANSIENT": "The Spine could not take it",
    "UNKNOWN": "The Spine gave no clear answer",
    "UNREACHABLE": "The Spine could not be reached",
    "NOT_SENT": "Not sent after all",
    "NOT_WRITTEN": "Nothing was sent: the message could not be written",
    "UNAUTHORISED": "The Spine did not let us in",
    "FOUND": "The Spine was asked, and has it",
    "NOT_THERE": "The Spine was asked, and does not have it",
    "NOT_TOLD": "The Spine was asked, and does not say: it holds a different decision",
    "ASKED_IN_VAIN": "The Spine was asked, and refused the question",
    "OTHERS": "Nothing to send: what the Spine holds did not come from here",
    "UNCHANGED": "Nothing to send: the Spine holds exactly this",
    "NOTHING_THERE": "Nothing to remove: the Spine holds no record",
}
_EVIDENCE = {
    "consent_event": "consent event",
    "stance": "practice answer",
    "gp_stance": "GP answer",
    "positions": "policy revision",
    "dispensations": "dispensation",
    "consent_model": "consent model",
    "stop": "emergency stop",
}


@dataclass(frozen=True)
class Line:
    """One thing that happened. `evidence` names the rows that a decision rested on."""

    at: datetime.datetime
    title: str
    who: str = ""
    sentences: list[str] = field(default_factory=list)
    evidence: str = ""


def timeline(record: UploadRecord) -> list[Line]:
    """Decisions, sends and answers in one order; at the same moment in the order they depend."""
    lines = [
        _asked(record.job),
        *map(_decision, record.decisions),
        *(_attempt(row, left=row.attempt in record.left) for row in record.attempts),
        *map(_receipt, record.receipts),
        *map(_step, record.steps),
    ]
    return sorted(lines, key=lambda line: line.at)[::-1]


def receipt_words(kind: str) -> str:
    """What a stored answer means; a code we do not know is shown as it is."""
    return _RECEIPTS.get(kind, kind)


def headline(job: UploadJob) -> str:
    """The first reason why it has not gone, or nothing."""
    if not job.reasons:
        return ""
    if job.reasons[0] == Reason.CONSENT_WAITING.code and job.due_at:
        return f"Waiting until {nhs_time(job.due_at)} so this decision can be undone."
    return job.headline or _sentence(job.reasons[0])


def _asked(job: UploadJob) -> Line:
    who = job.requested_by.short_name if job.requested_by else ""
    return Line(job.requested_at, f"{job.get_kind_display()} asked for", who, [f"{job.get_cause_display()}."])


def _decision(row: GateDecision) -> Line:
    outcome = Outcome(row.outcome)
    said = [_sentence(code) for code in row.reasons]
    if outcome is Outcome.SEND and row.scope:
        said = [_SCOPES[Scope(row.scope)]]
    said.append(f"Version {row.engine} of the rules.")
    return Line(row.at, _OUTCOMES[outcome], "", said, evidence_words(row.evidence))


def check_words(outcome: str | None) -> str:
    """What the gate last said of an upload, in a word or two."""
    return _CHECKS[Outcome(outcome)] if outcome else "Not yet"


def _sentence(code: str) -> str:
    try:
        return Reason.of(code).sentence
    except KeyError:
        return code


def evidence_words(evidence: Mapping[str, Any]) -> str:
    """The rows that a decision rested on, by their numbers; empty where it rested on none."""
    return ", ".join(_named(evidence))


def _named(evidence: Mapping[str, Any]) -> Iterator[str]:
    for key, words in _EVIDENCE.items():
        ids = evidence.get(key)
        for one in ids if isinstance(ids, list) else [ids]:
            if one is not None:
                yield f"{words} {one}"


def _attempt(row: UploadAttempt, *, left: bool) -> Line:
    said = [f"Message {row.composition_id}.", f"Request {row.request_id}."]
    return Line(row.at, "Sent to the Spine" if left else "Made ready, and not sent", "", said)


def _step(row: UploadStep) -> Line:
    stood = [f"It was: {JobState(row.state).label}.", *map(_sentence, row.reasons)]
    return Line(row.made_at, row.get_kind_display(), row.made_by.short_name, stood)


def _receipt(row: Receipt) -> Line:
    said = [f"Receipt {row.composition_id}."] if row.composition_id else []
    said += answer_sentences(row.http_status, row.detail)
    if row.replaced_id:
        said.append(f"The Spine held {row.replaced_id}.")
    if row.body_sha256:
        said.append(f"SHA-256 of what was sent: {row.body_sha256}.")
    return Line(row.at, receipt_words(row.kind), "", said)
