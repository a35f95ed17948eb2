"""What a sheet's page shows: its rows in groups, its top, and what one press of the button did."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from carerecords import doorbell
from carerecords.date_parts import DATE_PARTS
from carerecords.middleware import CareRequest
from consent import presenters, recording, wording
from consent.codes import Preference
from consent.models import ConsentEvent, Sheet
from consent.sheet import saving, standing
from consent.sheet.forms import ANSWERS, TopForm
from consent.sheet.standing import RowView, Standing
from consent.views.permitted import permissions_of

# Rows under one caption, so that how the patients told stays in view while working down the list.
GROUP = 10


@dataclass(frozen=True)
class Result:
    """What one press of "Save decisions" did."""

    saved: list[RowView]
    not_saved: list[RowView]

    @property
    def heading(self) -> str:
        number = len(self.saved)
        if not self.not_saved:
            return f"{number} {'decision' if number == 1 else 'decisions'} saved"
        return f"{number} of {number + len(self.not_saved)} decisions saved"


def top_form(request: CareRequest, sheet: Sheet, **options: Any) -> TopForm:
    """The top as it was last typed, checked only where `data` is given."""
    typed = sheet.typed
    date = [typed.get(f"decided_on_{part}", "") for part in DATE_PARTS]
    initial = {"source": typed.get("source"), "reference": typed.get("reference"), "decided_on": date}
    return TopForm(may=permissions_of(request), today=timezone.localdate(), initial=initial, **options)


def draw(
    request: CareRequest,
    sheet: Sheet,
    *,
    top: TopForm | None = None,
    faults: Sequence[dict[str, str]] = (),
    press: int | None = None,
) -> HttpResponse:
    """The page. `top` and `faults` where something is to be mended; `press`: the one to tell of."""
    at, today = timezone.now(), timezone.localdate()
    views = standing.row_views(sheet, at, today, may_undo(request, at))
    told = top_form(request, sheet, data=sheet.typed)
    context = {
        "sheet": sheet,
        "groups": [views[start : start + GROUP] for start in range(0, len(views), GROUP)],
        "progress": standing.progress(views),
        "told": caption(told),
        "top": top or top_form(request, sheet),
        "faults": list(faults),
        "unsaved": sum(view.is_open and bool(view.row.answer) for view in views),
        "result": _result(views, press),
        "press": press,
        "noted": _noted,
        "answers": ANSWERS,
        "decision_rows": presenters.decision_rows,
        "name_of": saving.name_of,
        "paused": press is not None and not doorbell.answers(),
        "Standing": Standing,
        "today": today,
    }
    return render(request, "consent/sheet/sheet.jinja", context)


def caption(top: TopForm) -> str:
    """`By letter, 3 March 2008`, as far as it can be said."""
    top.is_valid()
    return wording.told(top.cleaned_data.get("source", ""), top.cleaned_data.get("decided_on"))


def may_undo(request: CareRequest, at: datetime.datetime) -> standing.MayUndo:
    """Which decisions this user may take back now."""
    window = datetime.timedelta(seconds=settings.UNDO_WINDOW_SECONDS)
    return partial(_may_undo, request, at, window)


def _may_undo(
    request: CareRequest, at: datetime.datetime, window: datetime.timedelta, event: ConsentEvent
) -> bool:
    return recording.may_undo(request, event, at, window)


def _result(views: Sequence[RowView], press: int | None) -> Result | None:
    """Rows of one press. Whose decision was undone since is no longer told of."""
    told_of = [view for view in views if press is not None and view.row.press == press]
    saved = [view for view in told_of if view.standing is Standing.DECIDED]
    not_saved = [
        view
        for view in told_of
        if view.standing in {Standing.CHANGED, Standing.CLOSED} or (view.is_open and view.row.fault)
    ]
    return Result(saved, not_saved) if saved or not_saved else None


def _noted(view: RowView) -> str:
    """What was saved, in the result list."""
    assert view.row.event is not None
    return wording.noted(Preference(view.row.event.preference), view.patient)
