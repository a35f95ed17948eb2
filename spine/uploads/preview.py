"""What an upload of one patient would contain now, what is held back from it, and why.

The message is built by the code that builds what is sent, for the same job, so the page shows the
very bytes that would go; nothing here sends anything.
"""

import datetime
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import Enum

from boycott.positions import DataScope, Stance
from carerecords.models import JobKind, Patient, UploadJob
from carerecords.models.upload_job import BUSY_STATES, OPEN_STATES
from carerecords.summary_codes import EntryKind
from spine.gate import Decision, Facts, Kind, Outcome, Scope, StorePermission, decide
from spine.messages import Entry, select
from spine.reasons import Reason
from spine.sending.claims import Claimed
from spine.sending.contents import entries_of, load_outgoing
from spine.sending.outgoing import Outgoing
from spine.uploads.bundle_reading import Message, read_message
from spine.uploads.explain import SCOPE_WORDS, Explanation, explain

# Keys of a message that no job asks for; the page never shows them.
NO_JOB = uuid.UUID(int=0)


class Standing(Enum):
    """What the message on the page has to do with what happens: the page's headline."""

    GOES = "This is what will be sent"
    UNCHANGED = "Nothing will be sent: the Spine holds exactly this"
    HELD = "Nothing is sent now. This would be, once nothing holds it"
    NO_CONSENT = "Nothing will be sent. This would be, if the patient consented to core information"
    REMOVAL = "A blank record will be sent, which takes the summary back"
    OVER = "Nothing will be sent"
    UNSIGNED = "No message can be written"


@dataclass(frozen=True)
class HeldBack:
    """Entries of the record that the message leaves out, for one reason."""

    heading: str
    why: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class Preview:
    """The whole of it. Without a message: `OVER` or `UNSIGNED`."""

    standing: Standing
    explanation: Explanation
    scope: Scope | None
    message: Message | None
    size: int
    body: bytes
    held_back: list[HeldBack]

    @property
    def scope_words(self) -> str:
        return SCOPE_WORDS[self.scope] if self.scope else ""


def preview(patient: Patient, at: datetime.datetime) -> Preview:
    """Builds the message as it would be sent at a moment. Some fifteen queries, whatever is recorded."""
    told = explain(patient, at)
    standing, scope = _what_goes(told)
    if scope is None:
        return Preview(standing, told, None, None, 0, b"", [])
    outgoing = _built(patient, told, scope, at)
    if outgoing is None:
        return Preview(Standing.UNSIGNED, told, scope, None, 0, b"", [])
    body = outgoing.build(outgoing.known.composition_id or None)
    if standing in {Standing.GOES, Standing.HELD} and outgoing.content_hash == outgoing.known.content_hash:
        standing = Standing.UNCHANGED
    held_back = [] if scope is Scope.BLANK else _held_back(entries_of(patient), scope, outgoing.authored_at)
    return Preview(standing, told, scope, read_message(body), len(body), body, held_back)


def _what_goes(told: Explanation) -> tuple[Standing, Scope | None]:
    """Which message the page shows, and what it has to do with what happens."""
    job, decision = told.job, told.decision
    if job and job.kind == JobKind.WITHDRAWAL and job.state in {*OPEN_STATES, *BUSY_STATES}:
        return Standing.REMOVAL, Scope.BLANK
    if decision.outcome is Outcome.SEND:
        return Standing.GOES, decision.scope
    facts = told.loaded.facts
    if facts.died or facts.left:
        return Standing.OVER, None
    freed = _without_holds(facts)
    if freed.outcome is Outcome.SEND:
        waiting = decision.reasons == (Reason.CONSENT_WAITING,)
        return (Standing.GOES if waiting else Standing.HELD), freed.scope
    return Standing.NO_CONSENT, Scope.CORE


def _without_holds(facts: Facts) -> Decision:
    """The gate's answer if nobody but the patient had a say; what policy asks of additional
    information still counts, since it changes what goes."""
    freed = replace(
        facts,
        complete=True,
        consent_is_current=True,
        undo_window_open=False,
        store_permission=StorePermission.ALLOWED,
        positions=frozenset(one for one in facts.positions if one[1] is not DataScope.ALL),
        stance=Stance.FOLLOW if facts.stance is Stance.HOLD else facts.stance,
        gp_holds=False,
        rollout_open=True,
        identity_verified=True,
        sensitive=False,
        stopped=False,
    )
    return decide(freed)


def _built(patient: Patient, told: Explanation, scope: Scope, at: datetime.datetime) -> Outgoing | None:
    """The message of the patient's open job, or of one that might be asked for; None: nobody signs."""
    kind = Kind.WITHDRAWAL if scope is Scope.BLANK else Kind.UPLOAD
    claimed = _claimed(patient, told.job, kind, at)
    sends = Decision(Outcome.SEND, scope, ())
    built, _ = load_outgoing([(claimed, sends, told.loaded)], at=at)
    return built[0] if built else None


def _claimed(patient: Patient, job: UploadJob | None, kind: Kind, at: datetime.datetime) -> Claimed:
    """What a worker would have in hands if it took the job now."""
    is_its = job is not None and job.kind == kind and job.state in {*OPEN_STATES, *BUSY_STATES}
    return Claimed(
        job_id=job.pk if job and is_its else 0,
        attempt=job.attempt + 1 if job and is_its else 1,
        patient_id=patient.pk,
        practice_id=patient.practice_id,
        kind=kind,
        failures=0,
        reasons=(),
        requested_at=at,
        public_id=str(job.public_id if job and is_its else NO_JOB),
    )


def _held_back(entries: Iterable[Entry], scope: Scope, at: datetime.datetime) -> list[HeldBack]:
    chosen = select(entries, scope=scope, on=at.date())
    return [
        HeldBack(
            "Held back automatically: sensitive",
            "Marked as sensitive in the record. The summary says only that entries were withheld.",
            chosen.withheld_as_sensitive,
        ),
        HeldBack(
            "Only with consent to additional information",
            "The patient has consented to core information, or policy holds the rest back."
            if scope is Scope.CORE
            else "",
            chosen.only_with_additional,
        ),
        HeldBack("Too old to be sent", _windows(), chosen.outside_window),
    ]


def _windows() -> str:
    """The windows in force, printed since GP systems differ in them."""
    acute, stopped = EntryKind.ACUTE_MEDICATION, EntryKind.STOPPED_REPEAT_MEDICATION
    return (
        f"Acute medication goes for {acute.window_days} days after its issue, a repeat that was stopped "
        f"for {stopped.window_days} days after its end."
    )
