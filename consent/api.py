"""The API of patients and their decisions."""

import uuid
from collections.abc import Sequence
from typing import Any

from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from carerecords import access
from carerecords.api import PROBLEM_JSON, CareView, problem, read_input
from carerecords.api_shapes import next_address, problems, term
from carerecords.models import AccessEvent, Patient, Practice
from carerecords.permissions import Permission
from consent import api_examples, api_recording, corrections, listed, wording
from consent.actions import CannotUndo, DecisionChanged
from consent.api_door import check_sensitive, open_event, open_patient
from consent.api_shapes import (
    ConflictShape,
    DecisionShape,
    DecisionsShape,
    FindShape,
    InvalidShape,
    NewDecisionShape,
    PatientPageShape,
    PatientQuery,
    PatientShape,
    RecordedShape,
)
from consent.codes import ConsentState, EventKind
from consent.list_query import ListQuery
from consent.models import ConsentEvent
from consent.patient_list import patient_page
from consent.queries import history, last_event, was_undone

NOBODY_FOUND = "No patient of your practice has this NHS number and date of birth."
ROW_GONE = "This patient is no longer in the list. Begin with the first page"
CANNOT_UNDO = "This decision was already undone, or is not one that can be. Nothing was changed."
CHANGED = {
    (409, PROBLEM_JSON): OpenApiResponse(ConflictShape, description="Another decision came first; not saved.")
}


class PatientsView(CareView):
    """The practice's patients."""

    permission = Permission.FIND_PATIENTS

    @extend_schema(
        operation_id="patients_list",
        parameters=[PatientQuery],
        responses={200: PatientPageShape, **problems(400)},
    )
    def get(self, request: Request) -> Response:
        """Living, registered patients by family name, 50 at a time."""
        asked = read_input(PatientQuery, request.query_params.dict())
        query = ListQuery.of({name: str(value) for name, value in asked.items()})
        page = patient_page(_practice(self), query, gps=[])
        if "after" in asked and not page.query.after:
            raise ValidationError({"after": [ROW_GONE]})
        access.record(self.care, AccessEvent.Kind.LISTED, detail="api: patients", rows=len(page.rows))
        after = page.rows[-1].public_id if page.has_next else None
        body = {"results": page.rows, "total": page.matched, "next": next_address(self.care, after)}
        return Response(PatientPageShape(body).data)


class FindView(CareView):
    """One patient by two facts, which travel in the body: addresses end up in logs."""

    permission = Permission.FIND_PATIENTS
    throttle_scope = "api_find"

    @extend_schema(
        operation_id="patients_find",
        request=FindShape,
        examples=api_examples.OF_FIND,
        responses={200: PatientShape, **problems(400, 404, 413)},
    )
    def post(self, request: Request) -> Response:
        """The patient of the practice who has this NHS number and this date of birth."""
        wanted = read_input(FindShape, request.data)
        patient = _practice(self).patients.select_related("usual_gp").filter(**wanted).first()
        kind, detail = AccessEvent.Kind.SEARCHED, "api: patient by NHS number and date of birth"
        access.record(self.care, kind, patient=patient, detail=detail, rows=int(patient is not None))
        if patient is None:
            raise NotFound(NOBODY_FOUND)
        check_sensitive(self.care, patient)
        return Response(_drawn(patient))


class PatientView(CareView):
    """One patient."""

    permission = Permission.FIND_PATIENTS

    @extend_schema(operation_id="patients_read", responses={200: PatientShape, **problems(404)})
    def get(self, request: Request, public_id: uuid.UUID) -> Response:
        """One patient of the practice: who it is, what they decided, what became of the upload."""
        patient = open_patient(self.care, public_id)
        access.record(self.care, AccessEvent.Kind.VIEWED, patient=patient, detail="api: patient")
        return Response(_drawn(patient))


class DecisionsView(CareView):
    """What one patient decided."""

    permission = Permission.FIND_PATIENTS

    @property
    def throttle_scope(self) -> str:  # type: ignore[override]
        return "api_write" if self.request.method == "POST" else "api_read"

    @extend_schema(operation_id="decisions_list", responses={200: DecisionsShape, **problems(404)})
    def get(self, request: Request, public_id: uuid.UUID) -> Response:
        """Every decision and every taking back, newest first. Nothing is ever deleted."""
        patient = open_patient(self.care, public_id)
        access.record(self.care, AccessEvent.Kind.VIEWED, patient=patient, detail="api: decisions")
        return Response(DecisionsShape(_decisions(patient, history(patient))).data)

    @extend_schema(
        operation_id="decisions_record",
        request=NewDecisionShape,
        examples=api_examples.OF_DECISION,
        responses={201: RecordedShape, 200: RecordedShape, **problems(400, 404, 413), **CHANGED},
    )
    def post(self, request: Request, public_id: uuid.UUID) -> Response:
        """Records what the patient decided, and asks for the upload or removal that follows.

        201 when it was recorded now; 200 when the same `key` had recorded it before.
        """
        patient = open_patient(self.care, public_id)
        sent = read_input(NewDecisionShape, request.data)
        at = timezone.now()
        try:
            done = api_recording.record(self.care, patient, sent, at)
        except DecisionChanged as changed:
            return _conflict(patient, changed.current, sent)
        return Response(RecordedShape(done).data, status=201 if api_recording.is_new(done, at) else 200)


class UndoView(CareView):
    """Taking a decision back."""

    permission = Permission.FIND_PATIENTS
    throttle_scope = "api_write"

    @extend_schema(
        operation_id="decisions_undo", request=None, responses={200: RecordedShape, **problems(404, 409)}
    )
    def post(self, request: Request, public_id: uuid.UUID) -> Response:
        """One's own decision while its upload waits; others', and later, with a right to it.

        What was before holds again. If it had been sent, its removal is asked for.
        """
        event = open_event(self.care, public_id)
        if event.kind != EventKind.DECISION or was_undone(event):
            return problem(409, CANNOT_UNDO)
        try:
            done = api_recording.undo(self.care, event.patient, event, timezone.now())
        except CannotUndo:
            return problem(409, CANNOT_UNDO)
        return Response(RecordedShape(done).data)


class InvalidView(CareView):
    """Marking a decision as recorded in error."""

    permission = Permission.REVERSE_ANY_DECISION
    throttle_scope = "api_write"

    @extend_schema(
        operation_id="decisions_invalid",
        request=InvalidShape,
        examples=api_examples.OF_INVALID,
        responses={200: RecordedShape, **problems(400, 404, 409, 413)},
    )
    def post(self, request: Request, public_id: uuid.UUID) -> Response:
        """However old it is. It stays to be read, with the reason; what was before it holds again."""
        event = open_event(self.care, public_id)
        sent = read_input(InvalidShape, request.data)
        if event.kind != EventKind.DECISION or was_undone(event):
            return problem(409, CANNOT_UNDO)
        try:
            done = corrections.invalidate(
                self.care, event.patient, event, sent["note"], timezone.now(), page="api: "
            )
        except CannotUndo:
            return problem(409, CANNOT_UNDO)
        return Response(RecordedShape(done).data)


def _practice(view: CareView) -> Practice:
    if view.care.practice is None:
        raise Http404
    return view.care.practice


def _drawn(patient: Patient) -> Any:
    return PatientShape(listed.one(patient.pk)).data


def _decisions(patient: Patient, events: Sequence[ConsentEvent]) -> dict[str, Any]:
    current = next((event.public_id for event in events if event.pk == patient.consent_event_id), None)
    for event in events:
        event.patient = patient
    state = term(patient.consent_state, ConsentState(patient.consent_state).label)
    return {"state": state, "current": current, "results": events}


def _conflict(patient: Patient, current: ConsentEvent | None, sent: dict[str, Any]) -> Response:
    """Both answers; the sentence says who was first, as the page does."""
    patient.refresh_from_db()
    latest = last_event(patient)
    said = wording.happened(latest, timezone.now()) if latest else "The decision was undone."
    if current is not None:
        current.patient = patient
    return problem(
        409,
        f"{said} Your answer was not saved.",
        current=DecisionShape(current).data if current else None,
        yours=NewDecisionShape(sent).data,
    )
