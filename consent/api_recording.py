"""Recording by the API: the pages' form judges it, so that one rule cannot have two readings."""

import datetime
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from rest_framework.exceptions import PermissionDenied, ValidationError

from carerecords import access
from carerecords.middleware import CareRequest
from carerecords.models import AccessEvent, Patient
from carerecords.permissions import Permission, roles_with
from consent import recording
from consent.actions import UNSEEN, DecisionRefused, Recorded, record_decision, undo_decision
from consent.codes import PERMITTING, Preference
from consent.forms import NEEDED, DecisionForm
from consent.models import ConsentEvent
from consent.queries import event_id_of

NOTHING_TO_WITHDRAW = "There is no consent to withdraw. Record a refusal if the patient refuses"
NAME_WHAT_YOU_SAW = "The patient refused. To record consent now, send the refusal's id as seen"


def record(
    request: CareRequest, patient: Patient, sent: Mapping[str, Any], at: datetime.datetime
) -> Recorded:
    """Records the decision and the line of the access log, both or neither.

    Raises `NotPermitted`, a `ValidationError` that names each field, or `DecisionChanged`.
    """
    preference = Preference(sent["preference"])
    access.check(request, NEEDED[preference], patient=patient)
    if preference is Preference.WITHDRAWN and not may_withdraw(patient):
        raise ValidationError({"preference": [NOTHING_TO_WITHDRAW]})
    form = _form(request, patient, sent, at)
    if "seen" not in sent and recording.turns_refusal(patient, preference):
        raise ValidationError({"seen": [NAME_WHAT_YOU_SAW]})
    try:
        return _store(request, patient, form, sent, at)
    except DecisionRefused as refused:
        raise ValidationError({refused.field: [str(refused)]}) from None


def undo(request: CareRequest, patient: Patient, event: ConsentEvent, at: datetime.datetime) -> Recorded:
    """Takes a decision back, if the role may; raises `CannotUndo` if it does not stand."""
    _check_may_undo(request, patient, event, at)
    with transaction.atomic():
        done = undo_decision(event=event, by=request.user, at=at)
        detail = f"api: {event.preference} back to {done.state.value}"
        access.record(request, AccessEvent.Kind.UNDO, patient=patient, detail=detail)
    return done


def _form(
    request: CareRequest, patient: Patient, sent: Mapping[str, Any], at: datetime.datetime
) -> DecisionForm:
    day, month, year = sent["decided_on"].strftime("%d %m %Y").split()
    typed = {name: value for name, value in sent.items() if value is not None}
    parts = {"decided_on_day": day, "decided_on_month": month, "decided_on_year": year}
    may = request.role.rule.permissions if request.role else frozenset()
    form = DecisionForm(typed | parts, patient=patient, may=may, today=timezone.localdate(at))
    if not form.is_valid():
        raise ValidationError({name: [str(each) for each in errors] for name, errors in form.errors.items()})
    return form


@transaction.atomic
def _store(
    request: CareRequest, patient: Patient, form: DecisionForm, sent: Mapping[str, Any], at: datetime.datetime
) -> Recorded:
    before = patient.consent_state
    done = record_decision(
        patient=patient,
        preference=Preference(sent["preference"]),
        evidence=form.evidence,
        decided_on=sent["decided_on"],
        by=request.user,
        at=at,
        seen=event_id_of(patient, sent["seen"]) if "seen" in sent else UNSEEN,
        form_key=sent.get("key"),
    )
    if is_new(done, at):
        detail = f"api: {before} to {done.event.preference}"
        access.record(request, AccessEvent.Kind.DECISION, patient=patient, detail=detail)
    return done


def may_withdraw(patient: Patient) -> bool:
    """Only a consent that stands can be withdrawn, as on the pages."""
    return patient.consent_state in {one.value for one in PERMITTING}


def is_new(done: Recorded, at: datetime.datetime) -> bool:
    """Not so, when the same key had recorded it before."""
    return done.event.recorded_at == at


def _check_may_undo(
    request: CareRequest, patient: Patient, event: ConsentEvent, at: datetime.datetime
) -> None:
    window = datetime.timedelta(seconds=settings.UNDO_WINDOW_SECONDS)
    if recording.may_undo(request, event, at, window):
        return
    own = event.recorded_by_id == request.user.pk and request.can(Permission.REVERSE_OWN_DECISION)
    if not own:
        access.check(request, Permission.REVERSE_ANY_DECISION, patient=patient)
    access.record(request, AccessEvent.Kind.REFUSED, patient=patient, detail="api: undo after its time")
    who = ", ".join(role.rule.name for role in roles_with(Permission.REVERSE_ANY_DECISION))
    raise PermissionDenied(
        f"The time to undo this decision yourself has passed. This can still be done by: {who}."
    )
