"""From the answers of a sheet to stored decisions: one transaction a row, each told apart by its key."""

import datetime
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction

from carerecords import access, doorbell
from carerecords.date_parts import DATE_PARTS
from carerecords.middleware import CareRequest
from consent import recording
from consent.actions import CannotUndo, DecisionChanged, DecisionRefused, Evidence, Recorded
from consent.codes import Preference
from consent.forms import NEEDED
from consent.models import Sheet, SheetRow
from consent.queries import was_undone
from consent.sheet import rows as sheet_rows
from consent.sheet.forms import ANSWERS

CHANGED_SINCE = "Not saved: this row changed since the page was opened. Choose again"
# What stands at the top, by the names under which it is posted; kept as it was typed.
TYPED = {"source": 20, **{f"decided_on_{part}": 10 for part in DATE_PARTS}, "reference": 200}
_PREFIX = "answer-"


@dataclass(frozen=True)
class Given:
    """An answer that was posted for a row, by the form that the page drew for it."""

    row: SheetRow
    answer: Preference
    key: uuid.UUID


@dataclass(frozen=True)
class Told:
    """What stands at the top: how the patients told, and when they decided."""

    evidence: Evidence
    decided_on: datetime.date


def name_of(row: SheetRow) -> str:
    """The name of a row's answer in the form: which row, and which form of it."""
    return f"{_PREFIX}{row.public_id.hex}-{row.form_key.hex}"


def typed_of(posted: Mapping[str, str]) -> dict[str, str]:
    """The top as it was typed."""
    return {name: str(posted.get(name, ""))[:longest] for name, longest in TYPED.items()}


def given_in(posted: Mapping[str, str], rows: Iterable[SheetRow]) -> list[Given]:
    """The answers that were posted for these rows, in their order. Anything else is no answer."""
    by_id = {row.public_id.hex: row for row in rows}
    found = []
    for name, value in posted.items():
        row_id, _, key = name.removeprefix(_PREFIX).partition("-")
        if name.startswith(_PREFIX) and row_id in by_id and value in set(ANSWERS) and _is_uuid(key):
            found.append(Given(by_id[row_id], Preference(value), uuid.UUID(key)))
    return sorted(found, key=lambda given: given.row.position)


def keep(sheet: Sheet, posted: Mapping[str, str], given: Sequence[Given], at: datetime.datetime) -> None:
    """Keeps the top and the answers as they stand. An answer of an older form of its row is not kept."""
    answers = {one.row.pk: one.answer.value for one in given if one.key == one.row.form_key}
    sheet_rows.keep(sheet, typed=typed_of(posted), answers=answers, at=at)


def save_all(
    request: CareRequest, sheet: Sheet, given: Sequence[Given], told: Told, at: datetime.datetime
) -> int:
    """Saves each answer by itself, so that one which cannot be saved stops no other. Returns the press."""
    faults: dict[int, str] = {}
    with doorbell.held():
        for one in given:
            try:
                if not _is_saved(one):
                    save_row(request, one, told, at)
            except DecisionRefused as refusal:
                faults[one.row.pk] = f"Not saved: {refusal}"
            except DecisionChanged:
                faults[one.row.pk] = CHANGED_SINCE
    return sheet_rows.note_press(sheet, [one.row for one in given], faults)


@transaction.atomic
def save_row(request: CareRequest, given: Given, told: Told, at: datetime.datetime) -> Recorded:
    """Records one decision as the patient's own page does. Sent again it changes nothing.

    Raises `DecisionRefused`, and `DecisionChanged` where another decision stands than the sheet saw.
    """
    row, patient = given.row, given.row.patient
    access.check(request, NEEDED[given.answer], patient=patient)
    if patient.practice_id != row.sheet.practice_id:
        raise DecisionRefused("preference", "This patient is now registered at another practice")
    if patient.is_sensitive:
        raise DecisionRefused("preference", "This is a sensitive record now. Use the patient’s own page")
    done = recording.store(
        request,
        patient,
        preference=given.answer,
        evidence=told.evidence,
        decided_on=told.decided_on,
        at=at,
        seen=row.seen_event,
        form_key=given.key,
        page=f", sheet {row.sheet.public_id}",
    )
    if row.event_id != done.event.pk:
        sheet_rows.saved(row, done.event)
    return done


@transaction.atomic
def undo_row(request: CareRequest, row: SheetRow, at: datetime.datetime) -> Recorded | None:
    """Takes the row's decision back and opens the row again; None if that was done already."""
    event, done = row.event, None
    if event is not None and not was_undone(event):
        try:
            done = recording.undo(request, row.patient, event, at)
        except CannotUndo:
            done = None
    row.patient.refresh_from_db()
    if event is not None:
        sheet_rows.reopen_undone([row])
    return done


def _is_saved(given: Given) -> bool:
    """Whether this very answer was recorded already, by itself as it was given."""
    event = given.row.event
    if event is None or was_undone(event):
        return False
    return (event.form_key, event.preference) == (given.key, given.answer.value)


def _is_uuid(text: str) -> bool:
    try:
        return uuid.UUID(text).hex == text
    except ValueError:
        return False
