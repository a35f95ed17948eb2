"""Request ids, media types, verbs, paths and sizes."""

import json
import re

import pytest

from tests.contracts.calls import FHIR, ROLE, bundle, new_id, permission
from tests.localstore_process import fresh_nhs_number

UPPER_UUID = re.compile("[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}")
PATTERN = "^[0-9a-fA-F]{8}+-[0-9a-fA-F]{4}+-[0-9a-fA-F]{4}+-[0-9a-fA-F]{4}+-[0-9a-fA-F]{12}+$"


def test_ids_are_echoed_as_sent(store):
    answer = store.find(
        fresh_nhs_number(),
        X_Request_ID="60e0b220-8136-4ca5-ae46-1d97ef59d068",
        X_Correlation_ID="11C46F5F-CDEF-4865-94B2-0EE0EDCC26DA",
    )
    assert answer.headers["X-Request-ID"] == "60e0b220-8136-4ca5-ae46-1d97ef59d068"
    assert answer.headers["X-Correlation-ID"] == "11C46F5F-CDEF-4865-94B2-0EE0EDCC26DA"


@pytest.mark.parametrize("headers", [{}, {"X_Request_ID": "", "X_Correlation_ID": ""}])
def test_absent_ids_are_made_in_upper_case(store, headers):
    answer = store.find(fresh_nhs_number(), **headers)
    assert UPPER_UUID.fullmatch(answer.headers["X-Request-ID"])
    assert UPPER_UUID.fullmatch(answer.headers["X-Correlation-ID"])


@pytest.mark.parametrize("name", ["X-Request-ID", "X-Correlation-ID"])
@pytest.mark.parametrize(
    "value",
    ["abc", new_id() + "0", new_id().replace("-", ""), "{" + new_id() + "}"],
    ids=["short", "long", "no hyphens", "braces"],
)
def test_an_id_that_is_no_uuid(store, name, value):
    answer = store.upload(bundle(fresh_nhs_number(), new_id()), **{name.replace("-", "_"): value})
    assert answer.status == 400
    assert answer.issue == ("value", f'Invalid {name}. Should be a UUIDv4 matching "{PATTERN}"')


def test_the_correlation_id_is_looked_at_first(store):
    answer = store.upload(b"{}", X_Request_ID="a", X_Correlation_ID="b")
    assert answer.issue[1].startswith("Invalid X-Correlation-ID.")


@pytest.mark.parametrize("path", ["/Bundle", "/$setPermission", "/AuditEvent"])
@pytest.mark.parametrize("declared", ["text/plain", "application/json", "application/fhir+xml"])
def test_other_media_types(store, path, declared):
    answer = store.post(path, b"{}", Content_Type=declared)
    assert answer.status == 415
    assert answer.issue == ("not-supported", f"Content type '{declared}' not supported")


def test_no_media_type(store):
    answer = store.send("POST", "/Bundle", b"{}")
    assert (answer.status, answer.issue[0]) == (415, "not-supported")


def test_media_type_with_a_parameter(store):
    answer = store.upload(bundle(fresh_nhs_number(), new_id()), Content_Type=f"{FHIR}; charset=UTF-8")
    assert answer.status == 201


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/Bundle", "GET, POST"),
        ("DELETE", "/Bundle", "GET, POST"),
        ("POST", "/DocumentReference", "GET"),
        ("GET", "/$setPermission", "POST"),
        ("PATCH", "/AuditEvent", "POST"),
    ],
)
def test_other_verbs(store, method, path, allowed):
    answer = store.send(method, path)
    assert (answer.status, answer.headers["Allow"]) == (405, allowed)
    assert answer.issue == ("not-supported", f"Request method '{method}' not supported")


@pytest.mark.parametrize("path", ["/Patient", "/AccessPermission", "/Bundle/1", "", "/bundle"])
def test_unknown_paths(store, path):
    answer = store.send("GET", path)
    assert answer.status == 404
    assert answer.issue == ("not-found", f"/summary-care-record/FHIR/R4{path} not found")


def test_the_dollar_may_be_escaped(store):
    number = fresh_nhs_number()
    assert store.post("/%24setPermission", permission(number, "Ask"), NHSD_Session_URID=ROLE).status == 201


def test_a_body_at_the_cap_and_above_it(store):
    made = bundle(fresh_nhs_number(), new_id())
    start = store.last_sequence()
    for size, status in ((1024 * 1024, 201), (1024 * 1024 + 1, 413)):
        body = json.dumps(made).encode()
        answer = store.upload(body + b" " * (size - len(body)))
        assert answer.status == status
    assert answer.issue == ("invalid", "Request body is larger than 1048576 bytes")
    assert [line["http_status"] for line in store.lines(start)] == [201, 413]


def test_a_body_above_the_cap_without_a_length(store):
    chunks = (b" " * 65536 for _ in range(20))
    assert store.send("POST", "/Bundle", chunks, Content_Type=FHIR).status == 413


@pytest.mark.parametrize("path", ["/$setPermission", "/AuditEvent"])
def test_the_role_is_needed_for_what_only_a_user_may_do(store, path):
    answer = store.post(path, b"{}")
    assert answer.status == 400
    text = "Required request header 'NHSD-Session-URID' for method parameter type String is not present"
    assert answer.issue == ("value", text)


def test_the_role_may_be_left_out_of_an_upload_but_not_be_nonsense(store):
    number = fresh_nhs_number()
    assert store.upload(bundle(number, new_id()), NHSD_Session_URID="me").status == 400
    assert store.upload(bundle(number, new_id())).status == 201
