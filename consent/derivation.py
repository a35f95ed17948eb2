"""The derived columns of many patients, from all their events, by the same rule as for one."""

import datetime
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from django.db import connection
from django.utils import timezone

from consent import rules
from consent.codes import ConsentState
from consent.queries import events_of_many
from consent.rules import Derived

Verb = Literal["upload", "withdraw", "nothing"]

_WRITE = """
UPDATE carerecords_patient AS patient
SET consent_state = derived.state, consent_source = derived.source, consent_decided_on = derived.decided_on,
    consent_event_id = derived.event_id, consent_changes_on = derived.changes_on
FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::date[], %s::bigint[], %s::date[])
    AS derived (id, state, source, decided_on, event_id, changes_on)
WHERE patient.id = derived.id
"""


def derive_many(patient_ids: Sequence[int], at: datetime.datetime) -> dict[int, ConsentState]:
    """Writes the patients' derived columns; returns their states. Two statements for any number.

    In the caller's transaction, which holds the patients' locks.
    """
    if not patient_ids:
        return {}
    today = timezone.localdate(at)
    events = events_of_many(patient_ids)
    derived = {patient: rules.state_from(events[patient], today) for patient in patient_ids}
    write(derived)
    return {patient: one.state for patient, one in derived.items()}


def write(derived: Mapping[int, Derived]) -> None:
    """Writes the derived columns of patients, by their ids. In the transaction that holds their locks."""
    with connection.cursor() as cursor:
        cursor.execute(_WRITE, _columns(derived))


def calls_for(state: ConsentState) -> Verb | None:
    """What a state asks of the upload queue; None leaves an open job, if any, to be held.

    `nothing`: no upload, and what is at the store is taken back.
    """
    # Implied consent is asked for too: whether it is enough, the gate decides by the nation's model.
    if rules.permits_upload(state) or state is ConsentState.IMPLIED_CORE:
        return "upload"
    if state is ConsentState.EXPRESS_DISSENT:
        return "withdraw"
    if state in {ConsentState.NONE, ConsentState.WITHDRAWN}:
        return "nothing"
    return None


def _columns(derived: Mapping[int, Derived]) -> list[list[Any]]:
    current = [one.event for one in derived.values()]
    return [
        list(derived),
        [one.state.value for one in derived.values()],
        [event.source.value if event and event.source else "" for event in current],
        [event.decided_on if event else None for event in current],
        [event.sequence if event else None for event in current],
        [one.changes_on for one in derived.values()],
    ]
