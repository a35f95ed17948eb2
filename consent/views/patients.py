"""The patient list and its search box."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_safe

from carerecords import access
from carerecords.access import requires
from carerecords.identifiers import BadNhsNumber
from carerecords.middleware import CareRequest
from carerecords.models import AccessEvent, Patient
from carerecords.permissions import Permission
from carerecords.search import BadSearch, Wanted, condition, parse
from consent import list_words, searches
from consent.forms import SearchForm
from consent.list_query import ALL, FILTERS, ListQuery, Sort
from consent.list_rows import Rows
from consent.patient_list import PatientPage, patient_page, without_unknown_gp
from consent.usual_gps import usual_gps
from consent.views.permitted import permissions_of, practice_of


@require_safe
@requires(Permission.FIND_PATIENTS)
def patient_list(request: CareRequest) -> HttpResponse:
    """A page of the practice's patients: filtered, searched, in either order."""
    return draw_list(request, ListQuery.of(request.GET.dict()))


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.FIND_PATIENTS)
def search(request: CareRequest) -> HttpResponse:
    """Reads the box, keeps it in the session, and leads to the list, or straight to the patient."""
    if request.method != "POST":
        return redirect("consent:list")
    form = SearchForm(request.POST)
    if not form.is_valid():
        return draw_list(request, ListQuery(), form=form)
    text = form.cleaned_data["text"]
    try:
        wanted = parse(text, timezone.localdate())
    except (BadSearch, BadNhsNumber) as fault:
        form.add_error("text", str(fault))
        return draw_list(request, ListQuery(), form=form)
    if wanted.nhs_number and (found := _only_one(request, wanted)):
        access.record(request, AccessEvent.Kind.SEARCHED, detail=f"patients by {wanted.by}", rows=1)
        return redirect("consent:patient", found.public_id)
    return redirect(f"{reverse('consent:list')}?{urlencode({'s': searches.keep(request, text)})}")


def _only_one(request: CareRequest, wanted: Wanted) -> Patient | None:
    by_address = request.can(Permission.OPEN_SENSITIVE_RECORD)
    return practice_of(request).patients.filter(condition(wanted, by_address=by_address)).first()


def draw_list(
    request: CareRequest,
    query: ListQuery,
    *,
    form: SearchForm | None = None,
    problem: str = "",
    ticked: Collection[uuid.UUID] = (),
) -> HttpResponse:
    """A page of the list. `problem`: what is wrong with the selection that was sent from it."""
    text = searches.read(request, query.s)
    lost = bool(query.s) and text is None
    if lost:
        query = query.first(s="")
    practice, at, today = practice_of(request), timezone.now(), timezone.localdate()
    gps = usual_gps(practice)
    query = without_unknown_gp(query, gps)
    wanted = parse(text, today) if text else None
    may = permissions_of(request)
    by_address = Permission.OPEN_SENSITIVE_RECORD in may
    page = patient_page(practice, query, gps=gps, wanted=wanted, by_address=by_address)
    _log(request, page, wanted)
    words = list_words.words_of(gps)
    place = str(page.query)
    rows = Rows(may=may, at=at, today=today, place=place)
    context = {
        "page": page,
        "query": page.query,
        "rows": rows.draw(page.rows),
        "form": form or SearchForm(initial={"text": text or ""}),
        "text": text or "",
        "wanted": wanted,
        "lost": lost,
        "words": words,
        "line": list_words.line(page, words),
        "chips": _chips(page.query, words),
        "links": _links(page),
        "place": place,
        "at": at,
        "may": may,
        "selects": rows.selects,
        "problem": problem,
        "ticked": set(ticked),
    }
    return render(request, "consent/patients.jinja", context)


def _log(request: CareRequest, page: PatientPage, wanted: Wanted | None) -> None:
    if wanted is None:
        kind, detail = AccessEvent.Kind.LISTED, "patients"
    else:
        kind, detail = AccessEvent.Kind.SEARCHED, f"patients by {wanted.by}"
    if page.query.in_force:
        detail = f"{detail}, {urlencode(page.query.in_force)}"
    access.record(request, kind, detail=detail, rows=len(page.rows))


def _chips(query: ListQuery, words: list_words.Words) -> list[tuple[str, str]]:
    """Each filter in force with the address of the list without it."""
    said = list_words.said(query, words)
    chips = [(text, _address(query.first(**{name: ""}))) for name, text in said.items()]
    return [("Search", _address(query.first(s=""))), *chips] if query.s else chips


@dataclass(frozen=True)
class Links:
    """Every address that the page leads to within the list."""

    here: str
    previous: str | None
    next: str | None
    by_name: str
    by_decision: str
    clear: str
    all: str
    select_all: str
    select_none: str


def _links(page: PatientPage) -> Links:
    query, here = page.query, page.number
    previous = query.at(here - 1, before=page.rows[0].public_id) if page.has_previous else None
    if here == 2:
        # Page 1 has an address of its own: nobody who was added since is missed there.
        previous = query.first(select=query.select)
    following = query.at(here + 1, after=page.rows[-1].public_id) if page.has_next else None
    return Links(
        here=_address(query),
        previous=_address(previous) if previous else None,
        next=_address(following) if following else None,
        by_name=_address(query.first(sort="")),
        by_decision=_address(query.first(sort=Sort.DECIDED.value)),
        clear=_address(query.first(**dict.fromkeys(FILTERS, ""))),
        all=_address(ListQuery()),
        select_all=f"{_address(query.selecting(ALL))}#selected",
        select_none=f"{_address(query.selecting(''))}#selected",
    )


def _address(query: ListQuery) -> str:
    text = str(query)
    return reverse("consent:list") + (f"?{text}" if text else "")
