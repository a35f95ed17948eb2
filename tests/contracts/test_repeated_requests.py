"""A request sent again: by its X-Request-ID, and by the id of the summary it carries.

That X-Request-ID de-duplicates is published; how is left to Spine. The reading tested here is ours:
an accepted request is answered again as it was the first time; a refused one is not remembered.
"""

import json

import pytest

from tests.contracts.calls import bundle, new_id, permission
from tests.localstore_process import fresh_nhs_number


@pytest.fixture
def sent(store):
    """An accepted upload: number, composition id, request id, body, and the ledger before it."""
    number, composition_id, request_id = fresh_nhs_number(), new_id(), new_id()
    body = json.dumps(bundle(number, composition_id)).encode()
    start = store.last_sequence()
    assert store.upload(body, X_Request_ID=request_id).status == 201
    return number, composition_id, request_id, body, start


def outcomes(store, start):
    return [line["outcome"] for line in store.lines(start)]


def test_the_first_answer_again_and_nothing_stored_twice(store, sent):
    number, composition_id, request_id, body, start = sent
    again = store.upload(body, X_Request_ID=request_id.lower())
    assert (again.status, again.body) == (201, b"")
    assert outcomes(store, start) == ["accepted", "replayed"]
    assert store.lines(start)[1]["accepted_at"] is None
    assert store.current_id(number) == composition_id


def test_the_first_answer_even_when_the_patient_has_refused_since(store, sent):
    number, _, request_id, body, _ = sent
    assert store.set_permission(number, "No").status == 201
    assert store.upload(body, X_Request_ID=request_id).status == 201


def test_the_first_answer_even_when_it_was_replaced_since(store, sent):
    number, composition_id, request_id, body, _ = sent
    newer = new_id()
    assert store.upload(bundle(number, newer, composition_id)).status == 201
    assert store.upload(body, X_Request_ID=request_id).status == 201
    assert store.current_id(number) == newer


def test_an_accepted_request_id_with_another_body(store, sent):
    number, composition_id, request_id, _, start = sent
    answer = store.upload(bundle(number, new_id(), composition_id), X_Request_ID=request_id)
    assert (answer.status, answer.issue) == (400, ("value", "Code: 401, Display: Duplicate message id"))
    assert outcomes(store, start) == ["accepted", "refused"]
    assert store.current_id(number) == composition_id


def test_an_accepted_request_id_with_the_same_summary_written_otherwise(store, sent):
    # The more telling of two reasons: what is held is this summary, accepted earlier.
    _, _, request_id, body, _ = sent
    assert "PSIS-30134" in store.upload(body + b" ", X_Request_ID=request_id).issue[1]


def test_an_accepted_request_id_for_another_operation(store, sent):
    number, _, request_id, _, _ = sent
    answer = store.set_permission(number, "No", X_Request_ID=request_id)
    assert (answer.status, answer.issue[1]) == (400, "Code: 401, Display: Duplicate message id")
    assert store.find(number).status == 200


def test_a_refused_request_may_come_back_with_its_id(store):
    number, request_id = fresh_nhs_number(), new_id()
    body = json.dumps(bundle(number, new_id())).encode()
    assert store.set_permission(number, "No").status == 201
    assert store.upload(body, X_Request_ID=request_id).status == 403
    assert store.set_permission(number, "Ask").status == 201
    assert store.upload(body, X_Request_ID=request_id).status == 201


def test_a_permission_set_again(store):
    number, request_id, start = fresh_nhs_number(), new_id(), store.last_sequence()
    assert store.set_permission(number, "No", X_Request_ID=request_id).status == 201
    assert store.set_permission(number, "Ask").status == 201
    # The old message, delivered once more, must not undo what came after it.
    assert store.set_permission(number, "No", X_Request_ID=request_id).status == 201
    assert store.find(number).status == 200
    assert outcomes(store, start)[:3] == ["accepted", "accepted", "replayed"]


def test_the_same_summary_under_a_new_request_id(store, sent):
    number, composition_id, _, body, start = sent
    answer = store.upload(body)
    text = f"[PSIS-30134] - Duplicate event with eventId {composition_id} and nhsNumber {number}."
    assert (answer.status, answer.issue) == (400, ("invalid", text))
    assert outcomes(store, start) == ["accepted", "refused"]


def test_a_summary_id_in_lower_case_is_the_same_id(store, sent):
    number, composition_id, _, _, _ = sent
    assert "PSIS-30134" in store.upload(bundle(number, composition_id.lower())).issue[1]


def test_an_old_summary_id_never_returns(store, sent):
    number, composition_id, _, _, _ = sent
    assert store.upload(bundle(number, new_id(), composition_id)).status == 201
    answer = store.upload(bundle(number, composition_id, store.current_id(number)))
    assert "PSIS-30134" in answer.issue[1]


def test_the_same_summary_id_for_another_patient(store, sent):
    _, composition_id, _, _, _ = sent
    assert store.upload(bundle(fresh_nhs_number(), composition_id)).status == 201


def test_permission_is_looked_at_before_duplicates(store, sent):
    number, _, _, body, _ = sent
    assert store.set_permission(number, "No").status == 201
    assert store.upload(body).status == 403


def test_a_body_that_differs_in_white_space_is_another_body(store):
    number, request_id = fresh_nhs_number(), new_id()
    made = permission(number, "Ask")
    start = json.dumps(made).encode()
    role = {"NHSD_Session_URID": "555021935107"}
    assert store.post("/$setPermission", start, X_Request_ID=request_id, **role).status == 201
    assert store.post("/$setPermission", start + b" ", X_Request_ID=request_id, **role).status == 400
