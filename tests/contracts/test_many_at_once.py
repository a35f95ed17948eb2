"""Many callers at once: each summary stored exactly once, each patient with one current summary."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from tests.contracts.calls import bundle, new_id
from tests.localstore_process import fresh_nhs_number


def at_once(calls):
    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]


def test_one_summary_fifty_times(store):
    number, composition_id, start = fresh_nhs_number(), new_id(), store.last_sequence()
    made = bundle(number, composition_id)
    answers = at_once([lambda: store.upload(made)] * 50)
    assert Counter(answer.status for answer in answers) == {201: 1, 400: 49}
    assert all("PSIS-30134" in answer.issue[1] for answer in answers if answer.status == 400)
    assert Counter(line["outcome"] for line in store.lines(start)) == {"accepted": 1, "refused": 49}


def test_one_request_fifty_times(store):
    number, request_id, start = fresh_nhs_number(), new_id(), store.last_sequence()
    made = bundle(number, new_id())
    answers = at_once([lambda: store.upload(made, X_Request_ID=request_id)] * 50)
    assert {answer.status for answer in answers} == {201}
    assert Counter(line["outcome"] for line in store.lines(start)) == {"accepted": 1, "replayed": 49}


def test_twenty_that_replace_the_same_summary(store):
    number, first = fresh_nhs_number(), new_id()
    assert store.upload(bundle(number, first)).status == 201
    ids = [new_id() for _ in range(20)]
    answers = at_once([partial(store.upload, bundle(number, made_id, first)) for made_id in ids])
    assert Counter(answer.status for answer in answers) == {201: 1, 400: 19}
    winner = next(made_id for made_id, answer in zip(ids, answers, strict=True) if answer.status == 201)
    assert store.current_id(number) == winner


def test_a_dissent_among_uploads_is_exact(store):
    """In the order of the ledger no upload is accepted after the permission was set to No."""
    number, start = fresh_nhs_number(), store.last_sequence()
    numbers = [number] + [fresh_nhs_number() for _ in range(20)]
    calls = [lambda n=n: store.upload(bundle(n, new_id())) for n in numbers * 2]
    calls.insert(20, lambda: store.set_permission(number, "No"))
    at_once(calls)
    lines = [line for line in store.lines(start) if line["nhs_number"] == number]
    said_no = next(i for i, line in enumerate(lines) if line["kind"] == "permission")
    assert all(line["http_status"] == 403 for line in lines[said_no + 1 :])
