"""What happened, read from outside: the store's ledger over HTTP, and our rows with when each committed.

Plain SQL over a connection of its own, in one snapshot: nothing here asks the product's code.
"""

import datetime
import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from psycopg.rows import namedtuple_row

from config.embedded.services import DIRECT

PAGE = 10_000
Moment = datetime.datetime


class Line(NamedTuple):
    """An upload that the store accepted."""

    sequence: int
    received_at: Moment
    accepted_at: Moment
    nhs_number: str
    composition: str
    replaced: str
    is_blank: bool


class Event(NamedTuple):
    """One row of a history, and when it was there for others to see."""

    committed: Moment
    row: Any


@dataclass
class Seen:
    """Everything the invariants look at."""

    lines: list[Line]
    jobs: dict[int, Any]
    patients: dict[str, Any]
    intents: dict[str, list[Event]]
    receipts: dict[int, list[Event]]
    decisions: list[Event]
    consents: dict[int, list[Event]]
    stops: list[Event]
    positions: list[Event]
    stances: dict[int, list[Event]]
    gp_stances: dict[int, list[Event]]
    copies: dict[int, Any]
    mismatches: set[int]
    # How long a claimed job is its sender's.
    lease: datetime.timedelta


def ledger(base_url: str) -> list[dict[str, Any]]:
    """Every line of the store's ledger, in order."""
    lines: list[dict[str, Any]] = []
    while True:
        after = lines[-1]["sequence"] if lines else 0
        with DIRECT.open(f"{base_url}/ledger?after={after}&limit={PAGE}", timeout=60) as answer:
            page = [json.loads(line) for line in answer if line.strip()]
        lines += page
        if len(page) < PAGE:
            return lines


def look(database_url: str, base_url: str, lease: datetime.timedelta) -> Seen:
    """Reads it all. Everything must be at rest: what is sent meanwhile would be seen on one side only."""
    with psycopg.connect(database_url, row_factory=namedtuple_row) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ

        def rows(sql: str) -> list[Any]:
            return connection.execute(sql).fetchall()

        def events(table: str) -> list[Event]:
            found = rows(f"SELECT pg_xact_commit_timestamp(xmin) AS committed, * FROM {table} ORDER BY id")
            return [Event(row.committed, row) for row in found]

        intents: dict[str, list[Event]] = defaultdict(list)
        for event in events("spine_uploadattempt"):
            intents[str(event.row.composition_id)].append(event)
        return Seen(
            lines=[_line(line) for line in ledger(base_url) if _is_accepted(line)],
            jobs={row.id: row for row in rows("SELECT * FROM carerecords_uploadjob")},
            patients={
                row.nhs_number: row
                for row in rows(
                    "SELECT patient.*, practice.goes_live_on FROM carerecords_patient AS patient "
                    "JOIN carerecords_practice AS practice ON practice.id = patient.practice_id"
                )
            },
            intents=intents,
            receipts=_by(events("spine_receipt"), "job_id"),
            decisions=events("spine_gatedecision"),
            consents=_by(events("consent_consentevent"), "patient_id"),
            stops=events("spine_stoprevision"),
            positions=events("boycott_positionrevision"),
            stances=_by(events("boycott_stancerevision"), "practice_id"),
            gp_stances=_by(events("boycott_gpstancerevision"), "gp_id"),
            copies={row.patient_id: row for row in rows("SELECT * FROM spine_storecopy")},
            mismatches={
                row.patient_id
                for row in rows("SELECT patient_id FROM spine_permissionmismatch WHERE ended_at IS NULL")
            },
            lease=lease,
        )


def _is_accepted(line: dict[str, Any]) -> bool:
    return line["kind"] == "upload" and line["outcome"] == "accepted"


def _line(line: dict[str, Any]) -> Line:
    return Line(
        line["sequence"],
        _moment(line["received_at"]),
        _moment(line["accepted_at"]),
        line["nhs_number"],
        str(UUID(line["composition_id"])),
        (line["replaced_id"] or "").lower(),
        line["is_blank"],
    )


def _moment(text: str) -> Moment:
    return datetime.datetime.fromisoformat(text)


def _by(events: Iterable[Event], column: str) -> dict[int, list[Event]]:
    found: dict[int, list[Event]] = defaultdict(list)
    for event in events:
        found[getattr(event.row, column)].append(event)
    return found
