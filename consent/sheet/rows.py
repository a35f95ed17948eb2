"""Rows of a sheet in the database: frozen, answered, saved, opened again."""

import datetime
import uuid
from collections.abc import Mapping, Sequence

from django.db import transaction
from django.db.models import QuerySet

from carerecords.models import Practice, User
from consent.codes import Preference
from consent.models import ConsentEvent, Sheet, SheetRow
from consent.sheet.choosing import UNDECIDED, Choice

# An answer a second need not write each time that the sheet is in use.
PRECISION = datetime.timedelta(minutes=1)


@transaction.atomic
def freeze(
    *, practice: Practice, choice: Choice, by: User, at: datetime.datetime, public_id: uuid.UUID
) -> Sheet:
    """Stores the list. The same form sent twice gives the same sheet; `Sheet.DoesNotExist` where its
    id is another user's."""
    sheet, made = Sheet.objects.get_or_create(
        public_id=public_id,
        defaults={
            "user": by,
            "practice": practice,
            "chosen": choice.words,
            "left_out": choice.left_out,
            "size": len(choice.patients),
            "created_at": at,
            "touched_at": at,
        },
    )
    if (sheet.user_id, sheet.practice_id) != (by.pk, practice.pk):
        raise Sheet.DoesNotExist
    if made:
        rows = [
            SheetRow(sheet=sheet, patient=patient, position=number, seen_event=patient.consent_event_id)
            for number, patient in enumerate(choice.patients, start=1)
        ]
        # In the order of patients: see `consent.bulk_runs`.
        SheetRow.objects.bulk_create(sorted(rows, key=lambda row: row.patient_id))
    return sheet


def of_sheet(sheet: Sheet) -> QuerySet[SheetRow]:
    """Rows with all that a page shows of them."""
    return _whole(sheet.rows.all()).order_by("position")


def row_of(sheet: Sheet, row_id: uuid.UUID) -> SheetRow | None:
    """One row of the sheet."""
    return of_sheet(sheet).filter(public_id=row_id).first()


def touch(sheet: Sheet, typed: Mapping[str, str], at: datetime.datetime) -> None:
    """Notes that the sheet is worked on, and with which top. Written only when that says more."""
    if sheet.typed == typed and at - sheet.touched_at < PRECISION:
        return
    sheet.typed, sheet.touched_at = dict(typed), at
    Sheet.objects.filter(pk=sheet.pk).update(typed=sheet.typed, touched_at=at)


def keep(
    sheet: Sheet,
    *,
    typed: Mapping[str, str],
    answers: Mapping[int, str],
    at: datetime.datetime,
) -> None:
    """Keeps what stands at the top and what was chosen, row by row, and is not saved: an update an answer."""
    sheet.typed, sheet.touched_at = dict(typed), at
    Sheet.objects.filter(pk=sheet.pk).update(typed=sheet.typed, touched_at=at)
    open_rows = SheetRow.objects.filter(event__isnull=True)
    for answer in sorted(set(answers.values())):
        same = [row for row, given in answers.items() if given == answer]
        open_rows.filter(pk__in=same).exclude(answer=answer).update(answer=answer)


def saved(row: SheetRow, event: ConsentEvent) -> None:
    """The row became a decision."""
    row.event, row.answer, row.fault = event, "", ""
    SheetRow.objects.filter(pk=row.pk).update(event=event, answer="", fault="")


def reopen_undone(rows: Sequence[SheetRow]) -> None:
    """Rows whose decision was taken back are asked again, by a form of their own: what was sent once
    and undone must not come back by a message that was late."""
    for row in rows:
        row.event, row.answer, row.fault, row.form_key = None, "", "", uuid.uuid4()
        if (
            row.patient.consent_state in UNDECIDED
        ):  # else somebody else's decision stands: not ours to replace
            row.seen_event = row.patient.consent_event_id
    if rows:
        SheetRow.objects.bulk_update(rows, ["event", "answer", "fault", "form_key", "seen_event"])


@transaction.atomic
def note_press(sheet: Sheet, rows: Sequence[SheetRow], faults: Mapping[int, str]) -> int:
    """Remembers which rows one press of "Save decisions" was about; returns its number."""
    sheet.presses += 1
    Sheet.objects.filter(pk=sheet.pk).update(presses=sheet.presses)
    for row in rows:
        row.press, row.fault = sheet.presses, faults.get(row.pk, "")
    SheetRow.objects.bulk_update(rows, ["press", "fault"])
    return sheet.presses


def keep_answer(row: SheetRow, answer: Preference) -> None:
    """Keeps what was chosen and could not be saved."""
    row.answer = answer.value
    SheetRow.objects.filter(pk=row.pk, event__isnull=True).update(answer=row.answer)


def clear_answer(row: SheetRow) -> None:
    """Forgets what was chosen: it is not to be saved."""
    SheetRow.objects.filter(pk=row.pk, event__isnull=True).update(answer="", fault="")


def forget_old(*, before: datetime.datetime) -> int:
    """Forgets what was chosen on sheets that have ended; returns on how many rows."""
    Sheet.objects.filter(touched_at__lte=before).exclude(typed={}).update(typed={})
    old = SheetRow.objects.filter(sheet__touched_at__lte=before, event__isnull=True).exclude(answer="")
    return old.update(answer="")


def _whole(rows: QuerySet[SheetRow]) -> QuerySet[SheetRow]:
    return rows.select_related("patient", "event__recorded_by", "event__reversed_by")
