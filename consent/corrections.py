"""Putting decisions right: one that was recorded in error, or two that disagree; each with its line in
the access log."""

import datetime
import uuid
from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone

from carerecords import access
from carerecords.formats import nhs_time
from carerecords.middleware import CareRequest
from carerecords.models import AccessEvent, JobKind, Patient
from consent import rules, wording
from consent.actions import Evidence, Recorded, invalidate_decision, record_decision
from consent.codes import ConsentState, Preference, Source
from consent.models import ConsentEvent
from consent.queries import as_rule_event, events_of

CONFIRMED = "Confirmed, after two decisions of the same day disagreed."


@transaction.atomic
def invalidate(
    request: CareRequest,
    patient: Patient,
    event: ConsentEvent,
    note: str,
    at: datetime.datetime,
    *,
    page: str = "",
) -> Recorded:
    """Marks a decision as recorded in error; raises as `invalidate_decision` does."""
    done = invalidate_decision(event=event, note=note, by=request.user, at=at)
    detail = f"{page}{event.preference} marked as invalid, back to {done.state.value}"
    access.record(request, AccessEvent.Kind.UNDO, patient=patient, detail=detail)
    return done


def said_after(done: Recorded, patient: Patient) -> str:
    """After marking a decision: what holds again, and whether anything is taken back."""
    said = f"Decision marked as recorded in error for {wording.name_of(patient)}. "
    said += f"What holds now: {wording.STATES[done.state]}."
    if done.job and done.job.kind == JobKind.WITHDRAWAL:
        said += f" Removal from the Spine was asked for at {nhs_time(done.job.requested_at)}."
    return said


def state_without(patient: Patient, event: ConsentEvent, at: datetime.datetime) -> ConsentState:
    """What would hold if the event were taken back now."""
    events = events_of(patient)
    gone = rules.Event(
        sequence=max(one.sequence for one in events) + 1,
        preference=None,
        source=None,
        decided_on=None,
        effective_from=None,
        recorded_at=at,
        reverses=event.pk,
    )
    return rules.state_from([*events, gone], timezone.localdate(at)).state


def rivals(events: Sequence[ConsentEvent], today: datetime.date) -> list[ConsentEvent]:
    """Of a patient's events those between which a conflict stands, the newest of each answer, as
    recorded; none without one."""
    newest = {one.preference: one.sequence for one in rules.rivals(map(as_rule_event, events), today)}
    sides = set(newest.values())
    return sorted((one for one in events if one.pk in sides), key=lambda one: one.pk)


@transaction.atomic
def confirm(
    request: CareRequest,
    patient: Patient,
    event: ConsentEvent,
    *,
    seen: int | None,
    form_key: uuid.UUID | None,
    at: datetime.datetime,
) -> Recorded:
    """Records one side of a conflict again, in knowledge of the other, which it so replaces.

    Raises `DecisionChanged` when something else stands than was `seen`.
    """
    done = record_decision(
        patient=patient,
        preference=Preference(event.preference),
        evidence=Evidence(
            source=Source(event.source),
            reference=event.reference,
            note=CONFIRMED,
            representative_name=event.representative_name,
            representative_authority=event.representative_authority,
        ),
        decided_on=event.decided_on or timezone.localdate(at),
        by=request.user,
        at=at,
        seen=seen,
        form_key=form_key,
    )
    if done.event.recorded_at == at:  # else this form was sent before
        detail = f"CONFLICT to {event.preference}, confirmed"
        access.record(request, AccessEvent.Kind.DECISION, patient=patient, detail=detail)
    return done
