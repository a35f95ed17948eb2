"""Reading consent: events of a patient, and what they amount to."""

import uuid
from collections import defaultdict
from collections.abc import Sequence

from django.db import connection
from django.db.models import QuerySet

from carerecords.models import Patient
from consent.codes import Preference, Source
from consent.models import ConsentEvent
from consent.rules import Event

# In the order of the fields of `Event`.
_EVENTS = """
SELECT patient_id, id, preference, source, decided_on, effective_from, recorded_at, reverses_id, supersedes_id
FROM consent_consentevent WHERE patient_id = ANY(%s) ORDER BY id
"""


def as_rule_event(row: ConsentEvent) -> Event:
    """The fields that rules look at."""
    return Event(
        sequence=row.pk,
        preference=Preference(row.preference) if row.preference else None,
        source=Source(row.source) if row.source else None,
        decided_on=row.decided_on,
        effective_from=row.effective_from,
        recorded_at=row.recorded_at,
        reverses=row.reverses_id,
        supersedes=row.supersedes_id,
    )


def events_of(patient: Patient) -> list[Event]:
    """All events of a patient, as recorded."""
    return events_of_many([patient.pk])[patient.pk]


def events_of_many(patient_ids: Sequence[int]) -> defaultdict[int, list[Event]]:
    """All events of each patient, as recorded. Every decision reads them, so no model is made of any."""
    events: defaultdict[int, list[Event]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(_EVENTS, [list(patient_ids)])
        for patient, sequence, preference, source, *rest in cursor.fetchall():
            told = Preference(preference) if preference else None
            came_by = Source(source) if source else None
            events[patient].append(Event(sequence, told, came_by, *rest))
    return events


def current_event(patient: Patient) -> ConsentEvent | None:
    """The event on which the patient's present state rests."""
    if patient.consent_event_id is None:
        return None
    return ConsentEvent.objects.select_related("recorded_by").get(pk=patient.consent_event_id)


def history(patient: Patient) -> list[ConsentEvent]:
    """All events, newest first, with their recorders and reversals."""
    return list(_with_people(patient).order_by("-pk"))


def _with_people(patient: Patient) -> QuerySet[ConsentEvent]:
    return ConsentEvent.objects.filter(patient=patient).select_related(
        "patient", "practice", "recorded_by", "reverses", "reversed_by", "reversed_by__recorded_by"
    )


def event_id_of(patient: Patient, public_id: uuid.UUID | None) -> int | None:
    """The event that a page named as the one it showed; None for none.

    One that is not the patient's is taken for a page that is out of date: no event has id 0.
    """
    if public_id is None:
        return None
    found = ConsentEvent.objects.filter(patient=patient, public_id=public_id).values_list("pk", flat=True)
    return found.first() or 0


def event_of(patient: Patient, public_id: uuid.UUID) -> ConsentEvent | None:
    """One event of the patient, with what took it back."""
    return _with_people(patient).filter(public_id=public_id).first()


def last_event(patient: Patient) -> ConsentEvent | None:
    """The event recorded last, which need not be the one that holds."""
    return _with_people(patient).order_by("-pk").first()


def was_undone(event: ConsentEvent) -> bool:
    """Whether a later event took this one back. No query for events read here."""
    return getattr(event, "reversed_by", None) is not None


def event_of_form(form_key: uuid.UUID) -> int | None:
    """The event that this form made, if it was sent before. Every tick asks, and hardly any was."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM consent_consentevent WHERE form_key = %s", [form_key])
        found = cursor.fetchone()
    return found[0] if found else None


def was_sent(patient: Patient, form_key: uuid.UUID | None) -> bool:
    """Whether this form made an event already."""
    return form_key is not None and ConsentEvent.objects.filter(patient=patient, form_key=form_key).exists()
