"""What the pages of imports say: where one stands, how far it is, and the rows to look at."""

import datetime
from dataclasses import dataclass

from django.db.models import Case, Q, QuerySet, When

from carerecords.formats import count, nhs_datetime, plural
from carerecords.models import Patient, Practice
from consent import bulk_runs
from consent.codes import ConsentState, ImportKind, ImportState, Preference, RowVerdict, RunState
from consent.models import Import, ImportRow

LISTED = 50
SHOWN = 100
# After so many answers a page stops asking: a forgotten window must not stay logged in.
MOST_POLLS = 300

Tag = tuple[str, str]
_STATES: dict[str, Tag] = {
    ImportState.CHECKING: ("Being checked", "blue"),
    ImportState.STOPPED: ("Stopped", "red"),
    ImportState.READY: ("Ready to check", "yellow"),
    ImportState.APPLYING: ("Being applied", "blue"),
    ImportState.CANCELLED: ("Cancelled", "grey"),
    RunState.QUEUED: ("Waiting to start", "blue"),
    RunState.RUNNING: ("Being applied", "blue"),
    RunState.UNDOING: ("Being undone", "blue"),
    RunState.UNDONE: ("Undone", "grey"),
}
NOTHING: Tag = ("Nothing to apply", "grey")


def recent(practice: Practice, *, only_ready: bool = False) -> list[Import]:
    """The newest imports of a practice, all or those that somebody has to look at."""
    found = ready(practice) if only_ready else Import.objects.filter(practice=practice)
    return list(found.select_related("uploaded_by", "run").order_by("-uploaded_at", "-pk")[:LISTED])


def ready(practice: Practice) -> QuerySet[Import]:
    """Imports that would write something, and wait for somebody to approve or cancel them."""
    writes = Q(new__gt=0) | Q(changed__gt=0) | Q(history__gt=0)
    return Import.objects.filter(writes, practice=practice, state=ImportState.READY)


def standing(made: Import) -> Tag:
    """Words and colour of the tag: one thing for an import and for the run that applies it."""
    state = made.run.state if made.run else made.state
    if state in {ImportState.DONE, RunState.DONE}:
        skipped = made.run.skipped if made.run else made.skipped
        return ("Partly completed", "orange") if skipped or made.bad else ("Completed", "green")
    return NOTHING if state == ImportState.READY and not made.writes else _STATES[state]


def is_under_way(made: Import) -> bool:
    """Whether somebody is at work on it, or should be."""
    if made.run:
        return made.run.state in {RunState.QUEUED, RunState.RUNNING, RunState.UNDOING}
    return made.state in {ImportState.CHECKING, ImportState.APPLYING}


def undo_until(made: Import, at: datetime.datetime) -> datetime.datetime | None:
    """Until when it can be undone; None if it cannot."""
    if made.run is None or not bulk_runs.may_be_undone(made.run, at) or not made.run.changed:
        return None
    return made.run.finished_at + bulk_runs.UNDO_FOR if made.run.finished_at else None


def headline(made: Import) -> str:
    """What is going on, or what came of it, in a sentence."""
    run, rows = made.run, plural(made.total, "row")
    if made.state == ImportState.CHECKING:
        return f"Checking {rows}"
    if run and run.state in {RunState.QUEUED, RunState.RUNNING}:
        return f"{count(run.done)} of {plural(run.total, 'record')} imported"
    if run and run.state == RunState.UNDOING:
        return f"{count(run.taken_back + run.kept)} of {plural(run.changed + run.taken_back + run.kept, 'record')} undone"
    if run and run.state == RunState.UNDONE:
        kept = (
            f" {plural(run.kept, 'record')} changed later, or came back undelivered, and stayed."
            if run.kept
            else ""
        )
        return f"{plural(run.taken_back, 'record')} undone.{kept}"
    if run:
        left = (
            f" {plural(run.skipped, 'patient')} changed since the check and stayed as they are."
            if run.skipped
            else ""
        )
        return f"{plural(run.changed, 'record')} imported.{left}"
    if made.state == ImportState.APPLYING:
        return f"Registering {plural(made.writes, 'patient')}"
    if made.state == ImportState.DONE:
        left = f" {plural(made.skipped, 'patient')} could no longer be registered." if made.skipped else ""
        return f"{plural(made.registered, 'patient')} registered.{left}"
    if made.state == ImportState.READY:
        return f"{count(made.new)} new, {count(made.changed)} changed, {count(made.same)} already the same"
    return {ImportState.STOPPED: "This file was stopped. Nothing was changed."}.get(
        ImportState(made.state), "This upload was cancelled and deleted. Nothing was changed."
    )


def progress(made: Import) -> tuple[int, int] | None:
    """How many of how many, where they can be counted."""
    if made.run and made.run.state == RunState.UNDOING:
        done = made.run.taken_back + made.run.kept
        return done, done + made.run.changed
    return (made.run.done, made.run.total) if made.run else None


@dataclass(frozen=True)
class Change:
    """A patient whose recorded decision the file would change."""

    number: int
    patient: Patient
    becomes: str
    day: datetime.date | None


def changes(made: Import) -> list[Change]:
    """The first decisions that would change; refusals that would end stand first."""
    if made.kind != ImportKind.DECISIONS or not made.changed:
        return []
    ends_refusal = Q(patient__consent_state=ConsentState.EXPRESS_DISSENT)
    rows = _rows(made, RowVerdict.CHANGED).select_related("patient")
    first = rows.order_by(Case(When(ends_refusal, then=0), default=1), "number")[:SHOWN]
    return [
        Change(row.number, row.patient, Preference(row.preference).label, row.day)
        for row in first
        if row.patient
    ]


def bad_rows(made: Import) -> list[ImportRow]:
    """The first rows that cannot be used."""
    return list(_rows(made, RowVerdict.BAD)[:SHOWN])


def _rows(made: Import, verdict: RowVerdict) -> QuerySet[ImportRow]:
    return made.rows.filter(verdict=verdict).order_by("number")


def facts(made: Import) -> list[dict[str, str]]:
    """What is known of the file, for a summary list."""
    rows = [
        {"key": "File", "value": made.file_name},
        {"key": "Uploaded", "value": f"{nhs_datetime(made.uploaded_at)} by {made.uploaded_by.short_name}"},
        {"key": "Rows", "value": count(made.total)},
    ]
    if made.approved_by:
        when = f"{nhs_datetime(made.approved_at)} by {made.approved_by.short_name}"
        rows.append({"key": "Approved", "value": when})
    return rows
