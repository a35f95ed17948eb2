"""The same answer for many patients: decisions recorded and taken back in a few statements.

`consent.actions` does this for one patient; what follows from a decision is the same here, and a
test holds the two against each other on random histories. Cost: a dozen statements a chunk, whatever
its size; some 30 microseconds a patient. Each chunk is the caller's transaction and holds its
patients' rows, so a tick in the browser waits for one chunk at most.
"""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from carerecords import upload_queue
from carerecords.models import Cause, User
from consent import derivation, verdicts
from consent.codes import ConsentState, EventKind, RowResult

# What the caller's query must give, in any order. One row a patient.
COLUMNS = (
    "row_id",
    "patient_id",
    "preference",
    "source",
    "decided_on",
    "reference",
    "note",
    "representative_name",
    "representative_authority",
    "check_seen",
    "seen_event",
)

# The lock that every change of a patient's facts takes, in the order that every writer keeps.
_LOCK = """
SELECT count(*) FROM (
    SELECT patient.id FROM carerecords_patient AS patient
    WHERE patient.id IN (SELECT patient_id FROM ({rows}) AS asked ({columns}))
    ORDER BY patient.id FOR UPDATE) AS locked
"""

# Judged under the lock. Events get their ids here, so that nothing has to be looked up again.
_JUDGE = f"""
CREATE TEMPORARY TABLE many ON COMMIT DROP AS
SELECT judged.*, CASE WHEN verdict = 'CHANGED:' THEN nextval('consent_consentevent_id_seq') END AS event_id
FROM (SELECT asked.*, patient.practice_id, patient.consent_event_id, {verdicts.DECISION} AS verdict
      FROM ({{rows}}) AS asked ({{columns}})
      JOIN carerecords_patient AS patient ON patient.id = asked.patient_id ORDER BY asked.row_id) AS judged
"""

_RECORD = """
INSERT INTO consent_consentevent (id, public_id, patient_id, practice_id, kind, preference, source, decided_on,
    effective_from, reference, note, representative_name, representative_authority, supersedes_id, recorded_at,
    recorded_by_id, run_id)
SELECT event_id, gen_random_uuid(), patient_id, practice_id, %(decision)s, preference, source, decided_on,
    decided_on, reference, note, representative_name, representative_authority, consent_event_id, %(at)s,
    %(by)s, %(run)s
FROM many WHERE event_id IS NOT NULL
"""

# The newest decision in effect wins, and it was recorded in view of the one before (`supersedes`); implied
# consent gives way to anything said, and takes no place of it (`rules.state_from`). Where
# a later day already stands nothing follows; where one is still to come, the rules are asked.
_DERIVE_PLAIN = """
UPDATE carerecords_patient AS patient
SET consent_state = many.preference, consent_source = many.source, consent_decided_on = many.decided_on,
    consent_event_id = many.event_id
FROM many
WHERE patient.id = many.patient_id AND many.event_id IS NOT NULL AND patient.consent_changes_on IS NULL
  AND CASE WHEN patient.consent_event_id IS NULL OR patient.consent_state = 'IMPLIED_CORE'
               AND many.preference <> 'IMPLIED_CORE' THEN true
           WHEN many.preference = 'IMPLIED_CORE' AND patient.consent_state <> 'IMPLIED_CORE' THEN false
           ELSE patient.consent_decided_on <= many.decided_on END
"""

_STATES = """
SELECT patient.id, patient.consent_state, patient.consent_changes_on IS NOT NULL
FROM many JOIN carerecords_patient AS patient ON patient.id = many.patient_id
WHERE many.event_id IS NOT NULL
"""

_TAKE_BACK = """
WITH standing AS (
    SELECT event.id, event.patient_id, event.practice_id FROM consent_consentevent AS event
    WHERE event.id = ANY(%(events)s)
      AND NOT EXISTS (SELECT 1 FROM consent_consentevent AS back WHERE back.reverses_id = event.id))
INSERT INTO consent_consentevent (public_id, patient_id, practice_id, kind, preference, source, reference, note,
    representative_name, representative_authority, reverses_id, recorded_at, recorded_by_id, run_id)
SELECT gen_random_uuid(), patient_id, practice_id, %(kind)s, '', '', '', %(note)s, '', '', id, %(at)s, %(by)s, %(run)s
FROM standing ORDER BY id
RETURNING patient_id
"""


@dataclass(frozen=True)
class Outcome:
    """What became of one row: its result, and why it was left alone."""

    row_id: int
    result: RowResult
    why: str


def record_many(
    rows_sql: str,
    params: Mapping[str, Any],
    *,
    practice_id: int,
    run_id: int | None,
    by: User,
    at: datetime.datetime,
    same_is_enough: bool,
    adults_only: bool = False,
) -> list[Outcome]:
    """Records one decision for each row of a query, in the caller's transaction.

    `rows_sql` yields `COLUMNS`, at most one row a patient, already checked for what needs no database
    (reference for letters and forms, known codes, dates not in the future). `same_is_enough`: who is
    in that state already is left alone, else only the very same decision counts as there already.
    `adults_only`: leaves out children, of whom it must be said who decided.
    """
    rule = verdicts.decision_params(
        practice_id, timezone.localdate(at), same_is_enough=same_is_enough, adults_only=adults_only
    )
    asked = {"rows": rows_sql, "columns": ", ".join(COLUMNS)}
    with connection.cursor() as cursor:
        cursor.execute(_LOCK.format(**asked), params)
        cursor.execute(_JUDGE.format(**asked), {**params, **rule})
        cursor.execute("ANALYZE many")
        cursor.execute(_RECORD, {"decision": EventKind.DECISION.value, "at": at, "by": by.pk, "run": run_id})
        cursor.execute(_DERIVE_PLAIN)
        cursor.execute(_STATES)
        found = cursor.fetchall()
        outcomes = _outcomes(cursor)
        cursor.execute("DROP TABLE many")
    states = {patient: ConsentState(state) for patient, state, _ in found}
    states |= derivation.derive_many([patient for patient, _, changes in found if changes], at)
    ask_many(states, cause=Cause.DECISION, by=by, at=at)
    return outcomes


def take_back_many(
    event_ids: list[int],
    *,
    kind: EventKind,
    note: str,
    run_id: int | None,
    by: User,
    at: datetime.datetime,
) -> set[int]:
    """Takes back those of the events that still stand; returns their patients.

    In the caller's transaction, which holds the patients' locks (`lock`). What was before holds again.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            _TAKE_BACK,
            {"events": event_ids, "kind": kind.value, "note": note, "at": at, "by": by.pk, "run": run_id},
        )
        patients = {patient for (patient,) in cursor.fetchall()}
    states = derivation.derive_many(sorted(patients), at)
    ask_many(states, cause=Cause.UNDO, by=by, at=at)
    return patients


def lock(patient_ids: list[int]) -> None:
    """Takes the patients' locks, in the order that every writer keeps."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM (SELECT id FROM carerecords_patient WHERE id = ANY(%s) "
            "ORDER BY id FOR UPDATE) AS locked",
            [patient_ids],
        )


def ask_many(
    states: Mapping[int, ConsentState], *, cause: Cause, by: User | None, at: datetime.datetime
) -> None:
    """Asks for what each state calls for: `consent.actions` for many."""
    window = datetime.timedelta(seconds=settings.UNDO_WINDOW_SECONDS)
    wanted: dict[str, list[int]] = {"upload": [], "withdraw": [], "nothing": []}
    for patient, state in states.items():
        if verb := derivation.calls_for(state):
            wanted[verb].append(patient)
    upload_queue.request_uploads(wanted["upload"], cause=cause, by=by, at=at, not_before=at + window)
    upload_queue.request_withdrawals(wanted["withdraw"], cause=cause, by=by, at=at)
    at_store = set(upload_queue.may_be_at_store_many(wanted["nothing"]))
    upload_queue.request_withdrawals(sorted(at_store), cause=cause, by=by, at=at)
    upload_queue.cancel_open_many(
        [patient for patient in wanted["nothing"] if patient not in at_store],
        reason=upload_queue.NOTHING_ASKED,
        at=at,
    )


def _outcomes(cursor: CursorWrapper) -> list[Outcome]:
    cursor.execute("SELECT row_id, verdict FROM many ORDER BY row_id")
    return [Outcome(row, *verdicts.read(verdict)) for row, verdict in cursor.fetchall()]
