"""Tokens: none is asked for by default; when set, a user's may do all and an application's may not."""

import base64

import pytest

from tests.contracts.calls import bundle, new_id
from tests.localstore_process import fresh_nhs_number

APPLICATION = {"Authorization": "Bearer application"}
USER = {"Authorization": "Bearer user"}


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer x"}, {"Authorization": "application"}])
def test_no_or_another_token(guarded_store, headers):
    answers = [
        guarded_store.upload(bundle(fresh_nhs_number(), new_id()), **headers),
        guarded_store.find(fresh_nhs_number(), **headers),
        guarded_store.fetch(fresh_nhs_number(), new_id(), **headers),
        guarded_store.set_permission(fresh_nhs_number(), "No", **headers),
    ]
    for answer in answers:
        assert (answer.status, answer.issue) == (401, ("forbidden", "Invalid access token"))


def test_what_an_application_may(guarded_store):
    number, composition_id = fresh_nhs_number(), new_id()
    assert guarded_store.upload(bundle(number, composition_id), **APPLICATION).status == 201
    assert guarded_store.find(number, **APPLICATION).status == 200
    assert guarded_store.fetch(number, composition_id, **APPLICATION).status == 200


def test_what_only_a_user_may(guarded_store):
    number = fresh_nhs_number()
    assert guarded_store.set_permission(number, "No", **APPLICATION).status == 401
    assert guarded_store.alert(b"{}", **APPLICATION).status == 401
    assert guarded_store.set_permission(number, "No", **USER).status == 201
    assert guarded_store.alert(b"{}", **USER).status == 400
    assert guarded_store.find(number, **USER).status == 403


@pytest.mark.parametrize("path", ["/", "/ledger", "/lines/1", "/find"])
def test_looking_in_needs_a_token_too(guarded_store, path):
    refused = guarded_store.anywhere("GET", path)
    assert (refused.status, refused.body) == (401, b"A token is needed.\n")
    assert refused.headers["WWW-Authenticate"].startswith("Basic")
    for token in ("application", "user"):
        basic = base64.b64encode(f"anybody:{token}".encode()).decode()
        assert guarded_store.anywhere("GET", path, Authorization=f"Basic {basic}").status != 401
        assert guarded_store.anywhere("GET", path, Authorization=f"Bearer {token}").status != 401
    assert guarded_store.anywhere("GET", path, Authorization="Basic ###").status == 401


def test_health_needs_none(guarded_store):
    assert guarded_store.anywhere("GET", "/health").json["status"] == "pass"
