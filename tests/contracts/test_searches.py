"""GET /DocumentReference and GET /Bundle."""

from urllib.parse import quote

import pytest

from tests.contracts.calls import NHS_NUMBER, bundle, new_id
from tests.localstore_process import fresh_nhs_number

TYPE = quote("http://snomed.info/sct|196981000000101")


def test_nobody_known(store):
    found = store.find(fresh_nhs_number())
    assert (found.status, found.json["total"]) == (200, 0)
    assert "entry" not in found.json


def test_supported_extras(store):
    number, composition_id = fresh_nhs_number(), new_id()
    assert store.upload(bundle(number, composition_id)).status == 201
    found = store.find(number, f"&type={TYPE}&_sort=date&_count=1")
    assert (found.status, found.json["total"]) == (200, 1)
    reference, patient = (entry["resource"] for entry in found.json["entry"])
    assert reference["masterIdentifier"] == {
        "system": "https://fhir.nhs.uk/Id/nhsSCRUUID",
        "value": composition_id,
    }
    assert patient["identifier"] == [{"system": NHS_NUMBER, "value": number}]
    assert reference["content"][0]["attachment"]["url"].startswith(f"{store.process.fhir_url}/Bundle?")


@pytest.mark.parametrize(
    ("extra", "field", "value"),
    [
        ("&_sort=-date", "_sort", "-date"),
        ("&_count=2", "_count", "2"),
        ("&type=196981000000101", "type", "196981000000101"),
    ],
)
def test_unsupported_extras(store, extra, field, value):
    answer = store.find(fresh_nhs_number(), extra)
    assert (answer.status, answer.issue) == (400, ("value", f"Invalid value - {value} in field '{field}'"))


@pytest.mark.parametrize("value", ["9990000018", f"{NHS_NUMBER}|", f"{NHS_NUMBER}|ABC", "x|9990000018"])
def test_a_patient_that_cannot_be_read(store, value):
    answer = store.send("GET", f"/DocumentReference?patient={quote(value)}")
    assert (answer.status, answer.issue) == (400, ("value", f"Invalid value - {value} in field 'patient'"))


@pytest.mark.parametrize("path", ["/DocumentReference", "/Bundle", "/Bundle?composition.identifier=1"])
def test_a_parameter_left_out(store, path):
    answer = store.send("GET", path)
    assert (answer.status, answer.issue[0]) == (400, "value")
    assert answer.issue[1].startswith("Required request parameter '")


def test_only_the_current_summary_is_given(store):
    number, first, second = fresh_nhs_number(), new_id(), new_id()
    assert store.upload(bundle(number, first)).status == 201
    assert store.fetch(number, first).json["total"] > 0
    assert store.upload(bundle(number, second, first)).status == 201
    for outdated in (first, new_id()):
        found = store.fetch(number, outdated)
        assert (found.status, found.json["total"]) == (200, 0)
    found = store.fetch(number, second.lower()).json
    assert found["type"] == "searchset"
    assert found["entry"][0]["resource"]["identifier"]["value"] == second
    assert found["total"] == len(found["entry"]) == len(bundle(number, second)["entry"])


def test_an_id_of_another_patient(store):
    number, other, composition_id = fresh_nhs_number(), fresh_nhs_number(), new_id()
    assert store.upload(bundle(number, composition_id)).status == 201
    assert store.upload(bundle(other, new_id())).status == 201
    assert store.fetch(other, composition_id).json["total"] == 0
