"""The platform's token address: an application that proves itself by its key gets an access token.

OAuth 2.0 client credentials with `private_key_jwt` (RFC 7523). Rules, their order and their texts are
the platform's own (NHSDigital/identity-service-api: its policy that validates the assertion, and its
end-to-end tests). Tokens and used ids live in memory: a restart forgets them, and callers get 401.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import jwt
from aiohttp import web

from spine.localstore.configuration import Configuration

PATH: Final = "/oauth2/token"
_ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
# Five minutes, and ten seconds for clocks that differ.
_LONGEST_SECONDS: Final = 310


class TokenRefused(Exception):
    """No token for this request: status, and the code and the text of the answer."""

    def __init__(self, status: int, error: str, text: str) -> None:
        super().__init__(text)
        self.status, self.error, self.text = status, error, text


def _invalid(text: str, status: int = 400) -> TokenRefused:
    return TokenRefused(status, "invalid_request", text)


class Issuer:
    """Gives tokens to the one application that it knows, and knows them again."""

    def __init__(self, configuration: Configuration) -> None:
        self._api_key = configuration.api_key
        self._keys = configuration.public_keys
        self._seconds = configuration.token_seconds
        self._tokens: dict[str, float] = {}
        self._used: dict[str, float] = {}

    @property
    def is_on(self) -> bool:
        return self._api_key is not None

    def knows(self, token: str) -> bool:
        """Say whether `token` was given here and is still good."""
        return self._tokens.get(token, 0.0) > time.monotonic()

    async def answer(self, request: web.BaseRequest) -> web.Response:
        """Return a token, or why there is none."""
        if request.method != "POST":
            return web.Response(status=405, headers={"Allow": "POST"})
        try:
            form = await request.post()
            sent = {name: value for name, value in form.items() if isinstance(value, str)}
            self._check(sent, audience=f"{request.scheme}://{request.host}{request.path}")
        except TokenRefused as refusal:
            found = {
                "error": refusal.error,
                "error_description": refusal.text,
                "message_id": secrets.token_hex(8),
            }
            return web.json_response(found, status=refusal.status)
        return web.json_response(self._new_token())

    def _new_token(self) -> dict[str, str]:
        now = time.monotonic()
        self._tokens = {token: until for token, until in self._tokens.items() if until > now}
        token = secrets.token_urlsafe(21)
        self._tokens[token] = now + self._seconds
        issued_at = str(int(datetime.now(UTC).timestamp() * 1000))
        # Numbers as text, as the platform gives them.
        lifetime = f"{self._seconds:g}"
        return {"access_token": token, "expires_in": lifetime, "token_type": "Bearer", "issued_at": issued_at}

    def _check(self, sent: Mapping[str, str], *, audience: str) -> None:
        """Raise unless the form holds an assertion of our application, made for this address and new."""
        assertion = _assertion(sent)
        try:
            header = jwt.get_unverified_header(assertion)
            claims = jwt.decode(assertion, options={"verify_signature": False})
        except jwt.PyJWTError as error:
            raise _invalid("Malformed JWT in client_assertion") from error
        _check_form(header, claims)
        self._check_new(claims["jti"])
        if claims["exp"] - time.time() > _LONGEST_SECONDS:
            raise _invalid("Invalid 'exp' claim in client_assertion JWT - more than 5 minutes in future")
        if claims.get("aud") != audience:
            raise _invalid("Missing or invalid aud claim in JWT", 401)
        if claims["iss"] != self._api_key:
            raise _invalid("Invalid iss/sub claims in JWT", 401)
        self._check_signature(assertion, header["kid"])
        self._used[claims["jti"]] = claims["exp"]

    def _check_new(self, jti: str) -> None:
        now = time.time()
        self._used = {used: until for used, until in self._used.items() if until > now}
        if jti in self._used:
            raise _invalid("Non-unique jti claim in client_assertion JWT")

    def _check_signature(self, assertion: str, kid: str) -> None:
        key = self._keys.get(kid)
        if key is None:
            raise _invalid("Invalid 'kid' header in JWT - no matching public key", 401)
        try:
            jwt.decode(assertion, key, algorithms=["RS512"], options={"verify_aud": False})
        except jwt.PyJWTError as error:
            raise TokenRefused(401, "public_key error", "JWT signature verification failed") from error


def _assertion(sent: Mapping[str, str]) -> str:
    grant = sent.get("grant_type")
    if not grant:
        raise _invalid("grant_type is missing")
    if grant != "client_credentials":
        raise TokenRefused(400, "unsupported_grant_type", "grant_type is invalid")
    if sent.get("client_assertion_type") != _ASSERTION_TYPE:
        # The missing quotation mark at its end is the platform's.
        raise _invalid(f"Missing or invalid client_assertion_type - must be '{_ASSERTION_TYPE}")
    if not sent.get("client_assertion"):
        raise _invalid("Missing client_assertion")
    return sent["client_assertion"]


def _check_form(header: Mapping[str, Any], claims: Mapping[str, Any]) -> None:
    """Raise the first thing that is wrong with the assertion as it is written, in the platform's order."""
    where = "in client_assertion JWT"
    exp, jti = claims.get("exp"), claims.get("jti")
    ends_at = float(exp) if isinstance(exp, int | float) and not isinstance(exp, bool) else None
    checks = (
        (
            header.get("alg") != "RS512",
            f"Invalid 'alg' header {where} - unsupported JWT algorithm - must be 'RS512'",
        ),
        (ends_at is not None and ends_at < time.time(), f"Invalid 'exp' claim {where} - JWT has expired"),
        (not header.get("kid"), f"Missing 'kid' header {where}"),
        (str(header.get("typ")).lower() != "jwt", f"Invalid 'typ' header {where} - must be 'JWT'"),
        (not exp, f"Missing 'exp' claim {where}"),
        (ends_at is None, f"Invalid 'exp' claim {where} - must be an integer"),
        (
            not claims.get("iss") or claims["iss"] != claims.get("sub"),
            f"Missing or non-matching iss/sub claims {where}",
        ),
        (not jti, f"Missing 'jti' claim {where}"),
        (
            not isinstance(jti, str),
            f"Invalid 'jti' claim {where} - must be a unique string value such as a GUID",
        ),
    )
    for wrong, text in checks:
        if wrong:
            raise _invalid(text)
