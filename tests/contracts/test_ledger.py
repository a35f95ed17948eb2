"""The ledger: everything that reached the store, in order, never changed."""

import hashlib
import json
from datetime import datetime

import psycopg
import pytest

from tests.contracts.calls import bundle, new_id
from tests.localstore_process import fresh_nhs_number


def test_a_line_says_what_came_and_what_became_of_it(store):
    number, composition_id, request_id, correlation_id = fresh_nhs_number(), new_id(), new_id(), new_id()
    body = json.dumps(bundle(number, composition_id), indent=3).encode()
    start = store.last_sequence()
    store.upload(body, X_Request_ID=request_id, X_Correlation_ID=correlation_id)
    (line,) = store.lines(start)
    received, accepted = (datetime.fromisoformat(line.pop(name)) for name in ("received_at", "accepted_at"))
    assert received <= accepted
    assert line == {
        "sequence": start + 1,
        "kind": "upload",
        "outcome": "accepted",
        "request_id": request_id.lower(),
        "correlation_id": correlation_id.lower(),
        "nhs_number": number,
        "composition_id": composition_id,
        "replaced_id": None,
        "body_sha256": hashlib.sha256(body).hexdigest(),
        "is_blank": False,
        "section_codes": ["Title", "AllergiesHeader", "AcuteMedsHeader", "RepeatMedsHeader"]
        + ["DiscRepeatMedsHeader", "PreferencesHeader"],
        "permission": None,
        "http_status": 201,
        "issue_code": None,
        "issue_text": None,
    }


def test_every_kind_of_request_leaves_a_line(store):
    number, composition_id, start = fresh_nhs_number(), new_id(), store.last_sequence()
    store.upload(bundle(number, composition_id))
    store.find(number)
    store.fetch(number, composition_id)
    store.set_permission(number, "No")
    store.find(number)
    store.alert(b"{}")
    store.send("GET", "/Patient")
    store.send("PUT", "/Bundle")
    lines = store.lines(start)
    assert [(line["kind"], line["outcome"], line["http_status"]) for line in lines] == [
        ("upload", "accepted", 201),
        ("find", "read", 200),
        ("fetch", "read", 200),
        ("permission", "accepted", 201),
        ("find", "refused", 403),
        ("alert", "refused", 400),
        ("unknown", "refused", 404),
        ("unknown", "refused", 405),
    ]
    assert [line["sequence"] for line in lines] == list(range(start + 1, start + 9))
    assert lines[3]["permission"] == "No"


def test_reading_in_pages(store):
    start = store.last_sequence()
    for _ in range(5):
        store.find(fresh_nhs_number())
    seen = []
    after = start
    while True:
        answer = store.anywhere("GET", f"/ledger?after={after}&limit=2")
        assert answer.headers["Content-Type"].startswith("application/x-ndjson")
        page = [json.loads(line) for line in answer.body.splitlines()]
        seen += [line["sequence"] for line in page]
        if len(page) < 2:
            break
        after = page[-1]["sequence"]
    assert seen == list(range(start + 1, start + 6))


@pytest.mark.parametrize("query", ["after=-1", "after=x", "limit=10001", "limit=1e3", "after=" + "9" * 30])
def test_a_reading_that_makes_no_sense(store, query):
    assert store.anywhere("GET", f"/ledger?{query}").status == 400


@pytest.mark.parametrize("table", ["ledger", "stored_summary"])
@pytest.mark.parametrize(
    "statement",
    ["UPDATE {} SET nhs_number = NULL", "UPDATE {} SET nhs_number = NULL WHERE false", "DELETE FROM {}"]
    + ["TRUNCATE {}", "TRUNCATE {} CASCADE"],
)
def test_the_database_itself_refuses_changes(store, table, statement):
    store.upload(bundle(fresh_nhs_number(), new_id()))
    before = store.last_sequence()
    with (
        psycopg.connect(store.process.database_url) as connection,
        pytest.raises(psycopg.errors.RestrictViolation, match="append-only"),
    ):
        connection.execute(statement.format(table))
    assert store.last_sequence() == before == len(store.process.ledger())


def test_values_that_the_database_cannot_hold_as_they_are(store):
    start = store.last_sequence()
    made = bundle(fresh_nhs_number(), new_id())
    made["type"] = "a\x00b\ud800" + "c" * 5000
    assert store.upload(json.dumps(made).encode()).status == 400
    made = bundle(fresh_nhs_number(), new_id())
    made["entry"][0]["resource"]["section"][1]["code"]["coding"][0]["code"] = "\x00\udfff" + "d" * 500
    assert store.upload(json.dumps(made).encode()).status == 201
    assert [line["http_status"] for line in store.lines(start)] == [400, 201]
