"""A person reads or sets a patient's permission at the Spine.

Each call is a row before its first byte leaves, and its answer a row after. No lock is held while the
Spine is asked; what the answer says is noted under the patient's lock, and what waited for it goes on.
"""

import datetime
import uuid
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.utils import timezone

from carerecords import staffing, upload_queue
from carerecords.models import Cause, Patient, User
from carerecords.permissions import Permission
from spine.models import PermissionAnswer, PermissionCall, StoreCopy
from spine.permission import mismatches
from spine.permission.differences import ENDS_CONSENT, Ending, SpinePermission, offer
from spine.sending import desk
from spine.sending.answers import Answer, AnswerKind
from spine.sending.client import CurrentSummary

Act = PermissionCall.Act


class PermissionRefused(Exception):
    """Nothing was asked of the Spine; the message says why."""


@dataclass(frozen=True)
class Told:
    """What the Spine answered: whether it did as asked, and a sentence for whoever waits."""

    done: bool
    sentence: str


def read_permission(*, patient: Patient, request_id: uuid.UUID, by: User, at: datetime.datetime) -> Told:
    """Asks the Spine for the permission that stands. Raises `NotPermitted` or `PermissionRefused`."""
    staffing.require(by, Permission.SET_STORE_PERMISSION, at)
    call = _note_call(patient, Act.READ, "", request_id, by, at)
    found = desk.read(patient.nhs_number, request_id)
    if isinstance(found, CurrentSummary):
        _note_answer(call, Answer(AnswerKind.ACCEPTED, 200), found.permission or "")
        return Told(True, _says(found.permission))
    if found.kind is AnswerKind.CONSENT_DIFFERS:
        # It tells nothing else of a patient who opted out.
        _note_answer(call, found, SpinePermission.NO)
        return Told(True, _says(SpinePermission.NO))
    _note_answer(call, found, "")
    return Told(False, _sentence(found))


def set_permission(
    *, patient: Patient, code: SpinePermission, request_id: uuid.UUID, by: User, at: datetime.datetime
) -> Told:
    """Sets the permission that the patient's decision asks for, and no other.

    `request_id` is made with the form: pressed twice, it is sent once. Raises `NotPermitted`, or
    `PermissionRefused` when the decision does not ask for it, a removal has to come first, or the person
    has no role at the Spine.
    """
    staffing.require(by, Permission.SET_STORE_PERMISSION, at)
    if why := cannot_set(by):
        raise PermissionRefused(why)
    with transaction.atomic():
        Patient.objects.lock().get(pk=patient.pk)
        offered = offer(mismatches.sides_of([patient.pk])[patient.pk])
        if offered.code is not code:
            raise PermissionRefused(offered.why)
        call = _note_call(patient, Act.SET, code, request_id, by, at)
    answer = desk.set_permission(
        patient.nhs_number, code, session_urid=by.sds_role_profile_id, request_id=request_id
    )
    _note_answer(call, answer, code if answer.kind is AnswerKind.ACCEPTED else "")
    if answer.kind is AnswerKind.ACCEPTED:
        return Told(True, f"The permission at the Spine is set to {code}.")
    return Told(False, _sentence(answer))


def cannot_set(by: User) -> str:
    """Why this person cannot set any permission from here; nothing where they can."""
    if not desk.may_set_permissions():
        return NO_USER_TOKEN
    return "" if by.sds_role_profile_id else NO_ROLE


NO_USER_TOKEN = (
    "This service cannot set permissions at the Spine, because that needs a log-in with your smartcard. "
    "Set it in your GP system, then ask the Spine again here."
)
NO_ROLE = (
    "Your role at the Spine is not stored here, and the Spine asks for it. "
    "Whoever runs this service can add it; a colleague who has one can set the permission."
)


def _note_call(
    patient: Patient, act: Act, code: str, request_id: uuid.UUID, by: User, at: datetime.datetime
) -> PermissionCall:
    try:
        with transaction.atomic():
            return PermissionCall.objects.create(
                patient=patient, act=act, code=code, request_id=request_id, made_at=at, made_by=by
            )
    except IntegrityError:
        raise PermissionRefused("That was sent already. This page shows what came of it.") from None


@transaction.atomic
def _note_answer(call: PermissionCall, answer: Answer, permission: str) -> None:
    """Keeps the answer and, where it tells, the permission; and lets go on what waited for it."""
    patient, at = Patient.objects.lock().get(pk=call.patient_id), timezone.now()
    PermissionAnswer.objects.create(
        call=call,
        at=at,
        kind=answer.kind,
        http_status=answer.status,
        detail=answer.detail,
        permission=permission,
    )
    if not permission and answer.kind is not AnswerKind.ACCEPTED:
        return
    StoreCopy.objects.update_or_create(patient=patient, defaults={"permission": permission, "read_at": at})
    sides = mismatches.sides_of([patient.pk])[patient.pk]
    if permission != SpinePermission.NO:
        if sides.state in ENDS_CONSENT and sides.holds_record and not sides.under_way:
            upload_queue.request_withdrawal(patient, cause=Cause.DECISION, by=call.made_by, at=at)
        elif sides.upload_held:
            upload_queue.ask_again(patient, at=at)
    because = Ending.SET if call.act == Act.SET else Ending.READ
    mismatches.review([patient.pk], at=at, because=because, by=call.made_by)


def _says(permission: str | None) -> str:
    if not permission:
        return "The Spine holds no record of this patient, and so tells no permission."
    return f"The Spine says {permission}."


def _sentence(answer: Answer) -> str:
    return _ANSWERS.get(answer.kind, "The Spine did not take it. Nothing was changed.")


_ANSWERS = {
    AnswerKind.UNKNOWN: "The Spine did not answer in time, so whether it was done is not known. Ask it again in a minute.",
    AnswerKind.UNREACHABLE: "The Spine could not be reached. Nothing was changed. Try again later.",
    AnswerKind.TRANSIENT: "The Spine could not take it now. Nothing was changed. Try again later.",
    AnswerKind.RATE_LIMITED: "The Spine is busy. Nothing was changed. Try again in a minute.",
    AnswerKind.NOT_SENT: "The Spine is busy. Nothing was changed. Try again in a minute.",
    AnswerKind.UNAUTHORISED: "The Spine did not let this service in. Nothing was changed. "
    "Whoever runs this service has to look at its access.",
    AnswerKind.REFUSED: "The Spine refused it: it does not know this NHS number, or your role. Nothing was changed.",
}
