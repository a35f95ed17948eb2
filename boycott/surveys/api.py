"""The API of surveys and ballots: what there is, and results. Answering is for people, on the page."""

import uuid
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from boycott.api_shapes import MotionShape
from boycott.api_shapes import motion_of as motion_body
from boycott.surveys import wording
from boycott.surveys.door import open_door, visible
from boycott.surveys.queries import Results, Standing, motion_of, results_of, standings
from boycott.surveys.tally import Share
from boycott.surveys.vocabulary import Kind
from carerecords import access
from carerecords.api import CareView
from carerecords.api_shapes import TermShape, problems, term
from carerecords.models import AccessEvent
from carerecords.permissions import Permission


class SurveyShape(serializers.Serializer[Any]):
    """One survey or ballot."""

    id = serializers.UUIDField()
    kind = TermShape()
    state = TermShape()
    title = serializers.CharField()
    question = serializers.CharField()
    closes_at = serializers.DateTimeField(help_text="When it was or will be over")


class ShareShape(serializers.Serializer[Any]):
    """How many chose one option. Ends of the 95% Wilson interval are shares from 0 to 1."""

    option = serializers.CharField()
    count = serializers.IntegerField()
    of = serializers.IntegerField()
    low = serializers.FloatField()
    high = serializers.FloatField()
    sentence = serializers.CharField()


class RegionShape(serializers.Serializer[Any]):
    """One region; null where too few answered, or where the rest would give it away."""

    region_code = serializers.CharField()
    invited = serializers.IntegerField()
    answers = serializers.IntegerField(allow_null=True)
    counts = serializers.ListField(child=serializers.IntegerField(), allow_null=True)


class ResultsShape(serializers.Serializer[Any]):
    """Results; null before it is closed and counted. `shares` is null with fewer than ten answers."""

    survey = SurveyShape()
    is_final = serializers.BooleanField()
    invited = serializers.IntegerField(allow_null=True)
    answers = serializers.IntegerField(allow_null=True)
    shares = ShareShape(many=True, allow_null=True)
    regions = RegionShape(many=True, allow_null=True)
    motion = MotionShape(
        allow_null=True,
        help_text="What it was about, with the meeting's own vote: another question to other people, never "
        "added to the answers.",
    )
    caution = serializers.CharField()


class SurveysView(CareView):
    """Surveys and ballots."""

    permission = Permission.SEE_SURVEYS

    @extend_schema(operation_id="surveys_list", responses={200: SurveyShape(many=True), **problems()})
    def get(self, request: Request) -> Response:
        """Those that the user is asked, runs or may read, newest first."""
        at = timezone.now()
        found = standings(visible(self.care, at), at)
        return Response(SurveyShape([_survey(one) for one in found], many=True).data)


class ResultsView(CareView):
    """Results of one."""

    permission = Permission.SEE_SURVEYS

    @extend_schema(operation_id="surveys_results", responses={200: ResultsShape, **problems(404)})
    def get(self, request: Request, public_id: uuid.UUID) -> Response:
        """What was answered, with 95% intervals, as far as it may be shown."""
        standing, _ = open_door(self.care, public_id, timezone.now())
        found = results_of(standing)
        if found is not None:
            access.record(self.care, AccessEvent.Kind.RESULTS, detail=str(standing.survey.public_id))
        return Response(ResultsShape(_results(standing, found)).data)


def _survey(standing: Standing) -> dict[str, Any]:
    kind = Kind(standing.survey.kind)
    return {
        "id": standing.survey.public_id,
        "kind": term(kind.value, kind.label),
        "state": term(standing.state.value, standing.state.label),
        "title": standing.wording.title,
        "question": standing.wording.question,
        "closes_at": standing.ended_at,
    }


def _results(standing: Standing, found: Results | None) -> dict[str, Any]:
    kind = Kind(standing.survey.kind)
    body: dict[str, Any] = {
        "survey": _survey(standing),
        "is_final": found is not None,
        "invited": None,
        "answers": None,
        "shares": None,
        "regions": None,
        "motion": None,
        "caution": wording.VOLUNTEERED[kind],
    }
    if found is None:
        return body
    about = motion_of(standing.wording)
    body |= {
        "invited": found.tally.invited,
        "answers": found.tally.answers,
        "motion": motion_body(about) if about else None,
    }
    if found.tally.shares is not None:
        body["shares"] = [
            _share(option.label, share, sentence)
            for option, share, sentence in zip(
                found.options, found.tally.shares, found.sentences, strict=True
            )
        ]
    body["regions"] = [
        {
            "region_code": region.region_code,
            "invited": region.invited,
            "answers": region.answers,
            "counts": [share.count for share in region.shares] if region.shares else None,
        }
        for region in found.tally.regions
    ]
    return body


def _share(option: str, share: Share, sentence: str) -> dict[str, Any]:
    return {
        "option": option,
        "count": share.count,
        "of": share.of,
        "low": share.interval.low,
        "high": share.interval.high,
        "sentence": sentence,
    }
