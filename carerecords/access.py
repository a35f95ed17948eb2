"""The door to pages and patients: permissions declared on views, patients through the practice."""

import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from django.http import Http404
from django.utils import timezone

from carerecords.middleware import CareRequest
from carerecords.models import AccessEvent, Patient
from carerecords.permissions import NotPermitted, Permission

View = TypeVar("View", bound=Callable[..., Any])


def requires(permission: Permission) -> Callable[[View], View]:
    """Marks a view with the permission it needs; without it `NotPermitted`, before the view runs."""

    def mark(view: View) -> View:
        @wraps(view)
        def checked(request: CareRequest, *args: Any, **kwargs: Any) -> Any:
            check(request, permission)
            return view(request, *args, **kwargs)

        checked.permission = permission  # type: ignore[attr-defined]
        return checked  # type: ignore[return-value]

    return mark


def check(request: CareRequest, permission: Permission, *, patient: Patient | None = None) -> None:
    """Raises `NotPermitted`, and leaves a row that it was tried, unless the role includes it."""
    if request.can(permission):
        return
    record(request, AccessEvent.Kind.REFUSED, patient=patient, detail=permission.value)
    raise NotPermitted(permission, request.role)


def get_patient(request: CareRequest, public_id: uuid.UUID) -> Patient:
    """The patient of the user's own practice; for anybody else's the page does not exist (404)."""
    if request.practice is None:
        raise Http404
    try:
        # The practice comes with them: it is the request's own.
        return request.practice.patients.select_related("usual_gp").get(public_id=public_id)
    except Patient.DoesNotExist:
        raise Http404 from None


def record(
    request: CareRequest,
    kind: AccessEvent.Kind,
    *,
    patient: Patient | None = None,
    detail: str = "",
    rows: int | None = None,
) -> None:
    """Adds one line to the access log. `detail` names pages and counts, never people."""
    if request.assignment is None:
        return
    AccessEvent.objects.create(
        at=timezone.now(),
        user=request.user,
        role=request.assignment.role,
        practice=request.practice,
        patient=patient,
        kind=kind,
        detail=detail[:200],
        rows=rows,
    )
