"""Reading consent: events of a patient, and what they amount to."""

from carerecords.models import Patient
from consent.codes import Preference, Source
from consent.models import ConsentEvent
from consent.rules import Event


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
    rows = ConsentEvent.objects.filter(patient=patient).order_by("pk")
    return [as_rule_event(row) for row in rows]


def current_event(patient: Patient) -> ConsentEvent | None:
    """The event on which the patient's present state rests."""
    if patient.consent_event_id is None:
        return None
    return ConsentEvent.objects.select_related("recorded_by").get(pk=patient.consent_event_id)


def history(patient: Patient) -> list[ConsentEvent]:
    """All events, newest first, with their recorders and reversals."""
    return list(
        ConsentEvent.objects.filter(patient=patient)
        .select_related("recorded_by", "reverses", "reversed_by", "practice")
        .order_by("-pk")
    )
