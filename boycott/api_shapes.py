"""The API's answers about the union's policy: positions, motions, changes, and what was found of them."""

import datetime
from collections.abc import Sequence
from typing import Any

from rest_framework import serializers

from boycott.change_states import Cause, ChangeState, Step
from boycott.dispensations.reading import Standing
from boycott.dossier import Dossier
from boycott.findings import Found
from boycott.models import ChangeStep, MotionRevision, PositionRevision
from carerecords.api_shapes import TermShape, term
from carerecords.models import User

Body = dict[str, Any]


class ScopeShape(serializers.Serializer[Any]):
    """Where something applies. Nothing named: all England."""

    where = serializers.CharField()
    region_codes = serializers.ListField(child=serializers.CharField())
    icb_codes = serializers.ListField(child=serializers.CharField())
    ods_codes = serializers.ListField(child=serializers.CharField())
    exempt_ods_codes = serializers.ListField(child=serializers.CharField())


class PositionShape(ScopeShape):
    """One revision of one line of policy, as it was adopted. Nothing is edited."""

    line = serializers.UUIDField(help_text="Which policy: all revisions of one share it.")
    number = serializers.IntegerField()
    body = serializers.CharField()
    position = TermShape()
    strength = TermShape()
    data_scope = TermShape()
    text = serializers.CharField()
    effective_from = serializers.DateTimeField()
    effective_to = serializers.DateTimeField(allow_null=True)
    end_condition = serializers.CharField()
    review_on = serializers.DateField(allow_null=True)
    motion = serializers.UUIDField(allow_null=True)


class NamedPositionShape(serializers.Serializer[Any]):
    """A position that a finding is about."""

    line = serializers.UUIDField()
    number = serializers.IntegerField()
    body = serializers.CharField()
    position = TermShape()


class FindingShape(serializers.Serializer[Any]):
    """Positions that disagree (`CONFLICT`), or one that changes no upload (`NO_EFFECT`)."""

    kind = serializers.ChoiceField(["CONFLICT", "NO_EFFECT"])
    with_this_change = serializers.BooleanField(help_text="Whether the change asked about is one of them.")
    positions = NamedPositionShape(many=True)
    about = TermShape(allow_null=True, help_text="Of a conflict: which part of the summary.")
    practices = serializers.IntegerField(allow_null=True, help_text="Of a conflict: for how many.")
    start = serializers.DateTimeField(allow_null=True)
    end = serializers.DateTimeField(allow_null=True, help_text="Null: until one is changed.")


class DispensationShape(serializers.Serializer[Any]):
    """Practices released from a position for a time, by two people."""

    id = serializers.UUIDField()
    state = TermShape()
    position = NamedPositionShape()
    ods_codes = serializers.ListField(child=serializers.CharField())
    starts_at = serializers.DateTimeField(help_text="Or when it was agreed, if that was later.")
    ends_at = serializers.DateTimeField()
    reason = serializers.CharField()


class PolicyShape(serializers.Serializer[Any]):
    """For a practice what applies to it; for the nation everything."""

    at = serializers.DateTimeField()
    in_force = PositionShape(many=True)
    scheduled = PositionShape(many=True)
    findings = FindingShape(many=True)
    dispensations = DispensationShape(many=True, help_text="In force, or agreed for later.")


class MotionShape(serializers.Serializer[Any]):
    """One motion as it stands. Votes are null where nobody recorded them."""

    id = serializers.UUIDField()
    number = serializers.IntegerField(help_text="Of its revision.")
    body = serializers.CharField()
    meeting = serializers.CharField()
    met_on = serializers.DateField()
    title = serializers.CharField()
    text = serializers.CharField()
    proposer = serializers.CharField()
    votes_for = serializers.IntegerField(allow_null=True)
    votes_against = serializers.IntegerField(allow_null=True)
    votes_abstained = serializers.IntegerField(allow_null=True)
    status = TermShape()
    direction = TermShape()


class ListedChangeShape(serializers.Serializer[Any]):
    """A change and where it stands."""

    id = serializers.UUIDField()
    line = serializers.UUIDField()
    state = TermShape()
    motion = serializers.UUIDField()
    motion_title = serializers.CharField()
    position = TermShape()
    starts_at = serializers.DateTimeField(allow_null=True, help_text="Null: when it is approved.")
    made_by = serializers.CharField()
    made_at = serializers.DateTimeField()
    touched_at = serializers.DateTimeField()


class StepShape(serializers.Serializer[Any]):
    """One thing that was done with a change."""

    number = serializers.IntegerField()
    kind = TermShape()
    at = serializers.DateTimeField()
    by = serializers.CharField(allow_null=True, help_text="Null: the calendar or the system.")
    comment = serializers.CharField()
    cause = TermShape(allow_null=True, help_text="Why it was suspended.")
    figures = serializers.DictField(  # as they were computed for this step
        child=serializers.IntegerField(), allow_null=True
    )


class ChangeShape(ListedChangeShape, ScopeShape):
    """A change with all that it says, every step, and what the check of all positions finds with it."""

    seen = serializers.CharField(
        help_text="The fingerprint of all that would take effect. Send it with what you do on seeing this."
    )
    strength = TermShape()
    data_scope = TermShape()
    text = serializers.CharField()
    ends_at = serializers.DateTimeField(allow_null=True)
    end_condition = serializers.CharField()
    review_on = serializers.DateField(allow_null=True)
    reason = serializers.CharField()
    has_guidance = serializers.BooleanField(help_text="Whether guidance to publish with it is written.")
    steps = StepShape(many=True)
    findings = FindingShape(many=True)


class ApprovedShape(serializers.Serializer[Any]):
    """What came of an approval."""

    change = ChangeShape()
    revision = PositionShape()
    quiet_since = serializers.DateTimeField(help_text="No upload began under the old policy since.")
    waited_seconds = serializers.FloatField(help_text="For the uploads in flight.")


def scope_of(row: Any) -> Body:
    """Where it applies, of whatever has the columns of a scope."""
    names = ("region_codes", "icb_codes", "ods_codes", "exempt_ods_codes")
    return {"where": row.where} | {name: getattr(row, name) for name in names}


def position_of(row: PositionRevision) -> Body:
    names = ("line", "number", "body", "text", "effective_from", "effective_to", "end_condition", "review_on")
    return (
        scope_of(row)
        | {name: getattr(row, name) for name in names}
        | _terms(row)
        | {"motion": row.motion.motion if row.motion else None}
    )


def motion_of(row: MotionRevision) -> Body:
    names = ("number", "body", "meeting", "met_on", "title", "text", "proposer")
    votes = ("votes_for", "votes_against", "votes_abstained")
    return {name: getattr(row, name) for name in (*names, *votes)} | {
        "id": row.motion,
        "status": term(row.status, row.get_status_display()),
        "direction": term(row.direction, row.get_direction_display()),
    }


def finding_of(found: Found) -> Body:
    clash = found.clash
    return {
        "kind": "CONFLICT" if clash else "NO_EFFECT",
        "with_this_change": found.with_this,
        "positions": [_named(row) for row in found.rows],
        "about": term(clash.about.value, clash.about.label) if clash else None,
        "practices": clash.practices if clash else None,
        "start": clash.start if clash else None,
        "end": clash.end if clash else None,
    }


def dispensation_of(found: Standing) -> Body:
    row = found.dispensation
    return {
        "id": row.public_id,
        "state": term(found.state.value, found.state.label),
        "position": _named(row.revision),
        "ods_codes": row.ods_codes,
        "starts_at": row.starts_at,
        "ends_at": row.ends_at,
        "reason": row.reason,
    }


def _named(row: PositionRevision) -> Body:
    return {
        "line": row.line,
        "number": row.number,
        "body": row.body,
        "position": term(row.position, row.get_position_display()),
    }


def listed_change(last: ChangeStep, at: datetime.datetime) -> Body:
    """A change by its last step."""
    change, content, state = last.change, last.content, last.state(at)
    return {
        "id": change.public_id,
        "line": change.line,
        "state": term(state.value, ChangeState(state).label),
        "motion": content.motion.motion,
        "motion_title": content.motion.title,
        "position": term(content.position, content.get_position_display()),
        "starts_at": content.starts_at,
        "made_by": change.made_by.short_name,
        "made_at": change.made_at,
        "touched_at": last.made_at,
    }


def change_of(found: Dossier, findings: Sequence[Found], at: datetime.datetime) -> Body:
    content = found.content
    names = ("text", "ends_at", "end_condition", "review_on", "reason")
    return (
        listed_change(found.last, at)
        | scope_of(content)
        | {name: getattr(content, name) for name in names}
        | _terms(content)
        | {
            "seen": found.fingerprint,
            "has_guidance": found.guidance is not None,
            "steps": [_step(step) for step in found.steps],
            "findings": [finding_of(one) for one in findings],
        }
    )


def _terms(row: Any) -> Body:
    return {
        name: term(getattr(row, name), getattr(row, f"get_{name}_display")())
        for name in ("position", "strength", "data_scope")
    }


def _step(step: ChangeStep) -> Body:
    by: User | None = step.made_by
    return {
        "number": step.number,
        "kind": term(step.kind, Step(step.kind).label),
        "at": step.made_at,
        "by": by.short_name if by else None,
        "comment": step.comment,
        "cause": term(step.cause, Cause(step.cause).label) if step.cause else None,
        "figures": step.figures,
    }
