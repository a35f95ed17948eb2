"""What this service shows the store to be let in: nothing, a fixed token, or tokens it buys by itself.

The real service lets an application in that signs a statement about itself with its private key and
shows that at the platform's token address: OAuth 2.0 client credentials with `private_key_jwt`
(RFC 7523), RS512, at most five minutes valid, each used once. The token that it gets is good for some
ten minutes and is shared by everything in this process.

Source: NHSDigital/identity-service-api, its policies and end-to-end tests (read 2026-11).
"""

import json
import re
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Protocol

import jwt
import structlog
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from spine.sending.answers import Answer, AnswerKind

ALGORITHM = "RS512"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
# The platform allows five minutes; ours is used at once.
ASSERTION_SECONDS = 240
# A token is replaced so long before its end, so that none ends on its way.
EARLY_SECONDS = 30.0
ISSUER_SECONDS = 5.0
# After a refusal, nothing is asked or shown anew for so long: a wrong key must not become a storm.
PAUSE_SECONDS = 60.0
# After silence of the issuer: the lanes that wait for the same token fail at once.
SILENCE_SECONDS = 10.0
LARGEST_ANSWER = 64 * 1024

log = structlog.get_logger(__name__)


class NoToken(Exception):
    """No token is to be had now. `answer` says what that makes of a message; `why` is for whoever set it up."""

    def __init__(self, kind: AnswerKind, code: str, why: str) -> None:
        super().__init__(why)
        self.answer = Answer(kind, detail=f"token: {code}")
        self.why = why


class Credentials(Protocol):
    """What the client asks for tokens. Safe to use from several threads."""

    def at_hand(self) -> tuple[bool, str | None]:
        """Whether it is known without asking anybody what to show, and what that is."""

    def token(self) -> str | None:
        """What to show; may ask the issuer, and then take `ISSUER_SECONDS`. Raises `NoToken`."""

    def instead_of(self, refused: str) -> str | None:
        """Another token after the store refused one, or None where there is no point. Raises `NoToken`."""


@dataclass(frozen=True)
class FixedToken:
    """The same for ever, or nothing at all."""

    text: str | None

    def at_hand(self) -> tuple[bool, str | None]:
        return True, self.text

    def token(self) -> str | None:
        return self.text

    def instead_of(self, refused: str) -> str | None:
        return None


@dataclass(frozen=True)
class Application:
    """Who we are to the platform. The key identified by `key_id` is registered there."""

    token_url: str
    api_key: str
    key_id: str
    private_key: RSAPrivateKey = field(repr=False)

    def assertion(self) -> str:
        """A statement that it is us, for one use."""
        now = int(time.time())
        claims = {
            "iss": self.api_key,
            "sub": self.api_key,
            "aud": self.token_url,
            "jti": str(uuid.uuid4()),
            "iat": now,
            "exp": now + ASSERTION_SECONDS,
        }
        return jwt.encode(claims, self.private_key, algorithm=ALGORITHM, headers={"kid": self.key_id})


class BoughtTokens:
    """Tokens of an application, each kept until shortly before its end."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._lock = threading.Lock()
        self._token = ""
        self._good_until = float("-inf")
        self._renewed_at = float("-inf")
        self._refusal: NoToken | None = None
        self._refused_until = float("-inf")

    def at_hand(self) -> tuple[bool, str | None]:
        return _clock() < self._good_until, self._token

    def token(self) -> str:
        with self._lock:
            good, token = self.at_hand()
            return token if good and token else self._buy()

    def instead_of(self, refused: str) -> str | None:
        with self._lock:
            good, token = self.at_hand()
            if good and token != refused:
                # Another lane was refused before us, and has the new one already.
                return token
            if _clock() < self._renewed_at + PAUSE_SECONDS:
                return None
            self._renewed_at = _clock()
            return self._buy()

    def _buy(self) -> str:
        if self._refusal and _clock() < self._refused_until:
            raise self._refusal
        asked_at = _clock()
        try:
            self._token, lifetime = ask_for_token(self._application)
        except NoToken as error:
            refused = error.answer.kind is AnswerKind.UNAUTHORISED
            log.warning("no_access_token", detail=error.answer.detail)
            self._refusal = error
            self._refused_until = _clock() + (PAUSE_SECONDS if refused else SILENCE_SECONDS)
            raise
        self._refusal = None
        self._good_until = asked_at + lifetime - min(EARLY_SECONDS, lifetime / 2)
        return self._token


def _clock() -> float:
    """Seconds on a clock that does not stop while the machine sleeps: tokens end meanwhile."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A signed statement goes to the address it names, and to no other."""

    def redirect_request(self, *_: object) -> None:
        return None


_OPENER = urllib.request.build_opener(_NoRedirect, urllib.request.ProxyHandler({}))


def ask_for_token(application: Application) -> tuple[str, float]:
    """A new token and its lifetime in seconds; raises `NoToken`."""
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": application.assertion(),
    }
    request = urllib.request.Request(
        application.token_url,
        data=urllib.parse.urlencode(form).encode(),
        headers={"Accept": "application/json"},
    )
    try:
        with _OPENER.open(request, timeout=ISSUER_SECONDS) as answer:
            return _read_token(answer)
    except urllib.error.HTTPError as error:
        with error:
            raise _refusal(error) from None
    except (OSError, ValueError) as error:
        name = type(error).__name__
        raise NoToken(AnswerKind.UNREACHABLE, name, f"The issuer did not answer ({error})") from None


def _read_token(answer: IO[bytes]) -> tuple[str, float]:
    try:
        found = json.loads(answer.read(LARGEST_ANSWER))
        # The platform gives the seconds as text.
        token, lifetime = str(found["access_token"]), float(found["expires_in"])
    except (ValueError, KeyError, TypeError) as error:
        why = "The issuer's answer holds no token"
        raise NoToken(AnswerKind.UNREACHABLE, "unreadable", why) from error
    if not (re.fullmatch(r"[\x21-\x7e]{1,4096}", token) and 0 < lifetime < 86_400):
        why = "The issuer's answer holds no token that could be used"
        raise NoToken(AnswerKind.UNREACHABLE, "unusable", why)
    return token, lifetime


def _refusal(error: urllib.error.HTTPError) -> NoToken:
    """What a refusal means: ours to mend below 500, but for "too many"; theirs otherwise."""
    try:
        found = json.loads(error.read(LARGEST_ANSWER))
        code, why = str(found["error"]), str(found["error_description"])
    except (ValueError, KeyError, TypeError, OSError):
        code, why = "no reason given", "no reason given"
    ours = 400 <= error.code < 500 and error.code != 429
    kind = AnswerKind.UNAUTHORISED if ours else AnswerKind.UNREACHABLE
    shown = code if re.fullmatch(r"[a-z_ ]{1,40}", code) else "odd code"
    return NoToken(kind, f"{error.code} {shown}", f"The issuer answered {error.code} {code}: {why}")


def from_settings() -> Credentials:
    """What the settings give us to show; raises `ImproperlyConfigured` for a key that cannot be used."""
    if not settings.SPINE_SIGNED_JWT:
        return FixedToken(settings.SPINE_BEARER_TOKEN or None)
    return BoughtTokens(application_from_settings())


def application_from_settings() -> Application:
    """Who the settings say we are; raises `ImproperlyConfigured` for a key that cannot be used."""
    given = settings.SPINE_SIGNED_JWT
    return Application(
        given["SPINE_TOKEN_URL"],
        given["SPINE_API_KEY"],
        given["SPINE_KEY_ID"],
        _read_key(Path(given["SPINE_PRIVATE_KEY_FILE"])),
    )


def _read_key(path: Path) -> RSAPrivateKey:
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except OSError as error:
        raise ImproperlyConfigured(f"SPINE_PRIVATE_KEY_FILE cannot be read: {error.strerror}.") from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ImproperlyConfigured(
            "SPINE_PRIVATE_KEY_FILE must hold a private key in PEM form without a password."
        ) from error
    if not isinstance(key, RSAPrivateKey):
        raise ImproperlyConfigured(
            "SPINE_PRIVATE_KEY_FILE must hold an RSA key: the platform asks for RS512."
        )
    return key
