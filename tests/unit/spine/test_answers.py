"""What each answer of the store means."""

import datetime
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spine.sending.answers import LONGEST_WAIT, AnswerKind, classify

NOW = datetime.datetime(2026, 11, 23, 14, 32, 7, tzinfo=datetime.UTC)


def outcome(text="", code="value"):
    return json.dumps(
        {"resourceType": "OperationOutcome", "issue": [{"code": code, "details": {"text": text}}]}
    )


OWN = "0d3c9b4e-58ab-4b0e-8f6c-2f6f0b8a1c11"


def answer(status, body="", **headers):
    return classify(status, headers, body.encode(), now=NOW, own_id=OWN)


@pytest.mark.parametrize(
    "status, body, kind",
    [
        (201, "", AnswerKind.ACCEPTED),
        (400, outcome("Composition missing from payload"), AnswerKind.REFUSED),
        (
            400,
            outcome(f"Code: 30134, Display: [PSIS-30134] - Duplicate event with eventId {OWN.upper()} and"),
            AnswerKind.DUPLICATE,
        ),
        (400, outcome("[PSIS-30134] - Duplicate event with eventId X"), AnswerKind.UNKNOWN),
        (401, "", AnswerKind.UNAUTHORISED),
        (403, outcome("[PSIS-30418] - ACF does not permit", "forbidden"), AnswerKind.CONSENT_DIFFERS),
        (403, outcome("Invalid method", "forbidden"), AnswerKind.UNAUTHORISED),
        (403, "<html>Forbidden</html>", AnswerKind.UNAUTHORISED),
        (403, "", AnswerKind.UNAUTHORISED),
        (404, "", AnswerKind.UNSUPPORTED),
        (405, "", AnswerKind.UNSUPPORTED),
        (413, "", AnswerKind.TOO_LARGE),
        (415, "", AnswerKind.UNSUPPORTED),
        (429, "", AnswerKind.RATE_LIMITED),
        (503, "<html>busy</html>", AnswerKind.TRANSIENT),
        (500, "", AnswerKind.UNKNOWN),
        (502, "", AnswerKind.UNKNOWN),
        (504, "", AnswerKind.UNKNOWN),
        (200, "all is well", AnswerKind.UNKNOWN),
        (302, "", AnswerKind.UNKNOWN),
        (500, outcome("[PSIS-30134] - Duplicate event"), AnswerKind.UNKNOWN),
    ],
)
def test_kinds(status, body, kind):
    assert answer(status, body).kind is kind


@pytest.mark.parametrize(
    "value, seconds",
    [
        ("120", 120),
        ("0", 0),
        ("Mon, 23 Nov 2026 14:33:07 GMT", 60),
        ("Mon, 23 Nov 2020 14:33:07 GMT", 0),
        ("1000000000", LONGEST_WAIT.total_seconds()),
        ("9" * 400, LONGEST_WAIT.total_seconds()),
        ("soon", None),
        ("", None),
        ("-5", None),
    ],
)
def test_retry_after(value, seconds):
    assert answer(429, **{"Retry-After": value}).retry_after == seconds


def test_detail_holds_codes_only():
    found = answer(400, outcome("Code: 1, [PSIS-30418] - ADEYEMI Grace 9990000018 may not"))
    assert found.detail == "value PSIS-30418"


@given(st.integers(100, 599), st.binary(max_size=300))
def test_no_answer_is_an_accident(status, body):
    found = classify(status, {}, body, now=NOW)
    assert found.status == status and len(found.detail) <= 200
    assert (found.kind is AnswerKind.ACCEPTED) == (status == 201)
