"""The API of changes of policy: the pages' own verbs, so four eyes, the phrase and the fresh proof of
the person hold here too (docs/adr/0066-policy-by-api-and-command.md).

What a change would do in figures is `spine.policy.api`.
"""

import uuid
from collections.abc import Callable
from typing import Any, ClassVar

from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from boycott import api_input
from boycott.actions import ChangeRefused
from boycott.api_shapes import (
    ApprovedShape,
    ChangeShape,
    ListedChangeShape,
    change_of,
    listed_change,
    position_of,
)
from boycott.approvals import approve_change, reject_change
from boycott.change_states import UNSETTLED
from boycott.dossier import Dossier, dossier, dossier_of, newest_steps
from boycott.drafting import cancel_change, draft_change, edit_change, submit_change
from boycott.findings import findings
from boycott.lines import line_for
from boycott.measured_change import examined_with
from carerecords import access, confirmation
from carerecords.api import CareView, problem, read_input
from carerecords.api_shapes import problems
from carerecords.confirmation import NotConfirmed
from carerecords.permissions import Permission

# Refusals about what happened meanwhile: look at the change again. All others name a field to mend.
OVERTAKEN = {"state", "seen", "figures"}


class ChangesView(CareView):
    """Changes of policy."""

    permission = Permission.SEE_POLICY_CHANGES

    @property
    def throttle_scope(self) -> str:  # type: ignore[override]
        return "api_write" if self.request.method == "POST" else "api_read"

    @extend_schema(
        operation_id="policy_changes_list", responses={200: ListedChangeShape(many=True), **problems()}
    )
    def get(self, request: Request) -> Response:
        """Every change and where it stands, the one touched last first."""
        at = timezone.now()
        return Response(
            ListedChangeShape([listed_change(step, at) for step in newest_steps()], many=True).data
        )

    @extend_schema(
        operation_id="policy_changes_draft",
        request=api_input.NewChangeShape,
        examples=api_input.OF_DRAFT,
        responses={201: ChangeShape, **problems(400, 413)},
    )
    def post(self, request: Request) -> Response:
        """Writes a change as a draft. Nothing takes effect before somebody else approves it."""
        access.check(self.care, Permission.CHANGE_POSITION)
        sent = read_input(api_input.NewChangeShape, request.data)
        at = timezone.now()
        try:
            line = line_for(sent["line"], at)
            content = api_input.content_from(sent)
            made = draft_change(line=line, content=content, by=self.care.user, at=at)
        except ChangeRefused as refusal:
            return told(refusal)
        return _answer(made, status=201)


class ChangeView(CareView):
    """One change."""

    permission = Permission.SEE_POLICY_CHANGES

    @extend_schema(operation_id="policy_changes_read", responses={200: ChangeShape, **problems(404)})
    def get(self, request: Request, public_id: uuid.UUID) -> Response:
        """What it says, every step, and where positions would disagree or have no effect with it."""
        return _answer(get_change(public_id))


class StepView(CareView):
    """What the views of single steps share."""

    throttle_scope = "api_write"
    shape: ClassVar[Any]

    def taken(self, public_id: uuid.UUID, step: Callable[[Dossier, dict[str, Any]], Any]) -> Response:
        """The change after the step, or why it was not taken."""
        found = get_change(public_id)
        sent = read_input(self.shape, self.request.data)
        try:
            step(found, sent)
        except ChangeRefused as refusal:
            return told(refusal)
        return _answer(dossier(found.change))


class EditView(StepView):
    """Writing a change again."""

    permission = Permission.CHANGE_POSITION
    shape = api_input.EditChangeShape

    @extend_schema(
        operation_id="policy_changes_edit",
        request=api_input.EditChangeShape,
        examples=api_input.OF_EDIT,
        responses={200: ChangeShape, **problems(400, 404, 409, 413)},
    )
    def post(self, request: Request, public_id: uuid.UUID) -> Response:
        """A draft once more: whatever was sent or approved before is void, a scheduled one is taken back."""
        by, at = self.care.user, timezone.now()
        return self.taken(
            public_id,
            lambda found, sent: edit_change(
                change=found.change,
                content=api_input.content_from(sent),
                seen=sent["seen"],
                by=by,
                at=at,
            ),
        )


class SubmitView(StepView):
    """Sending a change for approval."""

    permission = Permission.CHANGE_POSITION
    shape = api_input.SeenShape

    @extend_schema(
        operation_id="policy_changes_submit",
        request=api_input.SeenShape,
        examples=api_input.OF_SEEN,
        responses={200: ChangeShape, **problems(400, 404, 409, 413)},
    )
    def post(self, request: Request, public_id: uuid.UUID) -> Response:
        """With its effect as the gate would decide now. Its guidance has to be written (on the pages)."""
        by, at = self.care.user, timezone.now()
        return self.taken(
            public_id,
            lambda found, sent: submit_change(change=found.change, seen=sent["seen"], by=by, at=at),
        )


class RejectView(StepView):
    """Rejecting a change."""

    permission = Permission.APPROVE_POSITION
    shape = api_input.CommentShape

    @extend_schema(
        operation_id="policy_changes_reject",
        request=api_input.CommentShape,
        examples=api_input.OF_COMMENT,
        responses={200: ChangeShape, **problems(400, 404, 409, 413)},
    )
    def post(self, request: Request, public_id: uuid.UUID) -> Response:
        """Sends somebody else's change back with a reason; its authors are told."""
        by, at = self.care.user, timezone.now()
        return self.taken(
            public_id,
            lambda found, sent: reject_change(change=found.change, comment=sent["comment"], by=by, at=at),
        )


class CancelView(StepView):
    """Giving a change up."""

    permission = Permission.CHANGE_POSITION
    shape = api_input.CommentShape

    @extend_schema(
        operation_id="policy_changes_cancel",
        request=api_input.CommentShape,
        examples=api_input.OF_COMMENT,
        responses={200: ChangeShape, **problems(400, 404, 409, 413)},
    )
    def post(self, request: Request, public_id: uuid.UUID) -> Response:
        """For good; a scheduled one is taken back. The others concerned are told."""
        by, at = self.care.user, timezone.now()
        return self.taken(
            public_id,
            lambda found, sent: cancel_change(change=found.change, comment=sent["comment"], by=by, at=at),
        )


class ApproveView(CareView):
    """Approving a change."""

    permission = Permission.APPROVE_POSITION
    throttle_scope = "api_find"

    @extend_schema(
        operation_id="policy_changes_approve",
        request=api_input.ApprovalShape,
        examples=api_input.OF_APPROVAL,
        responses={200: ApprovedShape, **problems(400, 404, 409, 413)},
    )
    def post(self, request: Request, public_id: uuid.UUID) -> Response:
        """Approves exactly what was seen, and puts it into force now or by the calendar.

        Never one's own (403). 409 with figures that moved by more than 5%: read the impact and ask again.
        Wrong passwords count towards the lock-out of the log-in page (429).
        """
        found = get_change(public_id)
        sent = read_input(api_input.ApprovalShape, request.data)
        by = self.care.user
        try:
            done = approve_change(
                change=found.change,
                seen=sent["seen"],
                phrase=sent.get("phrase", ""),
                comment=sent["comment"],
                confirmed=confirmation.by_password(by, sent["password"], self.care),
                by=by,
                at=timezone.now(),
            )
        except NotConfirmed:
            raise ValidationError({"password": [confirmation.WRONG_PASSWORD]}) from None
        except ChangeRefused as refusal:
            return told(refusal)
        body = {
            "change": _body(dossier(found.change)),
            "revision": position_of(done.revision),
            "quiet_since": done.quiet.since,
            "waited_seconds": done.quiet.waited.total_seconds(),
        }
        return Response(ApprovedShape(body).data)


def get_change(public_id: uuid.UUID) -> Dossier:
    """The change of that id, or 404."""
    found = dossier_of(public_id)
    if found is None:
        raise Http404
    return found


def told(refusal: ChangeRefused) -> Response:
    """403 for one's own, 409 for what happened meanwhile, else 400 beside the field."""
    if refusal.field == "own":
        return problem(403, f"{refusal}.")
    if refusal.field in OVERTAKEN:
        return problem(409, f"{refusal}.")
    raise ValidationError({refusal.field: [str(refusal)]})


def _answer(found: Dossier, status: int = 200) -> Response:
    return Response(ChangeShape(_body(found)).data, status=status)


def _body(found: Dossier) -> dict[str, Any]:
    at = timezone.now()
    if found.state(at) not in UNSETTLED:
        return change_of(found, [], at)
    then, examined = examined_with(found, at)
    return change_of(found, findings(examined.clashes, examined.idle, then), at)
