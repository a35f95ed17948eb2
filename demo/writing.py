"""Turns made-up people and decisions into rows."""

import datetime
import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from carerecords.models import (
    Cause,
    JobKind,
    JobState,
    Patient,
    Practice,
    Registration,
    SummaryItem,
    UploadJob,
)
from carerecords.permissions import Role
from consent import rules
from consent.codes import LetterEvent
from consent.models import ConsentEvent, NoticeLetter
from consent.rules import Derived, Event
from demo.chance import a_uuid
from demo.clinical import items_of
from demo.decisions import Draft
from demo.people import Person
from demo.rows import copy, take_ids
from demo.staffing import Roster

# Uploads fall due over this time, so that something happens at once and nothing floods.
STAGGER_SECONDS = 15 * 60

PATIENT = [
    "id",
    "public_id",
    "practice_id",
    "usual_gp_id",
    "nhs_number",
    "title",
    "given_name",
    "family_name",
    "preferred_name",
    "born_on",
    "gender",
    "address",
    "postcode",
    "identity",
    "is_sensitive",
    "registered_on",
    "left_on",
    "died_on",
    "letter_sent_on",
    "consent_state",
    "consent_source",
    "consent_decided_on",
    "consent_event_id",
    "consent_changes_on",
]
REGISTRATION = ["patient_id", "practice_id", "registered_on", "left_on"]
EVENT = [
    "id",
    "public_id",
    "patient_id",
    "practice_id",
    "kind",
    "preference",
    "source",
    "decided_on",
    "effective_from",
    "reference",
    "note",
    "representative_name",
    "representative_authority",
    "reverses_id",
    "supersedes_id",
    "recorded_at",
    "recorded_by_id",
]
ITEM = ["patient_id", "kind", "code", "term", "detail", "recorded_on", "ended_on", "is_sensitive"]
JOB = [
    "public_id",
    "patient_id",
    "practice_id",
    "kind",
    "state",
    "cause",
    "requested_at",
    "due_at",
    "reasons",
    "headline",
]

LETTER = [
    "public_id",
    "patient_id",
    "practice_id",
    "kind",
    "sent_on",
    "reference",
    "recorded_at",
    "recorded_by_id",
]
NOON = datetime.time(12, tzinfo=datetime.UTC)

Ids = Mapping[str, int]
States = Mapping[str, Derived]


def patient_ids(persons: Sequence[Person]) -> dict[str, int]:
    """A patient's id by NHS number."""
    numbers = [person.nhs_number for person in persons]
    return dict(zip(numbers, take_ids(Patient, len(numbers)), strict=True))


def settle(drafts: list[Draft], today: datetime.date) -> dict[str, Derived]:
    """Gives the events ids in the order of recording, and derives each patient's state from them."""
    drafts.sort(key=lambda draft: draft.recorded_at)
    for draft, event_id in zip(drafts, take_ids(ConsentEvent, len(drafts)), strict=True):
        draft.id = event_id
    events: dict[str, list[Event]] = {}
    for draft in drafts:
        events.setdefault(draft.person.nhs_number, []).append(_as_rule_event(draft))
    return {number: rules.state_from(theirs, today) for number, theirs in events.items()}


def write_patients(
    persons: Sequence[Person],
    ids: Ids,
    states: States,
    practice: Practice,
    roster: Roster,
    rng: random.Random,
) -> None:
    rows = (_patient(person, ids, states, practice, roster, rng) for person in persons)
    copy(Patient, PATIENT, rows)
    stays = (
        (ids[person.nhs_number], practice.pk, person.registered_on, person.left_on) for person in persons
    )
    copy(Registration, REGISTRATION, stays)


def write_letters(
    persons: Sequence[Person], ids: Ids, practice: Practice, roster: Roster, rng: random.Random
) -> None:
    """The notice letter of each patient who was written to, noted by the practice manager that day."""
    manager = roster.somebody(Role.PRACTICE_MANAGER, 0)
    rows = (
        (
            a_uuid(rng),
            ids[person.nhs_number],
            practice.pk,
            LetterEvent.SENT.value,
            person.letter_sent_on,
            f"Notice {person.letter_sent_on:%B %Y}",
            datetime.datetime.combine(person.letter_sent_on, NOON),
            manager.pk,
        )
        for person in persons
        if person.letter_sent_on
    )
    copy(NoticeLetter, LETTER, rows)


def write_events(drafts: Sequence[Draft], ids: Ids, practice: Practice, roster: Roster) -> int:
    return copy(ConsentEvent, EVENT, (_event(draft, ids, practice, roster) for draft in drafts))


def write_items(persons: Sequence[Person], ids: Ids, rng: random.Random, today: datetime.date) -> int:
    def rows() -> Iterator[tuple[Any, ...]]:
        for person in persons:
            for item in items_of(person, rng, today):
                yield (
                    ids[person.nhs_number],
                    item.kind.value,
                    item.code,
                    item.term,
                    item.detail,
                    item.recorded_on,
                    item.ended_on,
                    item.is_sensitive,
                )

    return copy(SummaryItem, ITEM, rows())


def write_jobs(
    ids: Ids, states: States, practice: Practice, at: datetime.datetime, rng: random.Random
) -> int:
    """An open upload for each patient who consents."""
    rows: Iterator[tuple[Any, ...]] = (
        (
            a_uuid(rng),
            ids[number],
            practice.pk,
            JobKind.UPLOAD.value,
            JobState.WAITING.value,
            Cause.DEMO.value,
            at,
            at + datetime.timedelta(seconds=rng.uniform(0, STAGGER_SECONDS)),
            [],
            "",
        )
        for number, derived in states.items()
        if rules.permits_upload(derived.state)
    )
    return copy(UploadJob, JOB, rows)


def _patient(
    person: Person, ids: Ids, states: States, practice: Practice, roster: Roster, rng: random.Random
) -> tuple[Any, ...]:
    derived = states.get(person.nhs_number, rules.NOTHING)
    current = derived.event
    return (
        ids[person.nhs_number],
        a_uuid(rng),
        practice.pk,
        roster.somebody(Role.GP, person.gp).pk,
        person.nhs_number,
        person.title,
        person.given_name,
        person.family_name,
        "",
        person.born_on,
        person.gender,
        person.address,
        person.postcode,
        person.identity,
        person.is_sensitive,
        person.registered_on,
        person.left_on,
        person.died_on,
        person.letter_sent_on,
        derived.state.value,
        current.source.value if current and current.source else "",
        current.decided_on if current else None,
        current.sequence if current else None,
        derived.changes_on,
    )


def _event(draft: Draft, ids: Ids, practice: Practice, roster: Roster) -> tuple[Any, ...]:
    said = draft.occasion
    return (
        draft.id,
        draft.public_id,
        ids[draft.person.nhs_number],
        practice.pk,
        draft.kind.value,
        said.preference.value if said else "",
        said.source.value if said else "",
        said.decided_on if said else None,
        said.decided_on if said else None,
        said.reference if said else "",
        "" if said else "Entered by mistake.",
        said.representative_name if said else "",
        said.representative_authority if said else "",
        draft.reverses.id if draft.reverses else None,
        draft.supersedes.id if draft.supersedes else None,
        draft.recorded_at,
        _recorder(draft, roster),
    )


def _recorder(draft: Draft, roster: Roster) -> int:
    """Whoever may record it; a mistake is undone by the one who made it."""
    said = draft.occasion or (draft.reverses and draft.reverses.occasion)
    assert said
    return roster.somebody(said.role, draft.recorded_by).pk


def _as_rule_event(draft: Draft) -> Event:
    said = draft.occasion
    return Event(
        sequence=draft.id,
        preference=said.preference if said else None,
        source=said.source if said else None,
        decided_on=said.decided_on if said else None,
        effective_from=said.decided_on if said else None,
        recorded_at=draft.recorded_at,
        reverses=draft.reverses.id if draft.reverses else None,
        supersedes=draft.supersedes.id if draft.supersedes else None,
    )
