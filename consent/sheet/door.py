"""The door to a sheet: its user's own, for as long as it is kept."""

import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from carerecords import flash
from carerecords.middleware import CareRequest
from carerecords.permissions import Permission
from consent.models import Sheet
from consent.sheet import rows as sheet_rows
from consent.sheet import saving, standing
from consent.views.permitted import practice_of


def own_sheet(request: CareRequest, sheet_id: uuid.UUID) -> Sheet:
    """The user's own sheet of this practice; anybody else's does not exist."""
    sheet = standing.own_sheets(practice_of(request), request.user).filter(public_id=sheet_id).first()
    if sheet is None:
        raise Http404
    return sheet


def of_sheet(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Gives a view the sheet instead of an id. One that has ended leads to the start of a new one."""

    @wraps(view)
    def opened(request: CareRequest, sheet_id: uuid.UUID, **others: Any) -> HttpResponse:
        sheet = own_sheet(request, sheet_id)
        if standing.has_ended(sheet, timezone.now()):
            flash.notice(
                request, "That sheet was last used over 20 hours ago and has ended. What was saved is kept."
            )
            return redirect("sheet:start")
        return view(request, sheet, **others)

    return opened


def keep_late(request: CareRequest, sheet_id: uuid.UUID, **others: Any) -> bool:
    """Keeps the answers of a sheet that was sent after its session had ended."""
    at = timezone.now()
    if not request.can(Permission.RECORD_CONSENT):
        return False
    sheet = own_sheet(request, sheet_id)
    if standing.has_ended(sheet, at):
        return False
    posted = request.POST.dict()
    given = saving.given_in(posted, sheet_rows.of_sheet(sheet))
    saving.keep(sheet, posted, given, at)
    return bool(given) or any(sheet.typed.values())
