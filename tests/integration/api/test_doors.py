"""Who gets in, what they are told if not, and how errors look."""

import json
import uuid

import pytest
from django.db import OperationalError
from rest_framework.authtoken.models import Token

from carerecords.models import AccessEvent, RoleAssignment
from config.api_urls import version_1
from consent.models import ConsentEvent
from tests.factories import LONG_AGO, decide

pytestmark = pytest.mark.django_db
PATIENTS = "/api/v1/patients/"


@pytest.fixture
def addresses(patient):
    """Every address of the API about one of our patients, with its method and a fair body."""
    done = decide(patient)
    of_patient = f"{PATIENTS}{patient.public_id}/"
    fair = {"preference": "EXPRESS_DISSENT", "source": "PHONE", "decided_on": "2024-03-04"}
    return [
        ("get", of_patient, None),
        ("get", f"{of_patient}decisions/", None),
        ("post", f"{of_patient}decisions/", fair),
        ("get", f"{of_patient}explain/", None),
        ("post", f"/api/v1/decisions/{done.event.public_id}/undo/", None),
        ("post", f"/api/v1/decisions/{done.event.public_id}/invalid/", {"note": "Wrong"}),
        ("get", f"/api/v1/uploads/{done.job.public_id}/", None),
    ]


LISTS = [("get", PATIENTS, None), ("get", "/api/v1/uploads/", None), ("post", f"{PATIENTS}find/", {})]


def ask(client, method, address, body):
    return getattr(client, method)(address, body, format="json") if body else getattr(client, method)(address)


def test_every_route_is_tried_here(addresses):
    # Surveys and policy are the union's own and no patient's; the role matrix tries them.
    of_patients = [route for route in version_1 if not route.name.startswith(("survey", "policy"))]
    assert len(of_patients) + 1 == len(addresses) + len(LISTS)  # decisions/ has two methods


def test_strangers_learn_nothing(call, stranger, addresses):
    before = ConsentEvent.objects.count()
    for address in addresses:
        answer = ask(call(stranger), *address)
        assert answer.status_code == 404, address
        assert answer.json()["detail"] == "Your practice has no such record."
    assert ConsentEvent.objects.count() == before


@pytest.mark.parametrize("who", ["policy_admin", "national_admin", "auditor"])
def test_national_roles_are_refused_and_written_down(call, request, who, addresses):
    before = ConsentEvent.objects.count()
    client = call(request.getfixturevalue(who))
    for address in [*addresses, *LISTS]:
        answer = ask(client, *address)
        assert answer.status_code == 403, address
        assert answer.json()["detail"].startswith("Your role (")
    assert ConsentEvent.objects.count() == before
    assert AccessEvent.objects.filter(kind="REFUSED").count() == len(addresses) + len(LISTS)


def test_nobody_gets_a_challenge_in_json(call, addresses):
    for address in [*addresses, *LISTS]:
        answer = ask(call(), *address)
        assert answer.status_code == 401 and answer["WWW-Authenticate"] == "Token"
        assert answer.json()["title"] == "You are not logged in"


@pytest.mark.parametrize(
    ("sent", "detail"),
    [
        ("Token nobodys", "Invalid token."),
        ("Token", "Invalid token header. No credentials provided."),
        ("Token one two", "Invalid token header. Token string should not contain spaces."),
        ("Token \x00", "Incorrect authentication credentials."),
        ("Bearer nobodys", "Send a token (Authorization: Token …), or log in."),
        ("", "Send a token (Authorization: Token …), or log in."),
    ],
)
def test_a_wrong_token(client, sent, detail):
    answer = client.get(PATIENTS, headers={"Authorization": sent})
    assert answer.status_code == 401 and answer["WWW-Authenticate"] == "Token"
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json() == {
        "type": "about:blank",
        "title": "You are not logged in",
        "status": 401,
        "detail": detail,
    }


def test_many_wrong_tokens_are_slowed_down_and_right_ones_pass(client, call, api_client):
    def try_token(text, address="10.0.0.1"):
        return client.get(PATIENTS, headers={"Authorization": f"Token {text}"}, REMOTE_ADDR=address)

    assert {try_token(f"guess-{n}").status_code for n in range(30)} == {401}
    answer = try_token("one-more")
    assert answer.status_code == 429 and 0 < int(answer["Retry-After"]) <= 60
    assert answer.json()["title"] == "Too many requests"
    assert try_token("one-more", "10.0.0.2").status_code == 401
    assert try_token(Token.objects.create(user=api_client).key).status_code == 200


def test_the_three_refusals_have_one_shape(call, api, auditor, patient, stranger):
    """401, 403 and 404 in full: programs read these."""
    address = f"{PATIENTS}{patient.public_id}/"
    shapes = [call().get(address), call(auditor).get(address), call(stranger).get(address)]
    assert [answer.status_code for answer in shapes] == [401, 403, 404]
    for answer in shapes:
        body = answer.json()
        assert answer["Content-Type"] == "application/problem+json"
        assert set(body) == {"type", "title", "status", "detail"} and body["status"] == answer.status_code
    assert shapes[1].json()["title"] == "You cannot do this"
    assert shapes[1].json()["detail"] == "Your role (Auditor) cannot find or open patients."


def test_a_foreign_patient_and_none_are_told_alike(call, stranger, patient):
    """So that nobody learns by trying whether a patient exists."""
    client = call(stranger)
    theirs = client.get(f"{PATIENTS}{patient.public_id}/")
    nobodys = client.get(f"{PATIENTS}{uuid.uuid4()}/")
    assert theirs.json() == nobodys.json() and theirs.headers == nobodys.headers


def test_a_token_of_somebody_who_left(call, api_client, patient):
    client = call(api_client)
    api_client.is_active = False
    api_client.save()
    assert client.get(PATIENTS).status_code == 401


def test_a_role_that_ended_ends_the_token(call, api_client):
    client = call(api_client)
    RoleAssignment.objects.filter(user=api_client).update(ends_at=LONG_AGO.replace(year=2021))
    assert client.get(PATIENTS).status_code == 403


def test_the_token_counts_not_the_session(client, gp, stranger, patient):
    """Both at once: the token's user asks, with the token's practice."""
    client.force_login(gp)
    key = Token.objects.create(user=stranger).key
    address = f"{PATIENTS}{patient.public_id}/"
    assert client.get(address).status_code == 200
    assert client.get(address, headers={"Authorization": f"Token {key}"}).status_code == 404


def test_a_session_writes_only_with_proof_of_origin(gp, patient):
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    client.force_login(gp)
    body = {"preference": "EXPRESS_CORE", "source": "IN_PERSON", "decided_on": "2024-03-04"}
    address = f"{PATIENTS}{patient.public_id}/decisions/"
    assert client.post(address, body, content_type="application/json").status_code == 403
    assert not ConsentEvent.objects.exists()


@pytest.mark.parametrize("method", ["put", "patch", "delete", "options"])
def test_other_methods(api, method):
    answer = getattr(api, method)(PATIENTS)
    assert answer.status_code == 405 and answer.json()["status"] == 405 and answer["Allow"] == "GET, HEAD"


def test_only_json_comes_in(api):
    answer = api.post(f"{PATIENTS}find/", {"nhs_number": "1"}, format=None, content_type="text/plain")
    assert answer.status_code == 415


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"{", "JSON parse error - Expecting property name"),
        (b" ", "JSON parse error - Expecting value"),
        (b'{"nhs_number": NaN}', "JSON parse error - Out of range"),
        (b'{"nhs_number": "\xff"}', "JSON parse error - 'utf-8' codec"),
        (b"[" * 200_000, "The body is nested too deeply."),
    ],
    ids=["cut off", "blank", "NaN", "no UTF-8", "deep"],
)
def test_what_is_no_json_is_told(api, body, detail):
    answer = api.generic("POST", f"{PATIENTS}find/", body, content_type="application/json")
    assert answer.status_code == 400 and answer["Content-Type"] == "application/problem+json"
    assert answer.json()["detail"].startswith(detail)


@pytest.mark.parametrize("body", [[], "text", 7, None, True])
def test_what_is_no_object_is_told(api, patient, body):
    for address in (f"{PATIENTS}find/", f"{PATIENTS}{patient.public_id}/decisions/"):
        sent = json.dumps(body)
        answer = api.generic("POST", address, sent, content_type="application/json")
        assert answer.status_code == 400
        assert answer.json()["errors"] == {"body": ["Send one JSON object with the fields"]}


def test_a_body_that_is_too_large(api, patient, settings):
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    large = {"preference": "EXPRESS_CORE", "note": "x" * 1000}
    answer = api.post(f"{PATIENTS}{patient.public_id}/decisions/", large)
    assert answer.status_code == 413 and answer["Content-Type"] == "application/problem+json"
    assert answer.json()["detail"].startswith("Nothing was saved.")
    assert not ConsentEvent.objects.exists()


def test_only_json_goes_out(api):
    answer = api.get(PATIENTS, headers={"Accept": "text/html"})
    assert answer.status_code == 406 or answer["Content-Type"] == "application/json"


def test_addresses_that_are_none(api):
    for address in ("/api/v1/nothing/", f"{PATIENTS}not-an-id/"):
        answer = api.get(address)
        assert answer.status_code == 404 and answer["Content-Type"] == "application/problem+json"


def test_answers_are_kept_nowhere(api):
    assert api.get(PATIENTS)["Cache-Control"] == "no-store"


def test_a_fault_tells_no_traceback(api, monkeypatch):
    def fails(*args, **kwargs):
        raise RuntimeError("inside")

    monkeypatch.setattr("consent.api.patient_page", fails)
    api.raise_request_exception = False
    answer = api.get(PATIENTS)
    assert answer.status_code == 500 and "inside" not in answer.content.decode()
    assert answer.json()["title"] == "Sorry, there is a problem with the service"


def test_a_database_that_is_away(api, monkeypatch):
    def away(*args, **kwargs):
        raise OperationalError("connection refused")

    monkeypatch.setattr("consent.api.patient_page", away)
    api.raise_request_exception = False
    assert api.get(PATIENTS).status_code in {500, 503}


def test_too_many_are_told_when_to_come_back(api, monkeypatch):
    from rest_framework.throttling import ScopedRateThrottle

    monkeypatch.setattr(ScopedRateThrottle, "THROTTLE_RATES", {"api_find": "2/min", "api_read": "600/min"})
    for _ in range(2):
        api.post(f"{PATIENTS}find/", {})
    answer = api.post(f"{PATIENTS}find/", {})
    assert answer.status_code == 429 and int(answer["Retry-After"]) > 0
    assert answer.json()["detail"].startswith("Try again in")
    assert api.get(PATIENTS).status_code == 200
