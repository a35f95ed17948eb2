"""Patients as lists show them: flat rows, each with its usual GP and its newest upload job.

One statement a page and no model instances: those, and building such a statement from the ORM's parts,
cost several times what the database needs for it (docs/performance.md).
"""

import datetime
import uuid
from typing import Any, NamedTuple

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models.sql.compiler import SQLCompiler

from carerecords.keyset import Key, Start
from carerecords.models import Practice
from carerecords.models.patient import PatientQuerySet
from carerecords.models.staff import short_name

_HERE = "carerecords_patient.practice_id = %s AND carerecords_patient.left_on IS NULL \
AND carerecords_patient.died_on IS NULL"
_EVERYBODY = "carerecords_patient.practice_id = %s"
_COUNT = "SELECT count(*) FROM carerecords_patient WHERE"
_FOUND_FIRST = """carerecords_patient.id = ANY(ARRAY(
    SELECT carerecords_patient.id FROM carerecords_patient WHERE {where} LIMIT {few}))"""
_ROWS = """
SELECT carerecords_patient.id, carerecords_patient.public_id, carerecords_patient.nhs_number,
    carerecords_patient.title, carerecords_patient.given_name, carerecords_patient.family_name,
    carerecords_patient.born_on, carerecords_patient.is_sensitive, carerecords_patient.registered_on,
    carerecords_patient.left_on, carerecords_patient.died_on, carerecords_patient.letter_sent_on,
    carerecords_patient.consent_state, carerecords_patient.consent_source,
    carerecords_patient.consent_decided_on, gp.title, gp.given_name, gp.family_name, job.*{counts}
FROM carerecords_patient
LEFT JOIN carerecords_user AS gp ON gp.id = carerecords_patient.usual_gp_id
LEFT JOIN LATERAL (
    SELECT public_id, kind, state, due_at, finished_at, headline, reasons[1] FROM carerecords_uploadjob
    WHERE patient_id = carerecords_patient.id ORDER BY id DESC LIMIT 1) AS job ON true
WHERE {where}
"""


class ListedGp(NamedTuple):
    """Whose patient somebody usually is."""

    short_name: str


class ListedJob(NamedTuple):
    """The newest upload job, as far as lists tell of it."""

    public_id: uuid.UUID
    kind: str
    state: str
    due_at: datetime.datetime | None
    finished_at: datetime.datetime | None
    headline: str
    first_reason: str | None


class Listed(NamedTuple):
    """A patient in a list. The names are those of `Patient`."""

    pk: int
    public_id: uuid.UUID
    nhs_number: str
    title: str
    given_name: str
    family_name: str
    born_on: datetime.date
    is_sensitive: bool
    registered_on: datetime.date
    left_on: datetime.date | None
    died_on: datetime.date | None
    letter_sent_on: datetime.date | None
    consent_state: str
    consent_source: str
    consent_decided_on: datetime.date | None
    usual_gp: ListedGp | None
    job: ListedJob | None


class Found(NamedTuple):
    """Rows as they were asked for; how many are on the practice's list, and how many match."""

    rows: list[Listed]
    total: int
    matched: int


def one(patient_id: int) -> Listed:
    """One patient as lists show them. Raises `IndexError` if there is none."""
    return _read(_ROWS.format(counts="", where="carerecords_patient.id = %s"), [patient_id])[0][0]


def find(
    practice: Practice,
    matching: PatientQuerySet | None,
    key: Key,
    start: Start | None,
    most: int,
    *,
    few: int | None = None,
) -> Found:
    """Up to `most` rows that match, from `start` on, in one statement; None: all who are here.

    `few`: no more than so many can matter, as of a search, so they are found first and put in order then;
    of more than that, any. A start that nobody of the practice is finds no rows, and costs a second
    statement for the counts.
    """
    where, params = _condition(practice, matching)
    counts, counted = f"({_COUNT} {_HERE}), ({_COUNT} {where})", [practice.pk, *params]
    if matching is None:
        counts, counted = f"({_COUNT} {_HERE})", [practice.pk]
    beyond, after = where, list(params)
    if few is not None:
        # Else the list may be walked from A to Z for whoever is called Wright.
        beyond = _FOUND_FIRST.format(where=where, few=few)
    if start is not None:
        beyond = f"{beyond} AND {key.beyond(start, 'carerecords_patient', _EVERYBODY)}"
        after += [practice.pk, start.row]
    sql = _ROWS.format(counts=f", {counts}", where=beyond)
    found = _read(f"{sql} ORDER BY {key.order(start)} LIMIT {most}", [*counted, *after])
    rows = [row for row, _ in found]
    sizes = found[0][1] if found else _sizes(f"SELECT {counts}", counted)
    return Found(rows, sizes[0], sizes[-1])


def _condition(practice: Practice, matching: PatientQuerySet | None) -> tuple[str, list[Any]]:
    if matching is None:
        return _HERE, [practice.pk]
    compiler: SQLCompiler = matching.query.get_compiler(connection=connection)
    try:
        where, params = matching.query.where.as_sql(compiler, connection)
    except EmptyResultSet:
        return "false", []
    return where, list(params)


def _read(sql: str, params: list[Any]) -> list[tuple[Listed, tuple[int, ...]]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return [(_listed(row), row[25:]) for row in cursor.fetchall()]


def _listed(row: tuple[Any, ...]) -> Listed:
    gp = ListedGp(short_name(*row[15:18])) if row[17] is not None else None
    job = ListedJob(*row[18:25]) if row[18] is not None else None
    return Listed._make((*row[:15], gp, job))


def _sizes(sql: str, params: list[Any]) -> tuple[int, ...]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        sizes: tuple[int, ...] = cursor.fetchone() or ()
    return sizes
