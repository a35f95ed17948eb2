"""What a letter to a patient says. Pure: facts in, headings and paragraphs out.

For a reading age of 9 to 11, in the manner of the NHS service manual's guidance on health literacy:
short sentences, everyday words, "we" and "you", and "surgery" where staff say practice. A test
measures every letter that can be written.
"""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from carerecords.formats import nhs_date
from consent.codes import ConsentState, Source
from spine.gate import Scope
from spine.reasons import Reason


class Reader(StrEnum):
    """To whom the letter speaks."""

    PATIENT = "PATIENT"
    PARENT = "PARENT"


@dataclass(frozen=True)
class LetterFacts:
    """All that a letter draws on. `address` is empty for a sensitive record."""

    title: str
    given_name: str
    family_name: str
    address: tuple[str, ...]
    surgery: str
    surgery_address: tuple[str, ...]
    written_on: datetime.date
    reader: Reader
    state: ConsentState
    decided_on: datetime.date | None
    source: Source | None
    decided_by: str
    reasons: tuple[Reason, ...]
    goes: bool
    scope_at_store: Scope | None
    sent_on: datetime.date | None


@dataclass(frozen=True)
class Part:
    """One heading with its paragraphs and, where there are any, points."""

    heading: str
    paragraphs: tuple[str, ...]
    points: tuple[str, ...] = ()


@dataclass(frozen=True)
class Letter:
    """A letter ready to be drawn, on a page or as PDF."""

    to: tuple[str, ...]
    sender: tuple[str, ...]
    date: str
    greeting: str
    heading: str
    parts: tuple[Part, ...]
    ending: tuple[str, ...] = field(default=())


def letter_of(facts: LetterFacts) -> Letter:
    """The letter for one patient."""
    return Letter(
        to=(_name_line(facts), *facts.address),
        sender=(facts.surgery, *facts.surgery_address),
        date=nhs_date(facts.written_on),
        greeting=_greeting(facts),
        heading=f"{_whose(facts)} Summary Care Record",
        parts=tuple(_parts(facts)),
        ending=("Yours sincerely", facts.surgery),
    )


def _parts(facts: LetterFacts) -> Iterator[Part]:
    you = _You(facts)
    yield Part("What it is", (you.what_it_is,))
    yield Part(you.decision_heading, you.decision())
    yield Part("What we send", you.what_we_send(), you.what_goes())
    if why := you.why_not():
        yield Part("Why nothing new is sent now", why)
    yield Part("How to change your mind", you.change())


def _name_line(facts: LetterFacts) -> str:
    name = " ".join(part for part in (facts.title, facts.given_name, facts.family_name) if part)
    return f"To the parent or carer of {name}" if facts.reader is Reader.PARENT else name


def _greeting(facts: LetterFacts) -> str:
    if facts.reader is Reader.PARENT:
        return "Dear parent or carer"
    named = facts.title or facts.given_name
    return f"Dear {named} {facts.family_name}"


def _whose(facts: LetterFacts) -> str:
    return "Your" if facts.reader is Reader.PATIENT else f"{facts.given_name}’s"


class _You:
    """The sentences, spoken to the patient or to the parent of a child."""

    def __init__(self, facts: LetterFacts) -> None:
        self.facts = facts
        parent = facts.reader is Reader.PARENT
        self.who = facts.given_name if parent else "you"
        self.whose = f"{facts.given_name}’s" if parent else "your"
        self.a_yes = facts.state in {ConsentState.EXPRESS_CORE, ConsentState.EXPRESS_ADDITIONAL}

    @property
    def what_it_is(self) -> str:
        needs = "needs" if self.facts.reader is Reader.PARENT else "need"
        return (
            f"A Summary Care Record is a short list of facts about {self.whose} health. "
            f"Doctors and nurses in other places can read it when {self.who} {needs} care. "
            "They should ask first, if they can."
        )

    @property
    def decision_heading(self) -> str:
        return "What you chose" if _HEADED.get(self.facts.state, True) else "You have not told us yet"

    def decision(self) -> tuple[str, ...]:
        said = [_CHOSEN[self.facts.state]]
        if self.facts.decided_on and _HEADED.get(self.facts.state, True):
            how = _TOLD.get(self.facts.source, "") if self.facts.source else ""
            said.append(f"This was on {nhs_date(self.facts.decided_on)}{how}.")
        if self.facts.decided_by:
            said.append(f"{self.facts.decided_by} chose for {self.who}.")
        return tuple(said)

    def what_we_send(self) -> tuple[str, ...]:
        facts = self.facts
        if facts.scope_at_store and facts.scope_at_store is not Scope.BLANK:
            sent = f"We sent {self.whose} record on {nhs_date(facts.sent_on)}."
            if facts.state in {ConsentState.EXPRESS_DISSENT, ConsentState.WITHDRAWN}:
                return (f"{sent} We are taking it back.",)
            return (f"{sent} It has:",)
        if facts.scope_at_store is Scope.BLANK:
            gone = f"We took {self.whose} record back on {nhs_date(facts.sent_on)}."
            return (f"{gone} There are no health facts in it now.",)
        if facts.goes:
            return ("We will send the record soon. It will have:",)
        return (f"We have not sent {self.whose} record.",)

    def what_goes(self) -> tuple[str, ...]:
        facts = self.facts
        at_store = facts.scope_at_store
        if at_store and at_store is not Scope.BLANK:
            ended = facts.state in {ConsentState.EXPRESS_DISSENT, ConsentState.WITHDRAWN}
            return () if ended else _points(at_store)
        if at_store is None and facts.goes:
            more = facts.state is ConsentState.EXPRESS_ADDITIONAL
            return _points(Scope.CORE_ADDITIONAL if more else Scope.CORE)
        return ()

    def why_not(self) -> tuple[str, ...]:
        """Every reason that is not the patient's own choice, which stands above already."""
        if self.facts.goes:
            return ()
        return tuple(words for reason in self.facts.reasons if (words := FOR_PATIENTS[reason]))

    def change(self) -> tuple[str, ...]:
        first = "You can say yes or no at any time. You do not have to tell us why."
        said = "If you say no, we take back what we sent. Your care stays the same."
        ask = "Call us, write to us or ask at the front desk. We will note it down and tell you."
        return (first, said, ask) if self.a_yes else (first, ask)


_POINTS = ("medicines", "allergies", "bad reactions to medicines")


def _points(scope: Scope) -> tuple[str, ...]:
    return _POINTS if scope is Scope.CORE else (*_POINTS, "other key facts, such as illnesses and operations")


# Whether the heading is "What you chose"; the rest have chosen nothing that holds.
_HEADED = {ConsentState.NONE: False, ConsentState.IMPLIED_CORE: False, ConsentState.CONFLICT: False}
_CHOSEN = {
    ConsentState.NONE: "We do not know yet if you want this record. Please tell us yes or no.",
    ConsentState.IMPLIED_CORE: "We wrote to you and you did not say no. Please tell us if you mind.",
    ConsentState.EXPRESS_CORE: "You said yes. We may share medicines, allergies and bad reactions to medicines.",
    ConsentState.EXPRESS_ADDITIONAL: (
        "You said yes. We may share medicines, allergies and bad reactions to medicines. "
        "We may also share other key facts, such as illnesses and operations."
    ),
    ConsentState.EXPRESS_DISSENT: "You said no. We will not share this record.",
    ConsentState.WITHDRAWN: "You said yes before, and then changed your mind. We will not share this record.",
    ConsentState.CONFLICT: "We have two answers from you that do not match. Please tell us which one is right.",
    ConsentState.LATER: "You said yes from a later day.",
}
_TOLD = {
    Source.IN_PERSON: ", when you came in",
    Source.PHONE: ", by phone",
    Source.LETTER: ", by letter",
    Source.FORM: ", on a form",
    Source.ONLINE: ", online",
    Source.REPRESENTATIVE: "",
    Source.SILENCE: ", as you did not answer our letter",
}

# Why nothing new is sent, for the patient. Blank: their own choice, or nothing that they need to know.
FOR_PATIENTS: dict[Reason, str] = {
    Reason.CONSENT_NONE: "We only send a record if you say yes.",
    Reason.CONSENT_REFUSED: "",
    Reason.CONSENT_WITHDRAWN: "",
    Reason.CONSENT_LATER: "The day that you chose has not come yet.",
    Reason.CONSENT_CONFLICT: "We wait until we know which answer is right.",
    Reason.CONSENT_IMPLIED: "We only send a record if you say yes.",
    Reason.CONSENT_LETTER: "You still have time to say no.",
    Reason.CONSENT_DIFFERS: "The NHS has noted another answer from you. We need to check this with you.",
    Reason.CONSENT_WAITING: "",
    Reason.POLICY_BMA: (
        "The doctors’ union is the BMA. It has asked surgeries not to send records for now. Our surgery follows this."
    ),
    Reason.POLICY_CONFLICT: "The doctors’ union has two rules that do not match. We wait until it has one.",
    Reason.POLICY_EXPLICIT: "We only send a record if you say yes.",
    Reason.POLICY_PRACTICE: "Our surgery has chosen not to send records for now.",
    Reason.POLICY_GP: "Your doctor has chosen not to send records for now.",
    Reason.ROLLOUT_CLOSED: "Our surgery does not send records yet.",
    Reason.IDENTITY_UNVERIFIED: "We need to check that your details are right. Please ask us about this.",
    Reason.PATIENT_SENSITIVE: "Your record has extra care. We check it by hand before we send it.",
    Reason.PATIENT_LEFT: "You have left our surgery.",
    Reason.PATIENT_DIED: "",
    Reason.SYSTEM_STOP: "The NHS has stopped all records for now.",
    Reason.FACTS_STALE: "We are checking your answer again today.",
    Reason.FACTS_UNKNOWN: "We could not check all that we need. We will try again.",
    Reason.TECH_TOO_LARGE: "The record was too big to send. We are looking into it.",
    Reason.TECH_RETRY: "The NHS could not take it yet. We will try again.",
    Reason.TECH_TURN: "It waits for its turn with the NHS. It goes by itself.",
    Reason.TECH_ACCESS: "The NHS could not take it yet. We will try again.",
    Reason.TECH_FAILED: "We could not send it. We are looking into it.",
    Reason.TECH_REFUSED: "The NHS could not take it. We are looking into it.",
    Reason.TECH_UNWRITTEN: "We could not send it. We are looking into it.",
    Reason.TECH_UNSUPPORTED: "The NHS could not take it. We are looking into it.",
    Reason.TECH_WITHDRAWAL: "We could not take it back yet. We are looking into it.",
    Reason.TECH_DOUBT: "We are checking if it got there.",
    Reason.TECH_UNTOLD: "We are checking if it got there.",
    Reason.NOTICE_NEEDLESS: "",
    Reason.STORE_AGREES: "",
    Reason.STORE_OTHERS: "",
    Reason.STORE_NOTHING: "",
    Reason.STORE_SAME: "",
    Reason.JOB_SUPERSEDED: "",
    Reason.JOB_CANCELLED: "Our surgery has not sent it. Please ask us why.",
    Reason.JOB_UNDONE: "",
    Reason.JOB_PAUSED: "The sending of it has been put off. It will go later.",
    Reason.JOB_HOURS: "It goes by itself at a set time of day.",
    Reason.JOB_RUN_CANCELLED: "Our surgery has not sent it. Please ask us why.",
    Reason.JOB_OPEN: "",
}
