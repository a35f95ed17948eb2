"""Which patients of the list were selected: ticked one by one, or all that match."""

import uuid
from dataclasses import dataclass
from functools import cached_property

from django.utils import timezone

from carerecords.formats import plural
from carerecords.middleware import CareRequest
from carerecords.models.patient import PatientQuerySet
from carerecords.permissions import Permission
from carerecords.search import parse
from consent import list_words, searches
from consent.list_query import ListQuery
from consent.patient_list import SIZE, in_order, matching, without_unknown_gp
from consent.usual_gps import usual_gps
from consent.views.permitted import practice_of

SEARCH_ENDED = "That search has ended, and what was typed is not kept. Search again"


@dataclass(frozen=True)
class Selection:
    """`patients` are those that may be worked on; `left_out` counts sensitive records that may not."""

    query: ListQuery
    ticked: list[uuid.UUID]
    patients: PatientQuerySet
    left_out: int
    how: str
    lost: bool = False

    @cached_property
    def count(self) -> int:
        return self.patients.count()

    @property
    def chosen(self) -> str:
        """How they were chosen, in words, and who was left out."""
        if not self.left_out:
            return self.how
        return f"{self.how} {plural(self.left_out, 'sensitive record')} left out: your role cannot open them."

    @property
    def problem(self) -> str:
        """Why nothing can be done with it, or nothing."""
        if self.lost:
            return SEARCH_ENDED
        return "" if self.count else "Select at least one patient"


def selected(request: CareRequest) -> Selection:
    """What the list's form sent."""
    query = ListQuery.read(request.POST.get("from", ""))
    if query.select:
        return _all_matching(request, query)
    ticked = _uuids(request.POST.getlist("patient"))
    rows = practice_of(request).patients.filter(public_id__in=ticked)
    return _selection(request, query, rows, "Selected one by one in the list.", ticked)


def _all_matching(request: CareRequest, query: ListQuery) -> Selection:
    practice = practice_of(request)
    gps = usual_gps(practice)
    query = without_unknown_gp(query, gps)
    text = searches.read(request, query.s)
    if query.s and text is None:
        return Selection(query.first(s=""), [], practice.patients.none(), 0, "", lost=True)
    wanted = parse(text, timezone.localdate()) if text else None
    by_address = request.can(Permission.OPEN_SENSITIVE_RECORD)
    rows = matching(practice, query, gps=gps, wanted=wanted, by_address=by_address)
    how = list_words.all_matching(query, list_words.words_of(gps), wanted)
    return _selection(request, query, rows, how, [])


def _selection(
    request: CareRequest, query: ListQuery, rows: PatientQuerySet, how: str, ticked: list[uuid.UUID]
) -> Selection:
    """Without what the list does not show to this role."""
    left_out = 0
    if not request.can(Permission.OPEN_SENSITIVE_RECORD):
        left_out = rows.filter(is_sensitive=True).count()
        rows = rows.filter(is_sensitive=False)
    return Selection(query, ticked, in_order(rows), left_out, how)


def _uuids(texts: list[str]) -> list[uuid.UUID]:
    """A page's worth at most; what is not an id was not made by the list."""
    found = []
    for text in texts[:SIZE]:
        try:
            found.append(uuid.UUID(text))
        except ValueError:
            continue
    return found
