"""What the pages of bulk runs show: answers in words, rows a page at a time, how far a run has come."""

import datetime
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Count

from carerecords.formats import nhs_date, nhs_datetime, plural
from carerecords.identifiers import format_nhs_number
from carerecords.models import Patient, Practice
from consent import bulk_runs, bulk_work, wording
from consent.bulk_work import Forecast
from consent.codes import BulkKind, ConsentState, RowReason, RowResult, RunState, Source
from consent.models import BulkRow, BulkRun

SIZE = 50
# So many patients are named on the check page.
NAMED = 20
UNDER_WAY = frozenset({RunState.QUEUED, RunState.RUNNING, RunState.UNDOING})
# Results in the order of the page, while doing and after undoing.
_RESULTS = (
    RowResult.CHANGED,
    RowResult.UNDONE,
    RowResult.KEPT,
    RowResult.ALREADY,
    RowResult.SKIPPED,
    RowResult.PENDING,
)
_DAY = {
    BulkKind.LETTER: "Date the letters were sent",
    BulkKind.DEFERRAL: "Date to ask again",
}
_REFERENCE = {BulkKind.LETTER: "Which letter"}


@dataclass(frozen=True)
class RunRow:
    """One row of a run as a page shows it. `address_ok`: the patient is still the practice's."""

    patient: Patient
    address_ok: bool
    closed: bool
    result: str
    why: str


@dataclass(frozen=True)
class RowPage:
    """Some rows, and where the pages before and after begin."""

    rows: list[RunRow]
    before: int | None
    after: int | None


def run_of(practice: Practice, public_id: uuid.UUID) -> BulkRun | None:
    """One run of the practice."""
    return practice.bulk_runs.select_related("created_by", "undone_by").filter(public_id=public_id).first()


def runs_of(practice: Practice, after: uuid.UUID | None) -> tuple[list[BulkRun], bool]:
    """A page of confirmed runs, newest first, and whether there are older ones."""
    runs = practice.bulk_runs.exclude(state__in=[RunState.CHECK, RunState.DROPPED])
    if after:
        runs = runs.filter(pk__lt=practice.bulk_runs.filter(public_id=after).values("pk"))
    found = list(runs.select_related("created_by").order_by("-pk")[: SIZE + 1])
    return found[:SIZE], len(found) > SIZE


def title(kind: BulkKind, number: int) -> str:
    """`Record refusal for 1,180 patients`, on buttons and over pages."""
    if kind is BulkKind.DEFERRAL:
        return f"Defer {plural(number, 'patient')}"
    return f"{kind.label} for {plural(number, 'patient')}"


def answer_rows(run: BulkRun) -> list[dict[str, Any]]:
    """What is done, for a summary list."""
    kind = BulkKind(run.kind)
    pairs = [("What to do", kind.label)]
    if run.source:
        pairs.append(("How they told us", Source(run.source).label))
    if run.day:
        pairs.append((_DAY.get(kind, "Date of decision"), nhs_date(run.day)))
    if run.reference or kind is not BulkKind.DEFERRAL:
        pairs.append((_REFERENCE.get(kind, "Reference"), run.reference or "None given"))
    if run.note:
        pairs.append(("Reason", run.note))
    pairs.append(("How they were chosen", run.chosen))
    pairs.append(("List made", f"{nhs_datetime(run.created_at)} by {run.created_by.short_name}"))
    return [{"key": key, "value": value} for key, value in pairs if value]


# What stands before, and what to say of putting the new answer in its place.
_OVER = {
    BulkKind.CONSENT: {
        ConsentState.EXPRESS_DISSENT: "refused before. Consent would take the place of refusal.",
        ConsentState.EXPRESS_ADDITIONAL: "consented to additional information. Only core would be left.",
    },
    BulkKind.REFUSAL: {
        ConsentState.EXPRESS_CORE: "consented before. Refusal would take the place of consent.",
        ConsentState.EXPRESS_ADDITIONAL: "consented to additional information before. "
        "Refusal would take the place of consent.",
    },
}


def warnings_of(run: BulkRun, forecast: Forecast) -> list[str]:
    """What may be a mistake: an answer in the place of its opposite."""
    over = _OVER.get(BulkKind(run.kind), {})
    if not over:
        return []
    states = run.rows.filter(pk__in=forecast.all_changed).values_list("patient__consent_state")
    counts = dict(states.order_by().annotate(Count("pk")))
    return [f"{plural(counts[state], 'patient')} {words}" for state, words in over.items() if state in counts]


def named_rows(run: BulkRun, forecast: Forecast, *, may_open: bool) -> tuple[list[RunRow], list[RunRow]]:
    """The first that would change, and the first that would be skipped and why."""
    wanted = [*forecast.first_changed, *forecast.first_skipped]
    rows = run.rows.filter(pk__in=wanted).select_related("patient").order_by("position")
    drawn = {
        row.pk: _drawn(run, row, "", forecast.first_skipped.get(row.pk), may_open=may_open) for row in rows
    }
    return [drawn[pk] for pk in forecast.first_changed], [drawn[pk] for pk in forecast.first_skipped]


def counts_of(run: BulkRun) -> list[tuple[RowResult, int]]:
    """How many rows have each result; results that nobody has are left out."""
    found = dict(run.rows.values_list("result").order_by().annotate(Count("pk")))
    return [(result, found[result]) for result in _RESULTS if found.get(result)]


def reasons_of(run: BulkRun) -> list[tuple[str, int]]:
    """Why rows were skipped or kept, with how many each, the most frequent first."""
    found = run.rows.exclude(why="").values_list("why").order_by().annotate(number=Count("pk"))
    return [(RowReason(why).label, number) for why, number in found.order_by("-number", "why")]


def page_of(run: BulkRun, *, result: str, after: int | None, before: int | None, may_open: bool) -> RowPage:
    """A page of rows by their place in the list, of one result or of all. Two queries at most."""
    rows = run.rows.select_related("patient")
    if result:
        rows = rows.filter(result=result)
    if before:
        found = list(rows.filter(position__lt=before).order_by("-position")[: SIZE + 1])
        more, found = len(found) > SIZE, found[:SIZE][::-1]
        has_before, has_after = more, True
    else:
        found = list(rows.filter(position__gt=after or 0).order_by("position")[: SIZE + 1])
        has_before, has_after, found = bool(after), len(found) > SIZE, found[:SIZE]
    return RowPage(
        [_drawn(run, row, row.result, row.why, may_open=may_open) for row in found],
        found[0].position if found and has_before else None,
        found[-1].position if found and has_after else None,
    )


def _drawn(run: BulkRun, row: BulkRow, result: str, why: str | None, *, may_open: bool) -> RunRow:
    here = row.patient.practice_id == run.practice_id
    return RunRow(
        patient=row.patient,
        address_ok=here,
        closed=not here or (row.patient.is_sensitive and not may_open),
        result=RowResult(result).label if result else "",
        why=RowReason(why).label if why else "",
    )


@dataclass(frozen=True)
class Progress:
    """How far a run under way has come."""

    done: int
    total: int

    @property
    def quarter(self) -> int:
        """0 to 4, for what is read out: each chunk would be too much."""
        return self.done * 4 // self.total if self.total else 0


def progress_of(run: BulkRun) -> Progress:
    """Rows worked on, or taken back where the run is being undone."""
    if run.state == RunState.UNDOING:
        return Progress(run.taken_back + run.kept, run.changed)
    return Progress(run.done, run.total)


def headline(run: BulkRun) -> str:
    """What has become of a run, in a sentence."""
    match RunState(run.state):
        case RunState.DONE:
            return f"Finished. {plural(run.changed, 'patient')} changed, {_rest(run)}."
        case RunState.UNDONE:
            kept = f", {run.kept:,} changed later and left as they are" if run.kept else ""
            return f"Undone for {plural(run.taken_back, 'patient')}{kept}."
        case RunState.UNDOING:
            return f"Being undone: {run.taken_back + run.kept:,} of {run.changed:,}."
        case RunState.RUNNING:
            return f"Running: {run.done:,} of {run.total:,}."
        case RunState.QUEUED:
            return "Waiting to start."
        case RunState.DROPPED:
            return "Cancelled. Nothing was changed."
    return "Not confirmed yet."


def _rest(run: BulkRun) -> str:
    return f"{run.already:,} already so, {run.skipped:,} skipped"


def undo_until(run: BulkRun, at: datetime.datetime) -> datetime.datetime | None:
    """Until when the run may be undone; None where it may not, or changed nobody."""
    if run.changed and run.finished_at and bulk_runs.may_be_undone(run, at):
        return run.finished_at + bulk_runs.UNDO_FOR
    return None


def undo_forecast(run: BulkRun) -> tuple[int, int]:
    """How many would be taken back, and how many were changed later."""
    return bulk_work.forecast_of_undo(run)


_PATIENT_COLUMNS = ("NHS_NUMBER", "FAMILY_NAME", "GIVEN_NAME", "TITLE", "DATE_OF_BIRTH")


def result_lines(run: BulkRun, *, may_open: bool) -> Iterator[Sequence[object]]:
    """The results as lines of a file, read as they are written."""
    yield (*_PATIENT_COLUMNS, "RESULT", "REASON")
    rows = run.rows.select_related("patient").order_by("position")
    for row in rows.iterator(chunk_size=2000):
        told = _drawn(run, row, row.result, row.why, may_open=may_open)
        yield (*_who(row.patient), told.result, told.why)


def patient_lines(patients: Iterable[Patient]) -> Iterator[Sequence[object]]:
    """Patients of the list as lines of a file."""
    yield (
        *_PATIENT_COLUMNS,
        "USUAL_GP",
        "DECISION",
        "SOURCE",
        "DECISION_DATE",
        "LETTER_SENT",
    )
    for patient in patients:
        yield (
            *_who(patient),
            patient.usual_gp.short_name if patient.usual_gp else "",
            wording.STATES[ConsentState(patient.consent_state)],
            Source(patient.consent_source).label if patient.consent_source else "",
            patient.consent_decided_on,
            patient.letter_sent_on,
        )


def _who(patient: Patient) -> tuple[object, ...]:
    # In groups, as it is written: a spreadsheet would make a number of ten digits.
    number = format_nhs_number(patient.nhs_number)
    return number, patient.family_name, patient.given_name, patient.title, patient.born_on


def about_lines(facts: Mapping[str, str]) -> Iterator[Sequence[object]]:
    """What a file is, before its columns."""
    yield from facts.items()
    yield ()
