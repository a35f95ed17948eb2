"""How each row of a sheet stands, read afresh: a frozen list, and what became of its patients since."""

import datetime
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from carerecords.models import Patient, Practice, User
from consent import deferrals, wording
from consent.list_rows import ended
from consent.models import ConsentEvent, Deferral, Sheet, SheetRow
from consent.queries import was_undone
from consent.sheet import rows as sheet_rows

# A sheet and what was chosen on it and not saved are kept so long after the last answer.
KEPT_FOR = datetime.timedelta(hours=20)


class Standing(StrEnum):
    """What became of a row."""

    OPEN = "open"
    DECIDED = "decided"
    CHANGED = "changed"
    DEFERRED = "deferred"
    CLOSED = "closed"


@dataclass(frozen=True)
class RowView:
    """A row as the page draws it. `name` is empty where the patient is another practice's by now."""

    row: SheetRow
    standing: Standing
    name: str = ""
    text: str = ""
    state: str = ""
    may_undo: bool = False
    # The decision that somebody else recorded meanwhile.
    theirs: ConsentEvent | None = None

    @property
    def patient(self) -> Patient:
        return self.row.patient

    @property
    def is_open(self) -> bool:
        return self.standing is Standing.OPEN


@dataclass(frozen=True)
class Progress:
    """`14 of 25 decided, 2 deferred`."""

    size: int
    counts: Mapping[Standing, int]

    @property
    def left(self) -> int:
        return self.counts[Standing.OPEN]

    @property
    def words(self) -> str:
        decided, put_off = self.counts[Standing.DECIDED], self.counts[Standing.DEFERRED]
        said = [f"{decided} of {self.size} decided", f"{put_off} deferred"]
        others = {
            Standing.CHANGED: "changed by somebody else",
            Standing.CLOSED: "can no longer be decided here",
        }
        said += [f"{self.counts[kind]} {words}" for kind, words in others.items() if self.counts[kind]]
        return ", ".join(said)


MayUndo = Callable[[ConsentEvent], bool]


def own_sheets(practice: Practice, user: User) -> QuerySet[Sheet]:
    """The user's own sheets of a practice."""
    return Sheet.objects.filter(practice=practice, user=user).select_related("practice")


def unfinished(practice: Practice, user: User, at: datetime.datetime) -> QuerySet[Sheet]:
    """The user's sheets that are kept and have a patient left to ask. One query."""
    nothing_since = Q(seen_event=F("patient__consent_event_id")) | Q(
        seen_event__isnull=True, patient__consent_event_id__isnull=True
    )
    asked = practice.patients.here().filter(is_sensitive=False)
    put_off = deferrals.running(practice, timezone.localdate(at)).values("patient")
    left = SheetRow.objects.filter(nothing_since, sheet=OuterRef("pk"), event__isnull=True, patient__in=asked)
    kept = own_sheets(practice, user).filter(touched_at__gt=at - KEPT_FOR)
    return kept.filter(Exists(left.exclude(patient__in=put_off)))


def has_ended(sheet: Sheet, at: datetime.datetime) -> bool:
    """Whether nobody has answered on it for so long that it is kept no more."""
    return sheet.touched_at <= at - KEPT_FOR


def row_views(sheet: Sheet, at: datetime.datetime, today: datetime.date, may_undo: MayUndo) -> list[RowView]:
    """All rows in their order: three queries, whatever their number."""
    found = list(sheet_rows.of_sheet(sheet))
    sheet_rows.reopen_undone([row for row in found if row.event is not None and was_undone(row.event)])
    put_off = _put_off(sheet.practice, found, today)
    theirs = _others_decisions(sheet, found)
    return [_view(row, sheet, put_off, theirs, today, may_undo) for row in found]


def progress(views: Sequence[RowView]) -> Progress:
    """Counts of a sheet."""
    counted = Counter(view.standing for view in views)
    return Progress(len(views), {standing: counted[standing] for standing in Standing})


def is_changed(row: SheetRow) -> bool:
    """Whether somebody else's decision stands, or took one away, since the list was frozen."""
    return row.event_id is None and row.patient.consent_event_id != row.seen_event


def _view(
    row: SheetRow,
    sheet: Sheet,
    put_off: Mapping[int, Deferral],
    theirs: Mapping[int, ConsentEvent],
    today: datetime.date,
    may_undo: MayUndo,
) -> RowView:
    patient = row.patient
    if patient.practice_id != sheet.practice_id:
        return RowView(row, Standing.CLOSED, text="Is now registered at another practice")
    name, state = wording.name_of(patient), patient.consent_state
    if row.event is not None:
        text = wording.saved_at(row.event)
        return RowView(row, Standing.DECIDED, name, text, state, may_undo(row.event))
    if why := ended(patient, today) or ("Sensitive record" if patient.is_sensitive else ""):
        return RowView(row, Standing.CLOSED, name, why)
    if is_changed(row):
        event = theirs.get(patient.consent_event_id or 0)
        return RowView(row, Standing.CHANGED, name, wording.changed(event, patient), state, theirs=event)
    if deferral := put_off.get(patient.pk):
        return RowView(row, Standing.DEFERRED, name, wording.deferred(deferral), state)
    return RowView(row, Standing.OPEN, name, row.fault, state)


def _put_off(practice: Practice, rows: Sequence[SheetRow], today: datetime.date) -> dict[int, Deferral]:
    patients = [row.patient_id for row in rows]
    found = deferrals.running(practice, today).filter(patient__in=patients).order_by("pk")
    return {deferral.patient_id: deferral for deferral in found}


def _others_decisions(sheet: Sheet, rows: Sequence[SheetRow]) -> dict[int, ConsentEvent]:
    ids = [
        row.patient.consent_event_id
        for row in rows
        if is_changed(row) and row.patient.practice_id == sheet.practice_id
    ]
    if not any(ids):
        return {}
    found = ConsentEvent.objects.filter(pk__in=[event for event in ids if event])
    return {event.pk: event for event in found.select_related("recorded_by")}
