"""Faults on demand: what each looks like on the wire, what the ledger says of it, and who may order it."""

import http.client
import json
import socket
import time
from email.utils import parsedate_to_datetime
from html import escape
from urllib.parse import urlencode, urlsplit

import pytest

from tests.contracts.calls import FHIR, Calls, bundle, new_id
from tests.localstore_process import fresh_nhs_number, running_store

JSON = {"Content_Type": "application/json"}
FORM = {"Content_Type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def odd_store():
    """Calls to a store that can be told to misbehave."""
    yield from (Calls(process) for process in running_store(LOCALSTORE_CONTROL="1"))


@pytest.fixture(autouse=True)
def well_again(odd_store):
    yield
    odd_store.anywhere("DELETE", "/faults")


def order(store, kind, **more):
    answer = store.anywhere("POST", "/faults", json.dumps({"kind": kind} | more).encode(), **JSON)
    assert answer.status == 200, answer.body
    return answer.json["faults"]


def stored(store, start):
    return [line["outcome"] for line in store.lines(start) if line["kind"] == "upload"]


@pytest.mark.parametrize(
    "kind, status, outcomes",
    [
        ("delay", 201, ["accepted"]),
        ("error_before", 500, []),
        ("error_after", 500, ["accepted"]),
        ("timeout_before", 504, []),
        ("timeout_after", 504, ["accepted"]),
        ("too_many", 429, []),
        ("answered_twice", 201, ["accepted"]),
        ("foreign_answer", 201, []),
        ("garbage", 200, []),
        ("html_503", 503, []),
        ("redirect", 307, []),
        ("duplicate", 400, ["accepted"]),
        ("duplicate_of_other", 400, []),
        ("bad_request", 400, []),
        ("too_large", 413, []),
        ("wrong_type", 415, []),
        ("unauthorised", 401, []),
        ("forbidden", 403, []),
    ],
)
def test_an_answer_that_goes_wrong(odd_store, kind, status, outcomes):
    start = odd_store.last_sequence()
    order(odd_store, kind, target="upload", seconds=0.05)
    answer = odd_store.upload(bundle(fresh_nhs_number(), new_id()))
    assert answer.status == status
    assert stored(odd_store, start) == outcomes


@pytest.mark.parametrize("kind, outcomes", [("silence_before", []), ("lost_answer", ["accepted"])])
def test_no_answer_at_all(odd_store, kind, outcomes):
    start = odd_store.last_sequence()
    order(odd_store, kind, seconds=0.05)
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        odd_store.upload(bundle(fresh_nhs_number(), new_id()))
    assert stored(odd_store, start) == outcomes


@pytest.mark.parametrize("retry_after", ["7", "1000000000", "soon"])
def test_too_many_says_what_it_was_told_to_say(odd_store, retry_after):
    order(odd_store, "too_many", retry_after=retry_after)
    assert odd_store.find(fresh_nhs_number()).headers["Retry-After"] == retry_after


def test_too_many_until_a_date(odd_store):
    order(odd_store, "too_many", retry_after="date", seconds=90)
    answer = odd_store.find(fresh_nhs_number())
    until = parsedate_to_datetime(answer.headers["Retry-After"])
    assert 80 < until.timestamp() - time.time() <= 91


def test_a_huge_body_is_as_huge_as_ordered(odd_store):
    order(odd_store, "huge_body", size=3_000_000)
    answer = odd_store.upload(bundle(fresh_nhs_number(), new_id()))
    assert (answer.status, len(answer.body)) == (201, 3_000_000)


def test_a_slow_answer_comes_byte_by_byte(odd_store):
    order(odd_store, "slow_answer", seconds=0.2)
    address = urlsplit(odd_store.process.base_url)
    body = json.dumps(bundle(fresh_nhs_number(), new_id())).encode()
    with socket.create_connection((address.hostname, address.port), timeout=5) as line:
        head = f"POST /summary-care-record/FHIR/R4/Bundle HTTP/1.1\r\nHost: x\r\nContent-Type: {FHIR}\r\n"
        line.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        received = b""
        while b"\r\n\r\n" not in received:
            received += line.recv(4096)
        sizes = [len(line.recv(4096)) for _ in range(2)]
    assert all(size <= 16 for size in sizes), "a chunk of one byte at a time"


def test_a_duplicate_names_the_summary_that_was_sent(odd_store):
    order(odd_store, "duplicate", times=1)
    mine = new_id()
    assert mine in odd_store.upload(bundle(fresh_nhs_number(), mine)).issue[1]
    order(odd_store, "duplicate_of_other", times=1)
    other = new_id()
    _, text = odd_store.upload(bundle(fresh_nhs_number(), other)).issue
    assert "PSIS-30134" in text and other not in text


def test_times_and_targets(odd_store):
    order(odd_store, "error_before", target="find", times=2)
    number = fresh_nhs_number()
    assert odd_store.upload(bundle(number, new_id())).status == 201
    assert [odd_store.find(number).status for _ in range(3)] == [500, 500, 200]


def test_the_same_seed_strikes_the_same_requests(odd_store):
    def strikes():
        odd_store.anywhere("DELETE", "/faults")
        order(odd_store, "error_before", probability=0.5, seed=7)
        return [odd_store.find(fresh_nhs_number()).status for _ in range(20)]

    first = strikes()
    assert first == strikes() and 0 < first.count(500) < 20


@pytest.mark.parametrize(
    "wanted, field",
    [
        ({"kind": "explode"}, "kind"),
        ({}, "kind"),
        ({"kind": "delay", "target": "pages"}, "target"),
        ({"kind": "delay", "probability": 2}, "probability"),
        ({"kind": "delay", "probability": 0}, "probability"),
        ({"kind": "delay", "seconds": "nan"}, "seconds"),
        ({"kind": "delay", "seconds": 1e9}, "seconds"),
        ({"kind": "delay", "times": "many"}, "times"),
        ({"kind": "delay", "times": "0.5"}, "times"),
        ({"kind": "delay", "seed": "1.5"}, "seed"),
        ({"kind": "delay", "seconds": -1}, "seconds"),
        ({"kind": "too_many", "retry_after": "a\r\nSet-Cookie: b"}, "retry_after"),
        ({"kind": "huge_body", "size": -1}, "size"),
        ([], "kind"),
        ("delay", "kind"),
    ],
)
def test_an_order_that_is_not_one(odd_store, wanted, field):
    answer = odd_store.anywhere("POST", "/faults", json.dumps(wanted).encode(), **JSON)
    assert (answer.status, list(answer.json["problems"])) == (400, [field])
    assert odd_store.anywhere("GET", "/faults", Accept="application/json").json["faults"] == []


# One bad answer in each field, and what is said of it.
ALL_WRONG = {
    "kind": ("explode", "Select a fault"),
    "target": ("pages", "Select which requests meet it"),
    "probability": ("often", "Chance must be a number above 0, at most 1"),
    "times": ("<b>", "How many times must be a whole number from 1 to 1,000,000,000"),
    "seconds": ("-1", "Seconds must be a number from 0 to 86,400, which is a day"),
    "seed": ("x", "Seed must be a whole number from 0 to 1,000,000,000"),
    "size": ("0", "Size must be a whole number from 1 to 2,147,483,648"),
    "retry_after": ("é", "Retry-After must be up to 100 plain characters"),
}


def test_all_that_is_wrong_is_said_at_once_each_beside_its_field(odd_store):
    wrong = {name: value for name, (value, _) in ALL_WRONG.items()}
    problems = odd_store.anywhere("POST", "/faults", json.dumps(wrong).encode(), **JSON).json["problems"]
    assert list(problems) == list(ALL_WRONG)
    assert all(problems[name].startswith(told) for name, (_, told) in ALL_WRONG.items())
    refused = odd_store.anywhere("POST", "/faults", urlencode(wrong).encode(), **FORM)
    html = refused.body.decode()
    assert refused.status == 400 and html.count('class="error"') == html.count('href="#') - 1 == len(
        ALL_WRONG
    )
    for name, (value, told) in ALL_WRONG.items():
        assert f'<li><a href="#{name}">{told}</a></li>' in html and f'id="{name}_error"' in html
        assert name in ("kind", "target") or f'value="{escape(value)}"' in html
    assert odd_store.anywhere("GET", "/faults", Accept="application/json").json["faults"] == []


def test_the_door_is_shut_unless_opened(store):
    order_ = json.dumps({"kind": "delay"}).encode()
    for method, body in (("GET", None), ("POST", order_), ("DELETE", None)):
        assert store.anywhere(method, "/faults", body, **JSON).status == 404
    assert "/faults" not in store.anywhere("GET", "/").body.decode()


@pytest.mark.parametrize(
    "headers",
    [
        FORM | {"Origin": "https://elsewhere.example"},
        FORM | {"Origin": "null"},
        FORM | {"Sec_Fetch_Site": "cross-site"},
        FORM | {"Sec_Fetch_Site": "same-site"},
        FORM | {"Host": "rebound.example"},
        JSON | {"Host": "rebound.example"},
        {"Content_Type": "text/plain"} | {"Origin": "https://elsewhere.example"},
    ],
)
def test_pages_of_others_cannot_use_a_visitors_browser(odd_store, headers):
    body = b'{"kind": "delay"}' if headers["Content_Type"].endswith("json") else b"kind=delay"
    assert odd_store.anywhere("POST", "/faults", body, **headers).status == 404
    assert odd_store.anywhere("GET", "/faults", Accept="application/json").json["faults"] == []


def test_the_door_is_not_for_stores_that_others_reach(monkeypatch):
    with pytest.raises(AssertionError, match="this machine only"):
        next(running_store(LOCALSTORE_CONTROL="1", LOCALSTORE_HOST="0.0.0.0"))


def test_the_page(odd_store):
    def send(**fields):
        return odd_store.anywhere("POST", "/faults", urlencode(fields).encode(), **FORM)

    assert "the store answers properly" in odd_store.anywhere("GET", "/faults").body.decode()
    assert send(kind="lost_answer", target="upload", probability="0.05", times="10").status == 303
    html = odd_store.anywhere("GET", "/faults").body.decode()
    assert "Stores it, says nothing, then cuts the connection" in html and "5%" in html and "0 of 10" in html
    assert "1 fault is in force" in odd_store.anywhere("GET", "/").body.decode()
    refused = send(kind="lost_answer", probability="often")
    assert refused.status == 400
    html = refused.body.decode()
    assert 'value="often"' in html and 'id="probability_error"' in html and "<title>Error: " in html
    own_form = {"Origin": "null", "Sec_Fetch_Site": "same-origin"}
    assert odd_store.anywhere("POST", "/faults", b"do=clear", **FORM | own_form).status == 303
    assert odd_store.anywhere("GET", "/faults", Accept="application/json").json["faults"] == []


def test_the_limits_of_the_gateway():
    for process in running_store(LOCALSTORE_REQUESTS_PER_SECOND="5", LOCALSTORE_REQUESTS_PER_MINUTE="300"):
        store = Calls(process)
        answers = [store.find(fresh_nhs_number()) for _ in range(6)]
        assert answers[0].status == 200
        limited = [answer for answer in answers if answer.status == 429]
        assert limited and all(int(answer.headers["Retry-After"]) >= 1 for answer in limited)
        assert store.anywhere("GET", "/health").json["limited"] == len(limited)
        assert len(store.lines(0)) == len(answers) - len(limited), "the service never hears of the others"


@pytest.mark.parametrize("value", ["0", "-1", "many", "inf", "nan"])
def test_a_limit_that_is_none(value):
    with pytest.raises(AssertionError, match="must be a number above 0"):
        next(running_store(LOCALSTORE_REQUESTS_PER_SECOND=value))
