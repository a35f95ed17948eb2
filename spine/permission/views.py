"""Pages about the Spine's permission: one patient's, for a person to read and set; and all that differ."""

import uuid

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_safe

from carerecords import flash
from carerecords.access import check, record, requires
from carerecords.middleware import CareRequest
from carerecords.models import AccessEvent, Patient
from carerecords.permissions import Permission, roles_with
from consent.codes import ConsentState
from consent.patient_door import of_patient
from spine.permission.differences import CONSEQUENCES, Difference, Ending, SpinePermission
from spine.permission.page import age_words, mismatch_page, permission_standing
from spine.permission.setting import PermissionRefused, Told, cannot_set, read_permission, set_permission


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.SEE_UPLOADS)
@of_patient
def permission(request: CareRequest, patient: Patient) -> HttpResponse:
    """What holds here and at the Spine. A post asks the Spine, or sets what the decision here asks for."""
    if request.method == "POST":
        check(request, Permission.SET_STORE_PERMISSION, patient=patient)
        _do(request, patient)
        return redirect("spine:permission", patient.public_id)
    record(request, AccessEvent.Kind.VIEWED, patient=patient, detail="permission at the Spine")
    standing = permission_standing(patient)
    differs = Difference(standing.mismatch.kind) if standing.mismatch else None
    context = {
        "patient": patient,
        "today": timezone.localdate(),
        "state": ConsentState(patient.consent_state),
        "standing": standing,
        "difference": differs,
        "consequence": CONSEQUENCES[differs] if differs else "",
        "may": request.can(Permission.SET_STORE_PERMISSION),
        "cannot": cannot_set(request.user),
        "form_key": uuid.uuid4(),
        "who_may": [role.rule.name for role in roles_with(Permission.SET_STORE_PERMISSION)],
    }
    return render(request, "spine/permission.jinja", context)


def _do(request: CareRequest, patient: Patient) -> None:
    try:
        told = _ask(request, patient)
    except PermissionRefused as refusal:
        flash.notice(request, str(refusal))
        return
    (flash.success if told.done else flash.notice)(request, told.sentence)


def _ask(request: CareRequest, patient: Patient) -> Told:
    """Does what the form says; one that says nothing that we know asks the Spine, which changes nothing."""
    key, at, by = _key(request.POST.get("form_key", "")), timezone.now(), request.user
    if request.POST.get("do") != "set":
        return read_permission(patient=patient, request_id=key, by=by, at=at)
    try:
        code = SpinePermission(request.POST.get("code", ""))
    except ValueError:
        raise PermissionRefused("Select what to set.") from None
    return set_permission(patient=patient, code=code, request_id=key, by=by, at=at)


def _key(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        return uuid.uuid4()


@require_safe
@requires(Permission.SEE_UPLOADS)
def mismatches(request: CareRequest) -> HttpResponse:
    """The patients of the practice for whom the Spine's permission and the decision here disagree."""
    if request.practice is None:
        raise Http404
    ended = request.GET.get("show") == "ended"
    page = mismatch_page(request.practice, ended=ended, before=_uuid(request.GET.get("before")))
    record(request, AccessEvent.Kind.LISTED, detail="differences with the Spine", rows=len(page.rows))
    address, query = reverse("spine:mismatches"), {"show": "ended"} if ended else {}
    older = query | {"before": str(page.before)}
    context = {
        "page": page,
        "ended": ended,
        "at": timezone.now(),
        "age_words": age_words,
        "Difference": Difference,
        "Ending": Ending,
        "is_first": "before" not in request.GET,
        "address": address,
        "here": request.get_full_path(),
        "first_url": f"{address}?{urlencode(query)}" if query else address,
        "next_url": f"{address}?{urlencode(older)}" if page.before else None,
    }
    return render(request, "spine/mismatches.jinja", context)


def _uuid(text: str | None) -> uuid.UUID | None:
    """An address that was cut or typed wrong shows the first page."""
    try:
        return uuid.UUID(text or "")
    except ValueError:
        return None
