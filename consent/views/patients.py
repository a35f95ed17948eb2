"""The patient list and its search box."""

from typing import Any

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
from consent import searches
from consent.codes import ConsentState, Source
from consent.forms import SearchForm
from consent.list_query import FILTERS, LetterSent, ListQuery, Sort, UploadStanding
from consent.list_rows import list_rows
from consent.patient_list import PatientPage, patient_page, usual_gps, without_unknown_gp
from consent.views.permitted import permissions_of, practice_of


@require_safe
@requires(Permission.FIND_PATIENTS)
def patient_list(request: CareRequest) -> HttpResponse:
    """A page of the practice's patients: filtered, searched, in either order."""
    query = ListQuery.of(request.GET.dict())
    text = searches.read(request, query.s)
    if query.s and text is None:
        return _list_page(request, query.first(s=""), lost=True)
    return _list_page(request, query, text=text or "")


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.FIND_PATIENTS)
def search(request: CareRequest) -> HttpResponse:
    """Reads the box, keeps it in the session, and leads to the list, or straight to the patient."""
    if request.method != "POST":
        return redirect("consent:list")
    form = SearchForm(request.POST)
    if not form.is_valid():
        return _list_page(request, ListQuery(), form=form)
    text = form.cleaned_data["text"]
    try:
        wanted = parse(text, timezone.localdate())
    except (BadSearch, BadNhsNumber) as fault:
        form.add_error("text", str(fault))
        return _list_page(request, ListQuery(), form=form)
    if wanted.nhs_number and (found := _only_one(request, wanted)):
        access.record(request, AccessEvent.Kind.SEARCHED, detail=f"patients by {wanted.by}", rows=1)
        return redirect("consent:patient", found.public_id)
    return redirect(f"{reverse('consent:list')}?{urlencode({'s': searches.keep(request, text)})}")


def _only_one(request: CareRequest, wanted: Wanted) -> Patient | None:
    by_address = request.can(Permission.OPEN_SENSITIVE_RECORD)
    return practice_of(request).patients.filter(condition(wanted, by_address=by_address)).first()


def _list_page(
    request: CareRequest,
    query: ListQuery,
    *,
    text: str = "",
    form: SearchForm | None = None,
    lost: bool = False,
) -> HttpResponse:
    practice, at, today = practice_of(request), timezone.now(), timezone.localdate()
    gps = usual_gps(practice)
    query = without_unknown_gp(query, gps)
    wanted = parse(text, today) if text else None
    may = permissions_of(request)
    by_address = Permission.OPEN_SENSITIVE_RECORD in may
    page = patient_page(practice, query, gps=gps, wanted=wanted, by_address=by_address)
    _log(request, page, wanted)
    words = _words(gps)
    context = {
        "page": page,
        "query": page.query,
        "rows": list_rows(page.rows, page.jobs, may=may, at=at, today=today),
        "form": form or SearchForm(initial={"text": text}),
        "text": text,
        "wanted": wanted,
        "lost": lost,
        "words": words,
        "line": _line(page, words),
        "chips": _chips(page.query, words),
        "links": _links(page),
        "place": str(page.query),
        "at": at,
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


def _words(gps: list[Any]) -> dict[str, tuple[str, list[tuple[str, str]]]]:
    """Each filter's label and choices."""
    return {
        "decision": ("Decision", ConsentState.choices()),
        "source": ("How they told us", Source.choices()),
        "upload": ("Upload", UploadStanding.choices()),
        "gp": ("Usual GP", [(str(gp.public_id), gp.short_name) for gp in gps]),
        "letter": ("Letter", LetterSent.choices()),
    }


def _said(query: ListQuery, words: dict[str, Any]) -> dict[str, str]:
    """Each filter in force, as `Decision: No decision`."""
    return {
        name: f"{words[name][0]}: {dict(words[name][1]).get(value, value)}"
        for name, value in query.in_force.items()
    }


def _line(page: PatientPage, words: dict[str, Any]) -> str:
    """`1,234 of 11,982 patients. Decision: No decision. Sorted by family name.`"""
    parts = [f"{page.matched:,} of {page.total:,} patients", *_said(page.query, words).values()]
    return " ".join(f"{part}." for part in [*parts, f"Sorted by {page.query.order.label}"])


def _chips(query: ListQuery, words: dict[str, Any]) -> list[tuple[str, str]]:
    """Each filter in force with the address of the list without it."""
    chips = [(said, _address(query.first(**{name: ""}))) for name, said in _said(query, words).items()]
    return [("Search", _address(query.first(s=""))), *chips] if query.s else chips


def _links(page: PatientPage) -> dict[str, str | None]:
    """Every address that the page leads to within the list."""
    query, here = page.query, page.number
    previous = query.at(here - 1, before=page.rows[0].public_id) if page.has_previous else None
    following = query.at(here + 1, after=page.rows[-1].public_id) if page.has_next else None
    return {
        "here": _address(query),
        # Page 1 has an address of its own: nobody who was added since is missed there.
        "previous": _address(query.first() if here == 2 else previous) if previous else None,
        "next": _address(following) if following else None,
        "by_name": _address(query.first(sort="")),
        "by_decision": _address(query.first(sort=Sort.DECIDED.value)),
        "clear": _address(query.first(**dict.fromkeys(FILTERS, ""))),
        "all": _address(ListQuery()),
    }


def _address(query: ListQuery) -> str:
    text = str(query)
    return reverse("consent:list") + (f"?{text}" if text else "")
