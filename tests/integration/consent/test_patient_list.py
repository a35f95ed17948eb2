"""The patient list: whom it shows to whom, its filters, searches and orders, its pages."""

import datetime
import itertools
import re
import uuid
from html import unescape

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from carerecords.models import AccessEvent, Patient, UploadJob
from carerecords.permissions import Role
from consent.codes import ConsentState, Preference, Source
from consent.list_query import FILTERS, AgeBand, LetterSent, ListQuery, Registered, UploadStanding
from consent.patient_list import SIZE, patient_page
from consent.usual_gps import usual_gps
from consent.verdicts import years_before
from tests.factories import decide, make_patient, make_user
from tests.integration.consent.looking import LIST, addresses, fill, text, written

pytestmark = pytest.mark.django_db
TODAY = timezone.localdate
RECENTLY = timezone.localdate() - datetime.timedelta(weeks=3)
NOBODY = "6f1d0c52-8f5e-4c55-9a43-0d6a5c1f7e21"


def get(client, query="", **asked):
    return rows_of(client.get(LIST + query, asked))


def rows_of(response):
    """Family names, upper case as the page writes them, in the order of the page."""
    assert response.status_code == 200
    body = response.content.decode()
    found = body.split('class="care-identity__name"')[1:]
    return [part.split(">", 1)[1].split(",", 1)[0].title() for part in found]


# --- Who sees whom --------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["gp", "staff", "manager", "privacy_officer", "api_client"])
def test_a_practice_sees_its_own_patients_and_nobody_elses(client, request, practice, who):
    make_patient(practice, family_name="Ours")
    make_patient(family_name="Theirs")
    client.force_login(request.getfixturevalue(who))
    assert get(client) == ["Ours"]
    look = AccessEvent.objects.get()
    assert (look.kind, look.detail, look.rows) == ("LISTED", "patients", 1)


@pytest.mark.parametrize("who", ["policy_admin", "national_admin", "auditor"])
def test_national_roles_see_no_list(client, request, patient, who):
    client.force_login(request.getfixturevalue(who))
    before = written()
    for answer in (client.get(LIST), client.post(f"{LIST}search/", {"text": patient.family_name})):
        assert answer.status_code == 403 and patient.family_name not in answer.content.decode()
    assert written() == before
    assert set(AccessEvent.objects.values_list("kind", "rows")) == {("REFUSED", None)}


def test_a_stranger_finds_nobody_of_ours_by_any_fact(client, stranger, practice):
    patient = make_patient(practice, family_name="Adeyemi")
    client.force_login(stranger)
    for fact in (patient.family_name, patient.nhs_number, patient.postcode, "12 June 1970"):
        answer = client.post(f"{LIST}search/", {"text": fact}, follow=True)
        assert rows_of(answer) == [] and answer.redirect_chain[-1][0].startswith(f"{LIST}?s=")


def test_those_who_left_or_died_are_found_by_a_search_only(client, practice, gp):
    make_patient(practice, family_name="Here")
    make_patient(practice, family_name="Gone", left_on=TODAY())
    make_patient(practice, family_name="Dead", died_on=TODAY())
    client.force_login(gp)
    assert get(client) == ["Here"]
    for name, why in (("Gone", "Left the practice on"), ("Dead", "Died on")):
        found = client.post(f"{LIST}search/", {"text": name}, follow=True)
        assert rows_of(found) == [name] and why in text(found) and "Record decision for" not in text(found)


@pytest.mark.parametrize(("who", "open_"), [("gp", True), ("privacy_officer", True), ("staff", False)])
def test_of_a_sensitive_record_only_some_see_the_decision(client, request, practice, gp, who, open_):
    patient = make_patient(practice, is_sensitive=True)
    decide(patient, Preference.EXPRESS_DISSENT, by=gp)
    client.force_login(request.getfixturevalue(who))
    told = text(client.get(LIST, {"decision": "EXPRESS_DISSENT"}))
    row = told[told.index(patient.nhs_number[:3]) :]
    assert ("Consent refused" in row) == open_ and ("Sensitive record" in row) != open_


# --- Filters --------------------------------------------------------------------------------------


@pytest.fixture
def world(practice, gp):
    """Patients who differ in all that can be filtered: by family name, what each filter says of them."""
    other_gp = make_user(Role.GP, practice)
    at = timezone.now() - datetime.timedelta(days=2)
    table = {
        #            decision, source, state of the newest job, its kind, GP, letter sent
        "Adams": (None, "", None, None, gp, None),
        "Baker": ("EXPRESS_CORE", "IN_PERSON", "WAITING", "UPLOAD", gp, "2026-01-05"),
        "Clark": ("EXPRESS_CORE", "LETTER", "HELD", "UPLOAD", other_gp, "2026-01-05"),
        "Davis": ("EXPRESS_ADDITIONAL", "PHONE", "ACCEPTED", "UPLOAD", gp, None),
        "Dixon": ("EXPRESS_CORE", "LETTER", "HELD", "UPLOAD", gp, RECENTLY),
        "Evans": ("EXPRESS_DISSENT", "FORM", "ACCEPTED", "WITHDRAWAL", other_gp, None),
        "Foster": ("EXPRESS_DISSENT", "ONLINE", "WAITING", "WITHDRAWAL", gp, "2026-01-05"),
        "Grant": ("EXPRESS_CORE", "IN_PERSON", "SENDING", "UPLOAD", None, None),
        "Hayes": ("EXPRESS_CORE", "IN_PERSON", "IN_DOUBT", "UPLOAD", gp, None),
        "Irwin": ("EXPRESS_CORE", "PHONE", "FAILED", "UPLOAD", gp, None),
        "James": ("EXPRESS_CORE", "PHONE", "CANCELLED", "UPLOAD", gp, None),
        "Khan": ("CONFLICT", "PHONE", "WAITING", "UPLOAD", gp, None),
        "Lewis": ("LATER", "PHONE", None, None, gp, None),
        "Moore": ("IMPLIED_CORE", "PHONE", None, None, gp, None),
    }
    held = {
        "Clark": ["policy.bma", "identity.unverified"],
        "Dixon": ["identity.unverified"],
    }
    ages = {"Baker": 15, "Clark": 16, "Davis": 64, "Evans": 65}
    here_for = {"Adams": 59, "Baker": 61, "Clark": 364, "Davis": 367}
    facts = {}
    for name, (decision, source, state, kind, who, letter) in table.items():
        age, days = ages.get(name, 40), here_for.get(name, 4_000)
        patient = make_patient(
            practice,
            family_name=name,
            usual_gp=who,
            letter_sent_on=letter,
            born_on=years_before(TODAY(), age),
            registered_on=TODAY() - datetime.timedelta(days=days),
        )
        if state:
            # An older job, which must not count.
            UploadJob.objects.create(
                patient=patient,
                practice=practice,
                kind="UPLOAD",
                cause="DECISION",
                requested_at=at,
                state="CANCELLED",
                finished_at=at,
            )
            newest = UploadJob.objects.create(
                patient=patient, practice=practice, kind=kind, cause="DECISION", requested_at=at, due_at=at
            )
            in_state(newest, state, at, held.get(name, []))
        columns = {"consent_state": decision or "NONE", "consent_source": source}
        Patient.objects.filter(pk=patient.pk).update(**columns)
        standing = "WITHDRAWN" if (state, kind) == ("ACCEPTED", "WITHDRAWAL") else state or "NOT_DUE"
        facts[name] = {
            "decision": columns["consent_state"],
            "source": source,
            "upload": standing,
            "reason": held.get(name, []),
            "gp": str(who.public_id) if who else "",
            "age": "under16" if age < 16 else "16to64" if age < 65 else "65",
            "letter": ["yes", "recent" if letter == RECENTLY else "earlier"] if letter else "no",
            "registered": ["60days", "year"] if days < 60 else "year" if days < 366 else "longer",
        }
    return facts


def in_state(job, state, at, reasons):
    ended = state in {"ACCEPTED", "CANCELLED", "FAILED"}
    changes = {"state": state, "finished_at": at if ended else None, "reasons": reasons}
    changes["headline"] = {"policy.bma": "BMA boycott in force.", "identity.unverified": "Not matched."}.get(
        *reasons[:1] or [""], ""
    )
    if state != "WAITING":
        changes["due_at"] = None
    if state == "SENDING":
        changes["lease_until"] = at + datetime.timedelta(days=9)
    UploadJob.objects.filter(pk=job.pk).update(**changes)


def matching(world, **asked):
    def fits(fact, value):
        return value in fact if isinstance(fact, list) else fact == value

    return [name for name, facts in world.items() if all(fits(facts[key], asked[key]) for key in asked)]


def choices(world):
    """Every filter with every choice that the page offers."""
    return {
        "decision": [state.value for state in ConsentState],
        "source": [source.value for source in Source],
        "upload": [standing.value for standing in UploadStanding],
        "reason": ["policy.bma", "identity.unverified"],
        "gp": sorted({facts["gp"] for facts in world.values()} - {""}),
        "age": [band.value for band in AgeBand],
        "letter": [letter.value for letter in LetterSent],
        "registered": [since.value for since in Registered],
    }


@pytest.mark.parametrize("name", FILTERS)
def test_every_choice_of_every_filter_finds_those_it_names(client, gp, world, name):
    client.force_login(gp)
    found = {value: get(client, **{name: value}) for value in choices(world)[name]}
    assert found == {value: matching(world, **{name: value}) for value in found}
    # The test could not fail if nobody were ever found.
    assert sum(map(bool, found.values())) >= 2


def test_any_two_filters_narrow_together(practice, gp, world):
    gps, offered, pairs = usual_gps(practice), choices(world), 0
    for one, two in itertools.combinations(FILTERS, 2):
        for a, b in itertools.product(offered[one], offered[two]):
            asked = {one: a, two: b}
            wanted = matching(world, **asked)
            if pairs % 4 == 0 or wanted:
                page = patient_page(practice, ListQuery.of(asked), gps=gps)
                assert [row.family_name for row in page.rows] == wanted, asked
                assert (page.matched, page.total) == (len(wanted), len(world))
            pairs += 1
    assert pairs > 100


def test_filters_in_force_are_said_can_be_removed_and_stay_chosen(client, gp, world):
    client.force_login(gp)
    page = client.get(LIST, {"decision": "EXPRESS_CORE", "letter": "yes", "sort": "decided"})
    line = (
        "3 of 14 patients. Decision: Consent given. Letter: Sent. Sorted by date of decision, newest first."
    )
    assert line in text(page)
    assert {f"{LIST}?letter=yes&sort=decided", f"{LIST}?decision=EXPRESS_CORE&sort=decided"} <= set(
        addresses(page)
    )
    body = page.content.decode()
    assert f'<a href="{LIST}?sort=decided">Clear filters</a>' in body
    assert '<option value="EXPRESS_CORE" selected' in body and '<option value="yes" selected' in body
    assert AccessEvent.objects.get().detail == "patients, decision=EXPRESS_CORE&letter=yes"


@pytest.mark.parametrize(
    ("asked", "open_"), [({}, False), ({"sort": "decided"}, False), ({"decision": "NONE"}, True)]
)
def test_the_filters_are_folded_up_unless_one_is_in_force(client, gp, patient, asked, open_):
    client.force_login(gp)
    body = client.get(LIST, asked).content.decode()
    panel = body[body.index("<details") : body.index(">", body.index("<details"))]
    assert (" open" in panel) == open_


@pytest.mark.parametrize(
    "asked",
    [
        {"decision": "PERHAPS"},
        {"decision": "none"},
        {"source": "FAX"},
        {"upload": "x"},
        {"gp": "x"},
        {"reason": "consent.refused"},
        {"reason": "x"},
        {"reason": "a." + "b" * 99},
        {"age": "40"},
        {"registered": "today"},
        {"gp": NOBODY},
        {"letter": "maybe"},
        {"sort": "random"},
        {"page": "-1"},
        {"page": "9" * 99},
        {"page": "²"},
        {"after": "x"},
        {"after": NOBODY},
        {"before": NOBODY},
        {"s": "../x"},
        {"s": "0123456789ab"},
        {"decision": "' OR 1=1 --"},
        {"\x00": "\x00", "gp": "\x00"},
    ],
    ids=str,
)
def test_what_no_page_offers_counts_as_not_asked(client, gp, practice, asked):
    make_patient(practice, family_name="Adams")
    client.force_login(gp)
    assert get(client, **asked) == ["Adams"]


def test_a_gp_of_another_practice_is_no_filter(client, gp, practice, stranger):
    make_patient(practice, family_name="Adams", usual_gp=gp)
    client.force_login(gp)
    assert get(client, gp=str(stranger.public_id)) == ["Adams"]


@pytest.mark.parametrize(
    ("asked", "heading"),
    [({}, "No patients yet."), ({"decision": "CONFLICT"}, "No patients match.")],
)
def test_an_empty_list_says_why(client, gp, asked, heading):
    client.force_login(gp)
    assert heading in text(client.get(LIST, asked))


# --- Searches -------------------------------------------------------------------------------------


@pytest.fixture
def names(practice):
    born = datetime.date(1945, 5, 12)
    return {
        name: make_patient(practice, family_name=family, given_name=given, **more)
        for name, family, given, more in [
            ("Grace", "Adeyemi", "Grace", {}),
            ("John", "Adeyemi-Brown", "John", {"born_on": born}),
            ("Tom", "Brown", "Tom", {"born_on": born, "postcode": "ZZ1 1ZZ"}),
            ("Mary Ann", "van der Berg", "Mary Ann", {"postcode": "ZZ1 1ZZ"}),
            ("Percy", "100%", "Percy", {}),
            ("Secret", "Hidden", "Secret", {"postcode": "ZZ1 1ZZ", "is_sensitive": True}),
        ]
    }


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("adeyemi", {"Grace", "John"}),
        ("ADEYEMI, grace", {"Grace"}),
        ("Grace Adeyemi", {"Grace"}),
        ("Adeyemi Grace", {"Grace"}),
        ("Mrs Grace Adeyemi", {"Grace"}),
        ("ade", {"Grace", "John"}),
        ("dey", set()),
        ("tom", {"Tom"}),
        ("Mary Ann van der Berg", {"Mary Ann"}),
        ("van der", {"Mary Ann"}),
        ("%", None),
        ("a_e", set()),
        ("12/5/1945", {"John", "Tom"}),
        ("brown 12 May 1945", {"Tom"}),
        ("zz1 1zz", {"Tom", "Mary Ann", "Secret"}),
        ("brown zz11zz", {"Tom"}),
        ("13/5/1945", set()),
    ],
)
def test_a_search_finds_by_each_fact_and_by_all_together(client, gp, names, typed, found):
    client.force_login(gp)
    answer = client.post(f"{LIST}search/", {"text": typed}, follow=True)
    if found is None:
        assert "Enter a name, NHS number, postcode or date of birth" in text(answer)
        return
    assert sorted(rows_of(answer)) == sorted(names[name].family_name.title() for name in found)
    body = answer.content.decode()
    assert f'value="{typed}"' in body, "What was typed stays in the box."


@pytest.mark.parametrize(("who", "found"), [("gp", 3), ("privacy_officer", 3), ("staff", 2), ("manager", 2)])
def test_a_postcode_does_not_tell_where_a_sensitive_patient_lives(client, request, names, who, found):
    client.force_login(request.getfixturevalue(who))
    assert len(rows_of(client.post(f"{LIST}search/", {"text": "ZZ1 1ZZ"}, follow=True))) == found


@pytest.mark.parametrize("gap", ["", " ", "-", "\u2009"])
def test_an_nhs_number_leads_straight_to_the_patient(client, gp, patient, gap):
    client.force_login(gp)
    number = patient.nhs_number
    typed = gap.join([number[:3], number[3:6], number[6:]])
    answer = client.post(f"{LIST}search/", {"text": f"  {typed} "})
    assert answer["Location"] == f"{LIST}{patient.public_id}/"
    look = AccessEvent.objects.get(kind="SEARCHED")
    assert (look.detail, look.rows) == ("patients by NHS number", 1)


def test_an_unknown_nhs_number_is_said_to_be_nobodys(client, gp, patient):
    number = make_patient().nhs_number
    client.force_login(gp)
    answer = client.post(f"{LIST}search/", {"text": number}, follow=True)
    assert "No patient of your practice has this NHS number." in text(answer)


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ("", "Enter a name, NHS number, postcode or date of birth"),
        ("999 123 456x", "NHS number must only include numbers"),
        ("999 123 4560", "Check the NHS number – it is not one that can exist"),
        ("AB123456C", "Enter an NHS number, not a National Insurance number"),
        ("31/2/1945", "Date of birth must be a real date"),
        ("x" * 101, "Search must be 100 characters or less"),
    ],
)
def test_a_wrong_search_keeps_what_was_typed_and_says_what_to_mend(client, gp, patient, typed, sentence):
    client.force_login(gp)
    answer = client.post(f"{LIST}search/", {"text": typed})
    assert answer.status_code == 200 and text(answer).lstrip().startswith("Error: Patients")
    assert text(answer).count(sentence) == 2, "In the summary and beside the box."
    assert f'value="{typed}"' in answer.content.decode() or not typed


def test_more_than_200_matches_ask_for_another_fact(client, gp, practice):
    fill(practice, 201)
    client.force_login(gp)
    answer = client.post(f"{LIST}search/", {"text": "Fam"}, follow=True)
    assert "More than 200 patients match. Add a date of birth or postcode." in text(answer)
    assert rows_of(answer) == []
    last = Patient.objects.order_by("-pk").first()
    last.family_name = "Other"
    last.save()
    assert len(rows_of(client.post(f"{LIST}search/", {"text": "Fam"}, follow=True))) == SIZE


def test_what_was_searched_for_is_in_no_address_and_belongs_to_one_session(client, gp, staff, names):
    client.force_login(gp)
    address = client.post(f"{LIST}search/", {"text": "Grace"})["Location"]
    assert "grace" not in address.lower()
    assert rows_of(client.get(address)) == ["Adeyemi"]
    assert client.post(f"{LIST}search/", {"text": "Grace"})["Location"] == address
    assert rows_of(client.get(f"{address}&decision=EXPRESS_CORE")) == []
    client.logout()
    client.force_login(staff)
    told = client.get(address)
    assert "That search has ended, and what was typed is not kept." in text(told)
    assert set(AccessEvent.objects.exclude(detail="patients").values_list("detail", flat=True)) == {
        "patients by name",
        "patients by name, decision=EXPRESS_CORE",
    }


def test_a_search_is_narrowed_by_filters_and_sorted(client, gp, names):
    decide(names["John"], by=gp)
    client.force_login(gp)
    address = client.post(f"{LIST}search/", {"text": "adeyemi"})["Location"]
    assert rows_of(client.get(f"{address}&decision=EXPRESS_CORE")) == ["Adeyemi-Brown"]
    assert rows_of(client.get(f"{address}&sort=decided")) == ["Adeyemi-Brown", "Adeyemi"]
    assert rows_of(client.get(address)) == ["Adeyemi", "Adeyemi-Brown"]


def test_the_search_address_itself_only_leads_to_the_list(client, gp):
    client.force_login(gp)
    assert client.get(f"{LIST}search/")["Location"] == LIST


# --- Orders and pages -----------------------------------------------------------------------------


def walk(client, address, way):
    """Every page along the links "next" or "prev", with the ids of its rows."""
    pages = []
    while address:
        answer = client.get(address)
        pages.append((answer, ids_of(answer)))
        address = link_to(answer, way)
        assert len(pages) < 60, "It goes round in circles."
    return pages


def link_to(answer, way):
    found = re.search(rf'href="([^"]*)"[^>]* rel="{way}"', answer.content.decode())
    return unescape(found[1]) if found else None


def ids_of(answer):
    return re.findall(r'<tbody[^>]* id="patient-([0-9a-f-]{36})"', answer.content.decode())


@pytest.mark.parametrize(
    ("asked", "order"),
    [
        ("", ["family_name", "given_name", "pk"]),
        ("sort=decided", [F("consent_decided_on").desc(nulls_last=True), "family_name", "given_name", "pk"]),
        ("decision=EXPRESS_CORE", ["family_name", "given_name", "pk"]),
    ],
    ids=["by name", "by date of decision", "filtered"],
)
def test_pages_show_every_row_once_in_order_forwards_and_back(client, gp, practice, asked, order):
    fill(practice, 190, half_decided=True)
    wanted = Patient.objects.of(practice).order_by(*order)
    if "decision" in asked:
        wanted = wanted.filter(consent_state="EXPRESS_CORE")
    wanted = [str(public_id) for public_id in wanted.values_list("public_id", flat=True)]
    client.force_login(gp)
    forwards = walk(client, f"{LIST}?{asked}", "next")
    assert [one for _, ids in forwards for one in ids] == wanted and len(wanted) > SIZE
    for number, (answer, _) in enumerate(forwards, 1):
        assert text(answer).lstrip().startswith(f"Patients (page {number} of {len(forwards)})")
    last = f"{LIST}?{asked}&after={forwards[-2][1][-1]}&page={len(forwards)}"
    backwards = walk(client, last, "prev")
    assert [ids for _, ids in backwards] == [ids for _, ids in forwards[::-1]]
    # Page 1 has an address of its own: nobody who was added since is missed there.
    assert link_to(backwards[-2][0], "prev") == f"{LIST}?{asked}".rstrip("?")


def test_a_page_goes_on_where_it_was_when_its_first_row_has_left_or_changed(client, gp, practice):
    fill(practice, 120, half_decided=True)
    client.force_login(gp)
    first = client.get(LIST, {"decision": "EXPRESS_CORE"})
    following = link_to(first, "next")
    expected = ids_of(client.get(following))
    last_row = ids_of(first)[-1]
    Patient.objects.filter(public_id=last_row).update(consent_state="NONE", left_on=TODAY())
    assert ids_of(client.get(following)) == expected != []


def test_a_page_that_is_gone_shows_the_first(client, gp, practice, stranger):
    fill(practice, 60)
    theirs = make_patient(stranger.assignments.get().practice)
    client.force_login(gp)
    first = ids_of(client.get(LIST))
    for place in (uuid.uuid4(), theirs.public_id):
        answer = client.get(LIST, {"after": place, "page": 7})
        assert ids_of(answer) == first and "Patients (page 1 of 2)" in text(answer)


def test_one_page_has_no_numbers(client, gp, patient):
    client.force_login(gp)
    told = text(client.get(LIST))
    assert "page 1" not in told and "1 of 1 patients" in told


def queries_of(client, address):
    client.get(address)  # the first visit also writes the session
    with CaptureQueriesContext(connection) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


@pytest.mark.parametrize("asked", ["", "decision=NONE&letter=no", "upload=WAITING", "sort=decided"])
def test_the_list_asks_as_often_for_a_thousand_rows_as_for_ten(client, gp, practice, asked):
    for _ in range(2):
        decide(make_patient(practice, usual_gp=gp), by=gp)
    fill(practice, 8)
    client.force_login(gp)
    few = queries_of(client, f"{LIST}?{asked}")
    fill(practice, 990, half_decided=True)
    for patient in Patient.objects.of(practice).order_by("family_name")[:20]:
        UploadJob.objects.create(
            patient=patient,
            practice=practice,
            kind="UPLOAD",
            cause="DECISION",
            requested_at=timezone.now(),
            due_at=timezone.now(),
        )
    assert queries_of(client, f"{LIST}?{asked}") == few <= 12


def test_a_search_asks_as_often_for_many_as_for_one(client, gp, practice):
    make_patient(practice, family_name="Fam")
    client.force_login(gp)
    address = client.post(f"{LIST}search/", {"text": "fam"})["Location"]
    few = queries_of(client, address)
    fill(practice, 150)
    assert queries_of(client, address) == few <= 12
