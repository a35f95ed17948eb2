"""What the API takes in and gives out about patients and their decisions."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from carerecords.api import StrictSerializer
from carerecords.api_shapes import ProblemShape, TermShape, term
from carerecords.identifiers import BadNhsNumber, parse_nhs_number
from carerecords.models import JobKind, JobState, UploadJob
from consent.codes import CHOSEN_BY_HAND, TOLD, ConsentState, Preference, Source
from consent.forms import WhoDecided
from consent.list_query import UploadStanding
from consent.listed import Listed, ListedJob
from consent.models import ConsentEvent

DATE = "Give the date as YYYY-MM-DD, for example 2008-03-03"


class PatientQuery(StrictSerializer):
    """What may be asked of the list of patients."""

    decision = serializers.ChoiceField(ConsentState.choices(), required=False)
    upload = serializers.ChoiceField(
        UploadStanding.choices(),
        required=False,
        help_text="What became of the newest upload. NEEDLESS: CANCELLED, as the Spine held what it should.",
    )
    after = serializers.UUIDField(required=False, help_text="The last patient of the page before.")


class FindShape(StrictSerializer):
    """Two facts that only who has the patient or their letter before them knows together."""

    nhs_number = serializers.CharField(
        max_length=40,
        help_text="With or without spaces.",
        error_messages={"required": "Enter an NHS number", "blank": "Enter an NHS number"},
    )
    born_on = serializers.DateField(
        help_text="Date of birth.", error_messages={"required": "Enter the date of birth", "invalid": DATE}
    )

    def validate_nhs_number(self, text: str) -> str:
        try:
            return parse_nhs_number(text)
        except BadNhsNumber as bad:
            raise serializers.ValidationError(str(bad)) from None


class JobShape(serializers.Serializer[Any]):
    """The upload or removal that follows; `/uploads/<id>/` has the rest of it."""

    id = serializers.UUIDField(source="public_id")
    kind = serializers.SerializerMethodField()
    state = serializers.SerializerMethodField()
    due_at = serializers.DateTimeField(allow_null=True)

    @extend_schema_field(TermShape)
    def get_kind(self, job: UploadJob | ListedJob) -> dict[str, str]:
        return term(job.kind, JobKind(job.kind).label)

    @extend_schema_field(TermShape)
    def get_state(self, job: UploadJob | ListedJob) -> dict[str, str]:
        return term(job.state, JobState(job.state).label)


class PatientShape(serializers.Serializer[Any]):
    """Who it is and what they decided. Nothing clinical, and no address."""

    id = serializers.UUIDField(source="public_id")
    nhs_number = serializers.CharField()
    title = serializers.CharField()
    given_name = serializers.CharField()
    family_name = serializers.CharField()
    born_on = serializers.DateField()
    usual_gp = serializers.SerializerMethodField()
    registered_on = serializers.DateField()
    left_on = serializers.DateField(allow_null=True)
    died_on = serializers.DateField(allow_null=True)
    is_sensitive = serializers.BooleanField()
    decision = serializers.SerializerMethodField()
    decided_on = serializers.DateField(source="consent_decided_on", allow_null=True)
    upload = serializers.SerializerMethodField()

    def get_usual_gp(self, patient: Listed) -> str | None:
        return patient.usual_gp.short_name if patient.usual_gp else None

    @extend_schema_field(TermShape)
    def get_decision(self, patient: Listed) -> dict[str, str]:
        return term(patient.consent_state, ConsentState(patient.consent_state).label)

    @extend_schema_field(JobShape(allow_null=True))
    def get_upload(self, patient: Listed) -> Any:
        """The newest one."""
        return JobShape(patient.job).data if patient.job else None


class PatientPageShape(serializers.Serializer[Any]):
    """A page of the practice's living, registered patients by name."""

    results = PatientShape(many=True)
    total = serializers.IntegerField(help_text="How many match in all.")
    next = serializers.URLField(allow_null=True, help_text="The next page, or null on the last.")


class DecisionShape(serializers.Serializer[Any]):
    """One event: a decision, or the taking back of an earlier one (`reverses`)."""

    id = serializers.UUIDField(source="public_id")
    patient = serializers.UUIDField(source="patient.public_id")
    kind = serializers.CharField(help_text="DECISION, REVERSAL (undone) or INVALID (recorded in error).")
    preference = serializers.SerializerMethodField()
    source = serializers.SerializerMethodField()  # type: ignore[assignment]
    decided_on = serializers.DateField(allow_null=True)
    reference = serializers.CharField()
    note = serializers.CharField()
    representative_name = serializers.CharField()
    representative_authority = serializers.CharField()
    reverses = serializers.UUIDField(source="reverses.public_id", default=None, allow_null=True)
    recorded_at = serializers.DateTimeField()
    recorded_by = serializers.CharField(source="recorded_by.short_name")
    is_current = serializers.SerializerMethodField(help_text="Whether what holds now rests on it.")

    @extend_schema_field(TermShape(allow_null=True))
    def get_preference(self, event: ConsentEvent) -> dict[str, str] | None:
        return term(event.preference, Preference(event.preference).label) if event.preference else None

    @extend_schema_field(TermShape(allow_null=True))
    def get_source(self, event: ConsentEvent) -> dict[str, str] | None:
        return term(event.source, Source(event.source).label) if event.source else None

    def get_is_current(self, event: ConsentEvent) -> bool:
        return event.pk == event.patient.consent_event_id


class DecisionsShape(serializers.Serializer[Any]):
    """All events of a patient, newest first, and what they amount to."""

    state = TermShape()
    current = serializers.UUIDField(allow_null=True, help_text="Send it as `seen` with a new decision.")
    results = DecisionShape(many=True)


class NewDecisionShape(StrictSerializer):
    """A decision to record. Which facts are needed depends on role, source and age, as on the pages."""

    preference = serializers.ChoiceField(
        [(one.value, one.label) for one in CHOSEN_BY_HAND],
        error_messages=dict.fromkeys(("required", "invalid_choice"), "Select what the patient decided"),
    )
    source = serializers.ChoiceField(  # type: ignore[assignment]
        [(way.value, way.label) for way in TOLD],
        error_messages=dict.fromkeys(("required", "invalid_choice"), "Select how the patient told you"),
    )
    decided_on = serializers.DateField(
        error_messages={"required": "Enter the date of decision", "invalid": DATE}
    )
    reference = serializers.CharField(
        max_length=50, required=False, allow_blank=True, help_text="Of the letter or form."
    )
    note = serializers.CharField(max_length=1000, required=False, allow_blank=True)
    who_decided = serializers.ChoiceField(
        WhoDecided.choices(), required=False, help_text="Needed for a patient under 16."
    )
    representative_name = serializers.CharField(max_length=100, required=False, allow_blank=True)
    representative_authority = serializers.CharField(max_length=100, required=False, allow_blank=True)
    seen = serializers.UUIDField(
        required=False,
        allow_null=True,
        help_text="The current decision that the patient or their letter was answering (null: none). "
        "Another one in its place is a 409, and nothing is saved. Needed to turn a refusal into consent.",
    )
    key = serializers.UUIDField(
        required=False,
        help_text="Made by you for this decision. Sent again with the same key it is recorded once.",
    )


class InvalidShape(StrictSerializer):
    """Why a decision should never have been recorded."""

    note = serializers.CharField(
        max_length=1000,
        error_messages={
            "required": "Enter why this decision is not right",
            "blank": "Enter why this decision is not right",
            "max_length": "Reason must be 1,000 characters or less",
        },
    )


class RecordedShape(serializers.Serializer[Any]):
    """What was recorded, what holds now, and the upload or removal that follows, if any."""

    decision = DecisionShape(source="event")
    state = serializers.SerializerMethodField()
    upload = JobShape(source="job", allow_null=True)

    @extend_schema_field(TermShape)
    def get_state(self, recorded: Any) -> dict[str, str]:
        return term(recorded.state, recorded.state.label)


class ConflictShape(ProblemShape):
    """The record changed: what holds now, and what was sent and not saved."""

    current = DecisionShape(allow_null=True)
    yours = NewDecisionShape()
