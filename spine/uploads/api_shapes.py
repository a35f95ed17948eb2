"""The API's answers about uploads and their reasons."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from carerecords.api import StrictSerializer
from carerecords.api_shapes import TermShape, term
from carerecords.models import JobKind, JobState, UploadJob
from spine.models import GateDecision
from spine.reasons import Reason
from spine.uploads.timeline import headline, receipt_words


class UploadQuery(StrictSerializer):
    """What may be asked of the list of uploads."""

    state = serializers.ChoiceField(JobState.choices, required=False)
    kind = serializers.ChoiceField(JobKind.choices, required=False)
    reason = serializers.ChoiceField([reason.code for reason in Reason], required=False)
    latest = serializers.BooleanField(
        required=False, default=False, help_text="Only the newest upload of each patient."
    )
    after = serializers.UUIDField(required=False, help_text="The last upload of the page before.")


class ReasonShape(serializers.Serializer[Any]):
    """Why it goes or does not, and who can act on that."""

    code = serializers.CharField()
    sentence = serializers.CharField()
    who_acts = serializers.CharField()


class EvidenceShape(serializers.Serializer[Any]):
    """What a decision rested on: the patient's decision by its id, the rest by revision number."""

    consent_event = serializers.UUIDField(allow_null=True)
    stance = serializers.IntegerField(allow_null=True)
    gp_stance = serializers.IntegerField(allow_null=True)
    positions = serializers.ListField(child=serializers.IntegerField())
    dispensations = serializers.ListField(
        child=serializers.IntegerField(), help_text="Those that freed the practice from positions in force."
    )
    consent_model = serializers.IntegerField(allow_null=True)
    stop = serializers.IntegerField(allow_null=True)


class ReceiptShape(serializers.Serializer[Any]):
    """What the store answered. `reference` is the store's for the summary it took."""

    attempt = serializers.IntegerField()
    at = serializers.DateTimeField()
    kind = serializers.CharField()
    words = serializers.SerializerMethodField()
    reference = serializers.UUIDField(source="composition_id", allow_null=True)
    detail = serializers.CharField()

    def get_words(self, receipt: Any) -> str:
        return receipt_words(receipt.kind)


class LastReceiptShape(serializers.Serializer[Any]):
    """The newest answer of the store."""

    at = serializers.DateTimeField()
    kind = serializers.CharField()
    words = serializers.CharField()
    reference = serializers.UUIDField(allow_null=True)


class AttemptShape(serializers.Serializer[Any]):
    """One message that left for the store."""

    attempt = serializers.IntegerField()
    at = serializers.DateTimeField()
    reference = serializers.UUIDField(source="composition_id")
    scope = serializers.CharField()


class GateDecisionShape(serializers.Serializer[Any]):
    """One answer of the gate: allowed, held or over, with all its reasons."""

    attempt = serializers.IntegerField()
    at = serializers.DateTimeField()
    outcome = serializers.CharField()
    scope = serializers.CharField()
    reasons = serializers.SerializerMethodField()
    evidence = serializers.SerializerMethodField()

    @extend_schema_field(ReasonShape(many=True))
    def get_reasons(self, decision: GateDecision) -> list[dict[str, str]]:
        return [reason_of(code) for code in decision.reasons]

    @extend_schema_field(EvidenceShape)
    def get_evidence(self, decision: GateDecision) -> Mapping[str, Any]:
        """Looked up for all decisions at once by the view."""
        evidence: Mapping[str, Any] = self.context["evidence"][decision.pk]
        return evidence


class UploadShape(serializers.Serializer[Any]):
    """One upload or withdrawal, whether listed or alone."""

    id = serializers.UUIDField(source="public_id")
    patient = serializers.UUIDField(source="patient.public_id")
    kind = serializers.SerializerMethodField()
    state = serializers.SerializerMethodField()
    cause = serializers.SerializerMethodField()
    requested_at = serializers.DateTimeField()
    due_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    reasons = serializers.SerializerMethodField()

    @extend_schema_field(TermShape)
    def get_kind(self, job: UploadJob) -> dict[str, str]:
        return term(job.kind, job.get_kind_display())

    @extend_schema_field(TermShape)
    def get_state(self, job: UploadJob) -> dict[str, str]:
        return term(job.state, job.get_state_display())

    @extend_schema_field(TermShape)
    def get_cause(self, job: UploadJob) -> dict[str, str]:
        return term(job.cause, job.get_cause_display())

    @extend_schema_field(ReasonShape(many=True))
    def get_reasons(self, job: UploadJob) -> list[dict[str, str]]:
        return reasons_of(job)


class ListedUploadShape(UploadShape):
    """An upload as the list shows it."""

    sends = serializers.IntegerField(help_text="How often something left for the store.")
    last_receipt = serializers.SerializerMethodField()

    @extend_schema_field(LastReceiptShape(allow_null=True))
    def get_last_receipt(self, job: Any) -> dict[str, Any] | None:
        if job.receipt_kind is None:
            return None
        return {
            "at": job.receipt_at,
            "kind": job.receipt_kind,
            "words": receipt_words(job.receipt_kind),
            "reference": job.receipt_id,
        }


class UploadPageShape(serializers.Serializer[Any]):
    """A page of uploads, newest first."""

    results = ListedUploadShape(many=True)
    total = serializers.IntegerField(help_text="How many match in all.")
    next = serializers.URLField(allow_null=True, help_text="The next page, or null on the last.")


def reasons_of(job: UploadJob) -> list[dict[str, str]]:
    """All reasons of an upload; the first in the words that the pages show for it."""
    reasons = [reason_of(code) for code in job.reasons]
    if reasons:
        reasons[0]["sentence"] = headline(job)
    return reasons


def reason_of(code: str) -> dict[str, str]:
    """A stored reason in words; a code that we do not know any more stays a code."""
    try:
        reason = Reason.of(code)
    except KeyError:
        return {"code": code, "sentence": code, "who_acts": ""}
    return {"code": code, "sentence": reason.sentence, "who_acts": reason.actor.value}
