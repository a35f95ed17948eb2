"""The API of the union's policy: what is in force, and the motions it rests on."""

import uuid

from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from boycott.api_shapes import (
    MotionShape,
    PolicyShape,
    dispensation_of,
    finding_of,
    motion_of,
    position_of,
)
from boycott.dispensations.reading import dispensed
from boycott.motion_queries import revisions_of, standing_motions
from boycott.policy_page import policy_page
from boycott.queries import rows_of, standing_revisions
from boycott.rules import in_force, to_come
from carerecords.api import CareView
from carerecords.api_shapes import problems
from carerecords.permissions import Permission


class PolicyView(CareView):
    """The positions."""

    permission = Permission.SEE_POLICY

    @extend_schema(operation_id="policy_read", responses={200: PolicyShape, **problems()})
    def get(self, request: Request) -> Response:
        """Positions in force and scheduled, where they disagree or have no effect, and who is released.

        A practice reads what applies to it; those of no practice read everything.
        """
        at, practice = timezone.now(), self.care.practice
        page = policy_page(practice, at)
        if practice is not None:
            now, later = page.in_force, page.to_come
        else:
            standing = standing_revisions()
            now, later = rows_of(in_force(standing, at)), rows_of(to_come(standing, at))
        body = {
            "at": at,
            "in_force": [position_of(row) for row in now],
            "scheduled": [position_of(row) for row in later],
            "findings": [finding_of(one) for one in page.findings],
            "dispensations": [dispensation_of(one) for one in dispensed(at, practice)],
        }
        return Response(PolicyShape(body).data)


class MotionsView(CareView):
    """Motions."""

    permission = Permission.SEE_POLICY

    @extend_schema(operation_id="policy_motions_list", responses={200: MotionShape(many=True), **problems()})
    def get(self, request: Request) -> Response:
        """Every motion as it stands, the latest meeting first."""
        return Response(MotionShape([motion_of(row) for row in standing_motions()], many=True).data)


class MotionView(CareView):
    """One motion."""

    permission = Permission.SEE_POLICY

    @extend_schema(
        operation_id="policy_motions_read", responses={200: MotionShape(many=True), **problems(404)}
    )
    def get(self, request: Request, public_id: uuid.UUID) -> Response:
        """Every revision of one motion, the latest first."""
        found = revisions_of(public_id)
        if not found:
            raise Http404
        return Response(MotionShape([motion_of(row) for row in found], many=True).data)
