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
from spine.evidence import named
from spine.facts import Loaded
from spine.gate import Decision
from spine.uploads.api_detail import ExplainQuery, ExplanationShape, UploadDetailShape
from spine.uploads.api_shapes import UploadPageShape, UploadQuery
from spine.uploads.explain import SCOPE_WORDS, ReasonLine, explain, explain_as_of
from spine.uploads.queries import UploadFilters, is_upload_of, upload_record, uploads_page

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
        on, known_on = _days(asked, patient.born_on, timezone.localdate(now))
        access.record(
            self.care,
            AccessEvent.Kind.VIEWED,
            patient=patient,
            detail="api: why on a day" if asked.get("on") else "api: why uploaded or not",
        )
        if on is None:
            body = _now(patient, now)
        else:
            body = _as_of(patient, _end_of(on, now), _end_of(known_on or on, now))
        return Response(ExplanationShape(body).data)


def _practice(view: CareView) -> Practice:
    if view.care.practice is None:
        raise Http404
    return view.care.practice


def _days(
    asked: dict[str, Any], born_on: datetime.date, today: datetime.date
) -> tuple[datetime.date | None, datetime.date | None]:
    """The day asked about, None for now, which today is too; and the day of knowledge, if another."""
    on: datetime.date | None = asked.get("on")
    known_on: datetime.date | None = asked.get("known_on")
    if known_on is not None and on is None:
        raise ValidationError({"known_on": ["Give the day that is asked about, on, as well"]})
    for name, day in (("on", on), ("known_on", known_on)):
        if day is not None and day > today:
            raise ValidationError({name: ["Date must be today or in the past"]})
        if day is not None and day < born_on:
            raise ValidationError({name: ["Date must be the same as or after the date of birth"]})
    return (None if on == today and known_on in {None, today} else on), known_on


def _end_of(day: datetime.date, now: datetime.datetime) -> datetime.datetime:
    """The last moment of a day here, so that what was recorded on it counts; of today, now."""
    return min(timezone.make_aware(datetime.datetime.combine(day, datetime.time.max)), now)


def _now(patient: Patient, at: datetime.datetime) -> dict[str, Any]:
    told = explain(patient, at)
    words = {"known_at": at, "heading": told.heading, "will_upload": told.will_upload}
    return _body(patient, at, told.decision, told.reasons, told.loaded) | words


def _as_of(patient: Patient, at: datetime.datetime, known_at: datetime.datetime) -> dict[str, Any]:
    """What would have become of it then has no heading: whether it went is in its uploads."""
    decision, reasons, loaded = explain_as_of(patient, at, known_at)
    words = {"known_at": known_at, "heading": None, "will_upload": None}
    return _body(patient, at, decision, reasons, loaded) | words


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
