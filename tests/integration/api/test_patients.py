"""Listing, finding and reading patients by the API."""

import datetime
import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from carerecords.models import AccessEvent
from consent.codes import Preference
from tests.factories import decide, make_patient

pytestmark = pytest.mark.django_db
LIST, FIND = "/api/v1/patients/", "/api/v1/patients/find/"


def one(patient):
    return f"{LIST}{patient.public_id}/"


def last_look():
    return AccessEvent.objects.order_by("-pk").first()


def test_own_patients_by_name(api, practice, patient):
    first = make_patient(practice, family_name="Aaron")
    make_patient()
    body = api.get(LIST).json()
    assert [row["id"] for row in body["results"]] == [str(first.public_id), str(patient.public_id)]
    assert body["total"] == 2 and body["next"] is None
    assert last_look().kind == "LISTED" and last_look().rows == 2 and last_look().detail == "api: patients"


def test_a_row_says_who_what_and_what_became_of_it(api, patient, gp):
    decide(patient, by=gp)
    row = api.get(LIST).json()["results"][0]
    assert row["nhs_number"] == patient.nhs_number
    assert row["decision"] == {"code": "EXPRESS_CORE", "words": "Consent given"}
    assert row["upload"]["state"] == {"code": "WAITING", "words": "Waiting"}
    assert row["usual_gp"] == gp.short_name
    assert not {"address", "postcode"} & set(row)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"decision": "EXPRESS_CORE"}, {"consents"}),
        ({"decision": "NONE"}, {"silent"}),
        ({"upload": "WAITING"}, {"consents", "refuses"}),
        ({"upload": "NOT_DUE"}, {"silent"}),
        ({"decision": "EXPRESS_DISSENT", "upload": "WAITING"}, {"refuses"}),
        ({"decision": "CONFLICT"}, set()),
    ],
)
def test_filters(api, practice, asked, found):
    patients = {name: make_patient(practice) for name in ("consents", "refuses", "silent")}
    decide(patients["consents"])
    decide(patients["refuses"], Preference.EXPRESS_DISSENT)
    ids = {row["id"] for row in api.get(LIST, asked).json()["results"]}
    assert ids == {str(patients[name].public_id) for name in found}


def test_pages_hold_everybody_once(api, practice):
    everybody = {str(make_patient(practice, family_name=f"N{n % 7}").public_id) for n in range(120)}
    seen, address = [], LIST
    while address:
        body = api.get(address).json()
        seen += [row["id"] for row in body["results"]]
        address = body["next"]
    assert len(seen) == 120 and set(seen) == everybody


def test_the_next_page_keeps_the_filters_and_names_nobody(api, practice):
    for _ in range(51):
        make_patient(practice, family_name="Adeyemi")
    address = api.get(LIST, {"decision": "NONE"}).json()["next"]
    assert "decision=NONE" in address and "after=" in address and "adeyemi" not in address.lower()


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"decision": "PERHAPS"}, "decision"),
        ({"upload": "waiting"}, "upload"),
        ({"after": "x"}, "after"),
        ({"after": str(uuid.uuid4())}, "after"),
        ({"nhs_number": "9990000018"}, "nhs_number"),
    ],
)
def test_a_wrong_question_is_named(api, patient, asked, field):
    answer = api.get(LIST, asked)
    assert answer.status_code == 400 and list(answer.json()["errors"]) == [field]
    assert answer["Content-Type"] == "application/problem+json"


def test_somebody_elses_patient_is_no_place_in_the_list(api, patient):
    assert api.get(LIST, {"after": str(make_patient().public_id)}).status_code == 400


def test_queries_do_not_grow_with_rows(api, practice, gp):
    def count():
        with CaptureQueriesContext(connection) as queries:
            assert api.get(LIST).status_code == 200
        return len(queries)

    decide(make_patient(practice, usual_gp=gp))
    few = count()
    for _ in range(20):
        decide(make_patient(practice, usual_gp=gp))
    assert count() == few <= 8


@pytest.mark.parametrize("gap", ["", " ", "-", "\u2009"])
def test_find_by_number_and_birth(api, patient, gap):
    number = patient.nhs_number
    written = gap.join([number[:3], number[3:6], number[6:]])
    answer = api.post(FIND, {"nhs_number": written, "born_on": "1970-06-12"})
    assert answer.status_code == 200 and answer.json()["id"] == str(patient.public_id)
    look = last_look()
    assert (look.kind, look.patient, look.rows) == ("SEARCHED", patient, 1)
    assert patient.nhs_number not in look.detail


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        ("", "Enter an NHS number"),
        ("AB123456C", "Enter an NHS number, not a National Insurance number"),
        ("99900000x8", "NHS number must only include numbers"),
        ("99900", "NHS number must be 10 numbers. This one is too short"),
        ("99900000180", "NHS number must be 10 numbers. This one is too long"),
        ("9990000019", "Check the NHS number – it is not one that can exist"),
    ],
)
def test_each_wrong_number_gets_its_sentence(api, number, sentence):
    answer = api.post(FIND, {"nhs_number": number, "born_on": "1970-06-12"})
    assert answer.status_code == 400
    assert answer.json()["errors"] == {"nhs_number": [sentence]}


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"nhs_number", "born_on"}),
        ({"nhs_number": "9990000018", "born_on": "12/06/1970"}, {"born_on"}),
        ({"nhs_number": "9990000018", "born_on": "1970-06-12", "name": "x"}, {"name"}),
        ([], {"body"}),
        ({"nhs_number": 9990000018, "born_on": "1970-06-12"}, {"nhs_number"}),
        ({"nhs_number": ["9990000018"], "born_on": {"day": 1}}, {"nhs_number", "born_on"}),
        ({"nhs_number": None, "born_on": None}, {"nhs_number", "born_on"}),
        ({"nhs_number": "\x00", "born_on": "1970-06-12"}, {"nhs_number"}),
    ],
)
def test_find_names_each_wrong_field(api, body, fields):
    answer = api.post(FIND, body)
    assert answer.status_code == 400 and set(answer.json()["errors"]) == fields


def test_both_facts_must_match(api, patient):
    answer = api.post(FIND, {"nhs_number": patient.nhs_number, "born_on": "1970-06-13"})
    assert answer.status_code == 404
    assert answer.json()["detail"] == "No patient of your practice has this NHS number and date of birth."
    assert last_look().rows == 0 and last_look().patient is None


def test_a_stranger_finds_nobody(call, stranger, patient):
    answer = call(stranger).post(FIND, {"nhs_number": patient.nhs_number, "born_on": "1970-06-12"})
    assert answer.status_code == 404


def test_one_patient(api, patient):
    body = api.get(one(patient)).json()
    assert body["id"] == str(patient.public_id) and body["upload"] is None
    look = last_look()
    assert (look.kind, look.patient, look.detail) == ("VIEWED", patient, "api: patient")


def test_those_who_left_can_still_be_read(api, practice):
    gone = make_patient(practice, left_on=datetime.date(2024, 1, 1))
    assert api.get(one(gone)).json()["left_on"] == "2024-01-01"
    assert api.get(LIST).json()["results"] == []


@pytest.mark.parametrize(
    ("who", "status"),
    [("privacy_officer", 200), ("gp", 403), ("staff", 403), ("manager", 403), ("api_client", 403)],
)
@pytest.mark.parametrize("tail", ["", "decisions/", "explain/"])
def test_sensitive_records_need_a_right_and_a_reason(call, request, sensitive, who, status, tail):
    answer = call(request.getfixturevalue(who)).get(one(sensitive) + tail)
    assert answer.status_code == status
    assert last_look().kind == ("VIEWED" if status == 200 else "REFUSED")
    assert last_look().patient == sensitive


def test_a_gp_who_gave_the_reason_on_the_page_may_go_on(client, gp, sensitive):
    client.force_login(gp)
    client.post(f"/patients/{sensitive.public_id}/reason/", {"reason": "DIRECT_CARE"})
    assert client.get(one(sensitive)).status_code == 200
