"""The API of uploads, and of why a record goes or does not."""

import datetime
import uuid
from typing import Any

from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from carerecords import access
from carerecords.api import CareView, read_input
from carerecords.api_shapes import next_address, problems
from carerecords.models import AccessEvent, Patient, Practice
from carerecords.permissions import Permission
from consent.api_door import check_sensitive, open_patient
from spine.api_detail import ExplainQuery, ExplanationShape, UploadDetailShape
from spine.api_shapes import UploadPageShape, UploadQuery
from spine.evidence import named
from spine.explain import SCOPE_WORDS, ReasonLine, explain, explain_as_of
from spine.facts import Loaded
from spine.gate import Decision
from spine.queries import UploadFilters, is_upload_of, upload_record, uploads_page

NO_SUCH_PLACE = "There is no such upload in the list. Begin with the first page"


class UploadsView(CareView):
    """The practice's uploads."""

    permission = Permission.SEE_UPLOADS

    @extend_schema(
        operation_id="uploads_list",
        parameters=[UploadQuery],
        responses={200: UploadPageShape, **problems(400)},
    )
    def get(self, request: Request) -> Response:
        """Uploads and withdrawals of the practice, newest first, 50 at a time."""
        asked = read_input(UploadQuery, request.query_params.dict())
        filters = UploadFilters(
            state=asked.get("state", ""),
            kind=asked.get("kind", ""),
            reason=asked.get("reason", ""),
            latest="yes" if asked["latest"] else "",
        )
        after = asked.get("after")
        if after is not None and not is_upload_of(_practice(self), after):
            raise ValidationError({"after": [NO_SUCH_PLACE]})
        page = uploads_page(_practice(self), filters, after)
        access.record(self.care, AccessEvent.Kind.LISTED, detail="api: uploads", rows=len(page.jobs))
        body = {"results": page.jobs, "total": page.total, "next": next_address(self.care, page.before)}
        return Response(UploadPageShape(body).data)


class UploadView(CareView):
    """One upload."""

    permission = Permission.SEE_UPLOADS

    @extend_schema(operation_id="uploads_read", responses={200: UploadDetailShape, **problems(404)})
    def get(self, request: Request, public_id: uuid.UUID) -> Response:
        """One upload with every check and its reasons, every send and every answer of the store."""
        found = upload_record(_practice(self), public_id)
        if found is None:
            raise Http404
        check_sensitive(self.care, found.job.patient)
        access.record(self.care, AccessEvent.Kind.VIEWED, patient=found.job.patient, detail="api: upload")
        evidence = named([decision.evidence for decision in found.decisions])
        by_decision = {row.pk: one for row, one in zip(found.decisions, evidence, strict=True)}
        context = {"found": found, "evidence": by_decision}
        return Response(UploadDetailShape(found.job, context=context).data)


class ExplainView(CareView):
    """Why a patient's record is uploaded or not."""

    permission = Permission.FIND_PATIENTS

    @extend_schema(
        operation_id="patients_explain",
        parameters=[ExplainQuery],
        responses={200: ExplanationShape, **problems(400, 404)},
    )
    def get(self, request: Request, public_id: uuid.UUID) -> Response:
        """The gate's answer with every reason, in the patient page's words; now, or as of a day."""
        patient = open_patient(self.care, public_id)
        now = timezone.now()
        asked = read_input(ExplainQuery, request.query_params.dict())
        on = _day(asked, patient.born_on, timezone.localdate(now))
        access.record(self.care, AccessEvent.Kind.VIEWED, patient=patient, detail="api: explain")
        body = _now(patient, now) if on is None else _as_of(patient, _end_of(on))
        return Response(ExplanationShape(body).data)


def _practice(view: CareView) -> Practice:
    if view.care.practice is None:
        raise Http404
    return view.care.practice


def _day(asked: dict[str, Any], born_on: datetime.date, today: datetime.date) -> datetime.date | None:
    """The past day asked for; None for now, which today is too."""
    on: datetime.date | None = asked.get("on")
    if on is not None and on > today:
        raise ValidationError({"on": ["Date must be today or in the past"]})
    if on is not None and on < born_on:
        raise ValidationError({"on": ["Date must be the same as or after the date of birth"]})
    return None if on == today else on


def _end_of(day: datetime.date) -> datetime.datetime:
    """The last moment of a day here, so that what was recorded on it counts."""
    return timezone.make_aware(datetime.datetime.combine(day, datetime.time.max))


def _now(patient: Patient, at: datetime.datetime) -> dict[str, Any]:
    told = explain(patient, at)
    words = {"heading": told.heading, "will_upload": told.will_upload}
    return _body(patient, at, told.decision, told.reasons, told.loaded) | words


def _as_of(patient: Patient, at: datetime.datetime) -> dict[str, Any]:
    """What would have become of it then has no heading: whether it went is in its uploads."""
    decision, reasons, loaded = explain_as_of(patient, at)
    return _body(patient, at, decision, reasons, loaded) | {"heading": None, "will_upload": None}


def _body(
    patient: Patient, at: datetime.datetime, decision: Decision, reasons: list[ReasonLine], loaded: Loaded
) -> dict[str, Any]:
    return {
        "patient": patient.public_id,
        "as_of": at,
        "outcome": decision.outcome.value,
        "scope": decision.scope.value if decision.scope else None,
        "scope_words": SCOPE_WORDS[decision.scope] if decision.scope else "",
        "reasons": [
            {"code": line.code, "sentence": line.sentence, "who_acts": line.actor} for line in reasons
        ],
        "evidence": named([loaded.evidence])[0],
    }
