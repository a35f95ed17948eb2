"""The API's description: complete, valid, and shown by a page of our own."""

import datetime
import uuid

import pytest
from django.core.management import call_command
from jsonschema import Draft7Validator

from config.api_urls import version_1
from tests.factories import decide, make_patient

pytestmark = pytest.mark.django_db


def test_it_is_valid_without_a_warning(tmp_path):
    call_command("spectacular", validate=True, fail_on_warn=True, file=str(tmp_path / "schema.yml"))


def test_it_has_every_route_and_every_error(schema):
    assert len(schema["paths"]) == len(version_1)
    for path, methods in schema["paths"].items():
        assert path.startswith("/api/v1/")
        for method, operation in methods.items():
            assert {"401", "403", "429"} <= set(operation["responses"]), (method, path)
            assert "{public_id}" not in path or "404" in operation["responses"], (method, path)
            assert operation["description"], (method, path)


def bodies(operation):
    return operation["requestBody"]["content"]["application/json"]


def test_examples_of_what_to_send_are_taken(schema, api, practice):
    """Each is sent as it stands, to a patient of whom it can be true."""
    find, record = "/api/v1/patients/find/", "/api/v1/patients/{public_id}/decisions/"
    patient = make_patient(practice, nhs_number="9990000018", born_on=datetime.date(1970, 6, 12))
    examples = bodies(schema["paths"][find]["post"])["examples"]
    assert len(examples) == 1
    for example in examples.values():
        assert api.post(find, example["value"]).json()["id"] == str(patient.public_id)
    examples = bodies(schema["paths"][record]["post"])["examples"]
    assert len(examples) == 4
    for example in examples.values():
        other = make_patient(practice)
        if example["value"]["preference"] == "WITHDRAWN":
            decide(other, decided_on=datetime.date(2007, 5, 14))
        answer = api.post(record.replace("{public_id}", str(other.public_id)), example["value"])
        assert answer.status_code == 201, answer.json()


def test_the_example_of_an_error_is_one(schema, api, patient):
    (content,) = schema["paths"]["/api/v1/patients/{public_id}/decisions/"]["post"]["responses"]["400"][
        "content"
    ].values()
    (example,) = content["examples"].values()
    sent = {"preference": "EXPRESS_CORE", "source": "FORM", "reference": "F 1"}
    answer = api.post(f"/api/v1/patients/{patient.public_id}/decisions/", sent)
    assert answer.json() == example["value"]


def test_answers_are_as_described(schema, api, patient):
    """Every answer of every address, held against the description of its status."""
    done = decide(patient)
    of_patient = f"/api/v1/patients/{patient.public_id}/"
    fair = {"preference": "EXPRESS_DISSENT", "source": "PHONE", "decided_on": "2024-03-04"}
    one = "/api/v1/patients/{public_id}/"
    asked = [
        ("get", "/api/v1/patients/", None, None),
        ("get", "/api/v1/patients/", {"after": "x"}, None),
        ("post", "/api/v1/patients/find/", {"nhs_number": patient.nhs_number, "born_on": "1970-06-12"}, None),
        ("post", "/api/v1/patients/find/", {}, None),
        ("get", one, None, of_patient),
        ("get", f"{one}decisions/", None, f"{of_patient}decisions/"),
        ("post", f"{one}decisions/", fair | {"seen": None}, f"{of_patient}decisions/"),
        ("post", f"{one}decisions/", fair, f"{of_patient}decisions/"),
        ("get", f"{one}explain/", None, f"{of_patient}explain/"),
        ("get", f"{one}explain/", {"on": "2024-03-04"}, f"{of_patient}explain/"),
        ("get", "/api/v1/uploads/", None, None),
        ("get", "/api/v1/uploads/{public_id}/", None, f"/api/v1/uploads/{done.job.public_id}/"),
        ("get", "/api/v1/uploads/{public_id}/", None, f"/api/v1/uploads/{uuid.uuid4()}/"),
        (
            "post",
            "/api/v1/decisions/{public_id}/undo/",
            None,
            f"/api/v1/decisions/{done.event.public_id}/undo/",
        ),
        (
            "post",
            "/api/v1/decisions/{public_id}/invalid/",
            {"note": "Wrong"},
            f"/api/v1/decisions/{done.event.public_id}/invalid/",
        ),
    ]
    statuses = set()
    for method, path, sent, address in asked:
        answer = getattr(api, method)(address or path, sent)
        statuses.add(answer.status_code)
        described = schema["paths"][path][method]["responses"][str(answer.status_code)]["content"]
        shape = described[answer["Content-Type"]]["schema"] | {"components": schema["components"]}
        Draft7Validator(nullable(shape)).validate(answer.json())
    assert statuses == {200, 201, 400, 403, 404, 409}


def nullable(shape):
    """OpenAPI 3.0 says `nullable`, and JSON Schema knows it only as one of several types."""
    if isinstance(shape, list):
        return [nullable(each) for each in shape]
    if not isinstance(shape, dict):
        return shape
    inner = {name: nullable(value) for name, value in shape.items() if name != "nullable"}
    return {"anyOf": [inner, {"type": "null"}]} if shape.get("nullable") is True else inner


def test_what_is_personal_stands_in_no_address(schema):
    for methods in schema["paths"].values():
        for operation in methods.values():
            names = {parameter["name"] for parameter in operation.get("parameters", [])}
            assert not names & {"nhs_number", "born_on", "name", "postcode"}


def test_both_ways_to_log_in_are_told(schema):
    assert set(schema["components"]["securitySchemes"]) == {"cookieAuth", "tokenAuth"}


def test_the_page_needs_a_log_in_and_shows_no_inline_script(client, gp):
    assert client.get("/api/docs/")["Location"].startswith("/log-in/")
    client.force_login(gp)
    page = client.get("/api/docs/")
    text = page.content.decode()
    assert "<style" not in text and text.count("<script src=") == text.count("<script") == 3
    assert "img-src 'self' data:" in page["Content-Security-Policy"]
    assert "http" not in text.replace("http-equiv", "")


def test_only_this_page_may_show_data_pictures(client, gp):
    client.force_login(gp)
    for address in ("/", "/api/schema/", "/api/v1/patients/"):
        assert "data:" not in client.get(address)["Content-Security-Policy"]
