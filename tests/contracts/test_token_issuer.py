"""The token address, over HTTP: what gets a token and what does not, in the platform's own words."""

import json
import time
import uuid
from urllib.parse import urlencode

import jwt
import pytest

from tests import signing
from tests.contracts.calls import Calls, bundle, new_id
from tests.localstore_process import fresh_nhs_number, running_store

JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
FORM = {"Content_Type": "application/x-www-form-urlencoded"}
HERE = "in client_assertion JWT"


@pytest.fixture(scope="module")
def key():
    return signing.new_key()


@pytest.fixture(scope="module")
def store(key, tmp_path_factory):
    jwks = signing.write_public(key, tmp_path_factory.mktemp("keys") / "jwks.json")
    environment = signing.store_settings(jwks, LOCALSTORE_TOKEN_SECONDS="2")
    yield from (Calls(process) for process in running_store(**environment))


def claims(store, **other):
    made = {
        "iss": signing.API_KEY,
        "sub": signing.API_KEY,
        "aud": f"{store.process.base_url}/oauth2/token",
        "jti": str(uuid.uuid4()),
        "exp": int(time.time()) + 240,
    } | other
    return {name: value for name, value in made.items() if value is not None}


def ask(store, key, *, form=None, algorithm="RS512", headers=None, **other):
    headers = {"kid": signing.KEY_ID} if headers is None else headers
    payload = claims(store, **other)
    # The library itself would refuse to sign some of what is tried here.
    assertion = jwt.api_jws.encode(json.dumps(payload).encode(), key, algorithm=algorithm, headers=headers)
    sent = {
        "grant_type": "client_credentials",
        "client_assertion_type": JWT_BEARER,
        "client_assertion": assertion,
    } | (form or {})
    body = urlencode({name: value for name, value in sent.items() if value is not None}).encode()
    return store.anywhere("POST", "/oauth2/token", body, **FORM)


def test_a_token_and_what_it_opens(store, key):
    answer = ask(store, key)
    assert answer.status == 200
    found = answer.json
    assert (found["expires_in"], found["token_type"]) == ("2", "Bearer")
    shown = {"Authorization": f"Bearer {found['access_token']}"}
    number = fresh_nhs_number()
    assert store.upload(bundle(number, new_id()), **shown).status == 201
    assert store.find(number, **shown).status == 200
    assert store.set_permission(number, "No", **shown).status == 401, "only a user may"
    assert store.anywhere("GET", "/ledger", **shown).status == 401


def test_a_token_ends(store, key):
    token = ask(store, key).json["access_token"]
    time.sleep(2.1)
    assert store.find(fresh_nhs_number(), Authorization=f"Bearer {token}").status == 401


@pytest.mark.parametrize("shown", ["", "Bearer ", "Bearer made-up", "{token}", "Basic {token}"])
def test_what_is_no_token(store, key, shown):
    token = ask(store, key).json["access_token"]
    assert store.find(fresh_nhs_number(), Authorization=shown.format(token=token)).status == 401


WRONG = {
    "alg": ({"algorithm": "RS256"}, 400, f"Invalid 'alg' header {HERE} - unsupported JWT algorithm - must be 'RS512'"),
    "another's key": ({"key": "other"}, 401, "JWT signature verification failed"),
    "unknown kid": ({"headers": {"kid": "x"}}, 401, "Invalid 'kid' header in JWT - no matching public key"),
    "no kid": ({"headers": {}}, 400, f"Missing 'kid' header {HERE}"),
    "no application of ours": ({"iss": "x", "sub": "x"}, 401, "Invalid iss/sub claims in JWT"),
    "sub is another": ({"sub": "x"}, 400, f"Missing or non-matching iss/sub claims {HERE}"),
    "no iss": ({"iss": None}, 400, f"Missing or non-matching iss/sub claims {HERE}"),
    "jti a number": ({"jti": 7}, 400, f"Invalid 'jti' claim {HERE} - must be a unique string value such as a GUID"),
    "no jti": ({"jti": None}, 400, f"Missing 'jti' claim {HERE}"),
    "wrong audience": ({"aud": "https://elsewhere"}, 401, "Missing or invalid aud claim in JWT"),
    "no audience": ({"aud": None}, 401, "Missing or invalid aud claim in JWT"),
    "exp a text": ({"exp": "soon"}, 400, f"Invalid 'exp' claim {HERE} - must be an integer"),
    "expired": ({"exp": 1_700_000_000}, 400, f"Invalid 'exp' claim {HERE} - JWT has expired"),
    "too long": ({"exp": 9_000_000_000}, 400, f"Invalid 'exp' claim {HERE} - more than 5 minutes in future"),
    "no exp": ({"exp": None}, 400, f"Missing 'exp' claim {HERE}"),
    "no assertion": ({"form": {"client_assertion": None}}, 400, "Missing client_assertion"),
    "nonsense": ({"form": {"client_assertion": "x"}}, 400, "Malformed JWT in client_assertion"),
    "no grant": ({"form": {"grant_type": None}}, 400, "grant_type is missing"),
    "another grant": ({"form": {"grant_type": "password"}}, 400, "grant_type is invalid"),
    "another kind of assertion": (
        {"form": {"client_assertion_type": "x"}},
        400,
        f"Missing or invalid client_assertion_type - must be '{JWT_BEARER}",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_gets_none(store, key, name):
    wrong, status, text = WRONG[name]
    signed_with = signing.new_key() if wrong.get("key") else key
    answer = ask(store, signed_with, **{one: value for one, value in wrong.items() if one != "key"})
    assert (answer.status, answer.json["error_description"]) == (status, text)
    assert "access_token" not in answer.json


def test_a_statement_is_good_once(store, key):
    jti = str(uuid.uuid4())
    assert ask(store, key, jti=jti).status == 200
    again = ask(store, key, jti=jti)
    assert (again.status, again.json["error_description"]) == (400, f"Non-unique jti claim {HERE}")


def test_a_key_in_another_tongue_opens_nothing(store, key):
    """A statement "signed" with the public key as a password, or with nothing at all."""
    assert ask(store, "secret" * 20, algorithm="HS512").status == 400
    assert ask(store, None, algorithm="none").status == 400


def test_only_a_store_that_knows_an_application_sells_tokens(localstore):
    assert Calls(localstore).anywhere("POST", "/oauth2/token", b"", **FORM).status == 404
