"""Filters of the patient list: whom each finds, what they say, and what no page offers."""

import datetime
import itertools

import pytest
from django.utils import timezone

from carerecords.models import AccessEvent, Patient, UploadJob
from carerecords.permissions import Role
from consent.codes import ConsentState, Source
from consent.list_query import FILTERS, AgeBand, LetterSent, ListQuery, Registered, UploadStanding
from consent.patient_list import patient_page
from consent.usual_gps import usual_gps
from consent.verdicts import years_before
from tests.factories import make_patient, make_user
from tests.integration.consent.looking import LIST, addresses, listed, text

pytestmark = pytest.mark.django_db
TODAY = timezone.localdate
RECENTLY = timezone.localdate() - datetime.timedelta(weeks=3)
NOBODY = "6f1d0c52-8f5e-4c55-9a43-0d6a5c1f7e21"


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
        "Jones": ("EXPRESS_CORE", "PHONE", "CANCELLED", "UPLOAD", gp, None),
        "Kaur": ("EXPRESS_DISSENT", "PHONE", "CANCELLED", "WITHDRAWAL", gp, None),
        "Khan": ("CONFLICT", "PHONE", "WAITING", "UPLOAD", gp, None),
        "Lewis": ("LATER", "PHONE", None, None, gp, None),
        "Moore": ("IMPLIED_CORE", "PHONE", None, None, gp, None),
    }
    held = {
        "Clark": ["policy.bma", "identity.unverified"],
        "Dixon": ["identity.unverified"],
    }
    over = {"Jones": ["store.same"], "Kaur": ["consent.refused"]}
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
            in_state(newest, state, at, held.get(name, over.get(name, [])))
        columns = {"consent_state": decision or "NONE", "consent_source": source}
        Patient.objects.filter(pk=patient.pk).update(**columns)
        standing = "WITHDRAWN" if (state, kind) == ("ACCEPTED", "WITHDRAWAL") else state or "NOT_DUE"
        if name == "Jones":
            standing = "NEEDLESS"
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
    found = {value: listed(client, **{name: value}) for value in choices(world)[name]}
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
        "3 of 16 patients. Decision: Consent given. Letter: Sent. Sorted by date of decision, newest first."
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
    assert listed(client, **asked) == ["Adams"]


def test_a_gp_of_another_practice_is_no_filter(client, gp, practice, stranger):
    make_patient(practice, family_name="Adams", usual_gp=gp)
    client.force_login(gp)
    assert listed(client, gp=str(stranger.public_id)) == ["Adams"]


@pytest.mark.parametrize(
    ("asked", "heading"),
    [({}, "No patients yet."), ({"decision": "CONFLICT"}, "No patients match.")],
)
def test_an_empty_list_says_why(client, gp, asked, heading):
    client.force_login(gp)
    assert heading in text(client.get(LIST, asked))
