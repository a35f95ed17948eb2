"""The first page: sheets in hand, and four ways to start one."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from carerecords import access
from carerecords.access import requires
from carerecords.middleware import CareRequest
from carerecords.models import AccessEvent, Practice
from carerecords.permissions import Permission
from consent.forms import new_form_key
from consent.models import Sheet
from consent.sheet import choosing, standing
from consent.sheet import rows as sheet_rows
from consent.sheet.choosing import BadLine, Choice
from consent.sheet.drawing import may_undo
from consent.sheet.forms import By, StartForm
from consent.usual_gps import UsualGp, usual_gps
from consent.views.permitted import practice_of

# A user has one in hand, seldom two.
_SHOWN = 3
NOBODY = "No patients without a decision"


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.RECORD_CONSENT)
def start(request: CareRequest) -> HttpResponse:
    """GET shows the ways to choose patients; POST freezes a list and opens it."""
    practice, today = practice_of(request), timezone.localdate()
    gps, letters = usual_gps(practice), choosing.letter_days(practice, today)
    by = next((by for by in By if by.value == request.POST.get("by")), None)
    if by is None:
        return _page(request, practice, gps, letters)
    form = StartForm(request.POST, by=by, gps=gps, letters=letters)
    if not form.is_valid():
        return _page(request, practice, gps, letters, form, by)
    try:
        choice = _choice(practice, form, by, gps, today)
    except BadLine as fault:
        form.add_error("lines", str(fault))
        return _page(request, practice, gps, letters, form, by)
    if not choice.patients:
        form.add_error(None, f"{NOBODY} in this list. {choice.left_out}".strip())
        return _page(request, practice, gps, letters, form, by)
    if by is By.LINES:
        access.record(
            request,
            AccessEvent.Kind.SEARCHED,
            detail="sheet by NHS number and date of birth",
            rows=len(choice.patients),
        )
    try:
        sheet = sheet_rows.freeze(
            practice=practice,
            choice=choice,
            by=request.user,
            at=timezone.now(),
            public_id=form.cleaned_data["sheet"],
        )
    except Sheet.DoesNotExist:
        raise Http404 from None
    return redirect("sheet:sheet", sheet.public_id)


def _choice(practice: Practice, form: StartForm, by: By, gps: Sequence[UsualGp], today: date) -> Choice:
    values = form.cleaned_data
    if by is By.LINES:
        return choosing.of_lines(practice, values["lines"], today)
    size = int(values["size"])
    if by is By.GP:
        gp = next(gp for gp in gps if str(gp.public_id) == values["gp"])
        return choosing.of_gp(practice, gp, size, today)
    if by is By.LETTERS:
        return choosing.of_letters(practice, date.fromisoformat(values["sent_on"]), size, today)
    return choosing.oldest(practice, size, today)


def _page(
    request: CareRequest,
    practice: Practice,
    gps: Sequence[UsualGp],
    letters: Sequence[tuple[date, int]],
    sent: StartForm | None = None,
    sent_by: By | None = None,
) -> HttpResponse:
    at, today = timezone.now(), timezone.localdate()
    options: dict[str, Any] = {"gps": gps, "letters": letters}
    key = new_form_key()
    forms = {
        by: sent
        if sent and by is sent_by
        else StartForm(by=by, initial={"by": by, "sheet": key, "size": "25"}, **options)
        for by in By
    }
    mine = standing.own_sheets(practice, request.user).filter(touched_at__gt=at - standing.KEPT_FOR)
    in_hand = [
        (sheet, standing.progress(standing.row_views(sheet, at, today, may_undo(request, at))))
        for sheet in mine.order_by("-touched_at", "-pk")[:_SHOWN]
    ]
    context = {
        "forms": forms,
        "form": sent,
        "By": By,
        "in_hand": [(sheet, done) for sheet, done in in_hand if done.left],
        "waiting": choosing.waiting(practice, today).count(),
        "has_letters": bool(letters),
        "has_gps": bool(gps),
    }
    return render(request, "consent/sheet/start.jinja", context)
