"""The parts of the patient page as its template draws them."""

import datetime
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from carerecords.formats import nhs_date, nhs_datetime
from carerecords.models import AccessEvent, Patient
from carerecords.permissions import Role
from consent.codes import TAKES_BACK, ConsentState, EventKind, Preference, Source
from consent.forms import WORDS, DecisionForm, SensitiveReason, WhoDecided
from consent.models import ConsentEvent
from consent.queries import was_undone

MayUndo = Callable[[ConsentEvent], bool]
# On the patient's page; the rest stands on a page of its own.
SHOWN = 10


@dataclass(frozen=True)
class HistoryItem:
    """One line of the history; `undo` names the event that a button there takes back, `invalid` the
    one that a link there leads to marking as recorded in error; `mark` says what was done to it."""

    title: str
    by: str
    text: str
    note: str
    struck: bool
    undo: ConsentEvent | None
    invalid: ConsentEvent | None = None
    mark: str = ""


def history_items(
    events: Sequence[ConsentEvent], may_undo: MayUndo, may_correct: bool = False
) -> list[HistoryItem]:
    """Newest first, as the events come. What was taken back stays, struck through."""
    return [_item(event, may_undo, may_correct) for event in events]


def _item(event: ConsentEvent, may_undo: MayUndo, may_correct: bool) -> HistoryItem:
    by = f"{nhs_datetime(event.recorded_at)}, {event.recorded_by.short_name}"
    if event.practice_id != event.patient.practice_id:
        by = f"{by}, at {event.practice.name}"
    if event.kind in TAKES_BACK:
        title = "Decision undone" if event.kind == EventKind.REVERSAL else "Marked as recorded in error"
        return HistoryItem(title, by, _what_was_undone(event), event.note, False, None)
    undone = was_undone(event)
    title = Preference(event.preference).label
    undo = event if not undone and may_undo(event) else None
    invalid = event if not undone and may_correct else None
    mark = _mark_of(event) if undone else ""
    return HistoryItem(title, by, ". ".join(_facts(event)), event.note, undone, undo, invalid, mark)


def _mark_of(event: ConsentEvent) -> str:
    return "Recorded in error" if event.reversed_by.kind == EventKind.INVALID else "Undone"


def _what_was_undone(reversal: ConsentEvent) -> str:
    event = reversal.reverses
    assert event is not None
    return f"Was: {Preference(event.preference).label}, recorded {nhs_datetime(event.recorded_at)}"


def _facts(event: ConsentEvent) -> list[str]:
    facts = [f"Decided {nhs_date(event.decided_on)}, {Source(event.source).label.lower()}"]
    if event.reference:
        facts.append(f"Reference {event.reference}")
    if event.representative_name:
        facts.append(f"Decided by {event.representative_name} ({event.representative_authority})")
    if was_undone(event):
        reversal = event.reversed_by
        by = reversal.recorded_by.short_name
        facts.append(f"{_mark_of(event)}: {nhs_datetime(reversal.recorded_at)}, {by}")
    return facts


def decision_rows(event: ConsentEvent | None) -> list[dict[str, Any]]:
    """The event that holds, for a summary list."""
    if event is None:
        return [{"key": "Decision", "value": "No decision recorded"}]
    rows = [
        ("What was decided", Preference(event.preference).label),
        ("How they told us", Source(event.source).label),
        ("Date of decision", nhs_date(event.decided_on)),
        ("Recorded", f"{nhs_datetime(event.recorded_at)} by {event.recorded_by.short_name}"),
        ("Reference", event.reference or "None given"),
    ]
    if event.representative_name:
        rows.append(("Decided by", f"{event.representative_name} ({event.representative_authority})"))
    if event.note:
        rows.append(("Note", event.note))
    return _as_rows(rows)


def answer_rows(form: DecisionForm) -> list[dict[str, Any]]:
    """The answers of a valid form, for a check page or beside another's."""
    evidence, values = form.evidence, form.cleaned_data
    rows = [
        ("What was decided", WORDS[form.answer]),
        ("How they told us", evidence.source.label),
        ("Date of decision", nhs_date(values["decided_on"])),
        ("Reference", evidence.reference or "None given"),
    ]
    if form.is_about_a_child:
        rows.append(("Who decided", WhoDecided(values["who_decided"]).label))
    if evidence.representative_name:
        rows.append(("Decided by", f"{evidence.representative_name} ({evidence.representative_authority})"))
    if evidence.note:
        rows.append(("Note", evidence.note))
    return _as_rows(rows)


def _as_rows(pairs: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    return [{"key": key, "value": value} for key, value in pairs]


@dataclass(frozen=True)
class Look:
    """One line of "Who has looked"."""

    at: datetime.datetime
    who: str
    role: str
    practice: str
    what: str


def looks(events: Sequence[AccessEvent]) -> list[Look]:
    """The access log as people read it."""
    return [
        Look(
            event.at,
            event.user.name,
            Role(event.role).rule.name,
            event.practice.name if event.practice else "",
            _what(event),
        )
        for event in events
    ]


# Stored codes within the log's details, as people read them.
_LABELS = {one.value: one.label for words in (Preference, ConsentState, SensitiveReason) for one in words}
_BY_API = re.compile(r"^api: ")
_CODE = re.compile("|".join(sorted(map(re.escape, _LABELS), key=len, reverse=True)))


def _what(event: AccessEvent) -> str:
    """What was done, and where: `Recorded a decision: No decision to Consent given`."""
    detail = _CODE.sub(lambda found: _LABELS[found.group()], event.detail)
    detail = _BY_API.sub("by another system, ", detail)
    return (
        f"{event.get_kind_display()}: {detail}"
        if detail and detail != "patient"
        else event.get_kind_display()
    )


def patient_facts(patient: Patient) -> list[dict[str, Any]]:
    """What helps to know that this is the right person. A sensitive address is shown nowhere."""
    address = ", ".join(part for part in (patient.address, patient.postcode) if part)
    return _as_rows(
        [
            ("Usual GP", patient.usual_gp.name if patient.usual_gp else "No usual GP"),
            ("Address", "Hidden: sensitive record" if patient.is_sensitive else address),
            ("Registered", nhs_date(patient.registered_on)),
            ("Letter sent", nhs_date(patient.letter_sent_on) or "Not sent"),
            ("Details checked", patient.get_identity_display()),
        ]
    )
