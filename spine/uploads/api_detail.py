"""The API's longer answers: one upload with its whole history, one patient's explanation."""

from typing import Any, cast

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from carerecords.api import StrictSerializer
from carerecords.models import UploadJob
from spine.gate import Outcome, Scope
from spine.uploads.api_shapes import (
    AttemptShape,
    EvidenceShape,
    GateDecisionShape,
    ReasonShape,
    ReceiptShape,
    UploadShape,
)
from spine.uploads.queries import UploadRecord

_NO_DATE = "Give the date as YYYY-MM-DD, for example 2007-06-29"


class UploadDetailShape(UploadShape):
    """One upload with every check, every send and every answer, oldest first."""

    requested_by = serializers.SerializerMethodField()
    decisions = serializers.SerializerMethodField()
    attempts = serializers.SerializerMethodField()
    receipts = serializers.SerializerMethodField()

    def get_requested_by(self, job: UploadJob) -> str | None:
        return job.requested_by.short_name if job.requested_by else None

    @extend_schema_field(GateDecisionShape(many=True))
    def get_decisions(self, job: UploadJob) -> Any:
        return GateDecisionShape(self._found.decisions, many=True, context=self.context).data

    @extend_schema_field(AttemptShape(many=True))
    def get_attempts(self, job: UploadJob) -> Any:
        return AttemptShape(self._found.attempts, many=True).data

    @extend_schema_field(ReceiptShape(many=True))
    def get_receipts(self, job: UploadJob) -> Any:
        return ReceiptShape(self._found.receipts, many=True).data

    @property
    def _found(self) -> UploadRecord:
        return cast(UploadRecord, self.context["found"])


class ExplainQuery(StrictSerializer):
    """What may be asked of an explanation."""

    on = serializers.DateField(
        required=False,
        help_text="As of the end of this day, from what was recorded by then. Left out: now.",
        error_messages={"invalid": _NO_DATE},
    )
    known_on = serializers.DateField(
        required=False,
        help_text="With `on`: from what was recorded by the end of this day instead, earlier or later.",
        error_messages={"invalid": _NO_DATE},
    )


class ExplanationShape(serializers.Serializer[Any]):
    """Whether a patient's summary goes, as of a moment, with every reason and its evidence."""

    patient = serializers.UUIDField()
    as_of = serializers.DateTimeField()
    known_at = serializers.DateTimeField(help_text="What was recorded by then was counted.")
    heading = serializers.CharField(allow_null=True, help_text="Null for a day in the past.")
    will_upload = serializers.BooleanField(allow_null=True, help_text="Null for a day in the past.")
    outcome = serializers.ChoiceField([one.value for one in Outcome])
    scope = serializers.ChoiceField([one.value for one in Scope], allow_null=True)
    scope_words = serializers.CharField(allow_blank=True)
    reasons = ReasonShape(many=True)
    evidence = EvidenceShape()
