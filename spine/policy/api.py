"""The API of what a change of policy would do, counted by the gate's own rule."""

import datetime
import uuid
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from boycott.api_shapes import FindingShape, finding_of
from boycott.change_api import get_change
from boycott.change_states import UNSETTLED
from boycott.dossier import Dossier
from boycott.measured_change import base_now
from carerecords.api import CareView, problem
from carerecords.api_shapes import TermShape, problems, term
from carerecords.permissions import Permission
from spine.policy.change_page import effect_of
from spine.policy.impact import AnswerEffect

SETTLED = "This change is settled: what it did is in its steps."
NO_ANSWER = term("", "No answer: counts as following")


class FigureShape(serializers.Serializer[Any]):
    """One figure now, and as it was when the change was sent (null: it was not)."""

    code = serializers.CharField()
    words = serializers.CharField()
    now = serializers.IntegerField()
    sent = serializers.IntegerField(allow_null=True)
    differs = serializers.BooleanField()


class AnswerShape(serializers.Serializer[Any]):
    """The practices that gave one answer to the policy, and what happens to their patients' uploads."""

    answer = TermShape()
    practices = serializers.IntegerField()
    patients = serializers.IntegerField()
    stop = serializers.IntegerField()
    start = serializers.IntegerField()


class ImpactShape(serializers.Serializer[Any]):
    """What the change would do if it started now."""

    change = serializers.UUIDField()
    at = serializers.DateTimeField()
    seen = serializers.CharField(help_text="The fingerprint of what was measured; send it on approving.")
    phrase = serializers.CharField(allow_null=True, help_text="What its approver must type, if anything.")
    figures = FigureShape(many=True)
    answers = AnswerShape(many=True)
    findings = FindingShape(many=True)


class ImpactView(CareView):
    """The effect of one change."""

    permission = Permission.SEE_POLICY_CHANGES

    @extend_schema(operation_id="policy_changes_impact", responses={200: ImpactShape, **problems(404, 409)})
    def get(self, request: Request, public_id: uuid.UUID) -> Response:
        """Counted afresh: one grouped query over the patients with consent. 409 once it is settled."""
        found, at = get_change(public_id), timezone.now()
        if found.state(at) not in UNSETTLED:
            return problem(409, SETTLED)
        return Response(ImpactShape(_impact(found, at)).data)


def _impact(found: Dossier, at: datetime.datetime) -> dict[str, Any]:
    base, _ = base_now(found, at)
    effect = effect_of(found, base, at)
    return {
        "change": found.change.public_id,
        "at": at,
        "seen": found.fingerprint,
        "phrase": effect.phrase,
        "figures": [
            {
                "code": line.code,
                "words": line.words,
                "now": line.now,
                "sent": line.sent,
                "differs": line.differs,
            }
            for line in effect.lines
        ],
        "answers": [_answer(one) for one in effect.impact.answers],
        "findings": [finding_of(one) for one in effect.findings],
    }


def _answer(one: AnswerEffect) -> dict[str, Any]:
    return {
        "answer": term(one.answer.value, one.answer.label) if one.answer else NO_ANSWER,
        "practices": one.practices,
        "patients": one.effect.patients,
        "stop": one.effect.stop,
        "start": one.effect.start,
    }
