"""Request headers: ids, media type, token and role, and what is refused because of them."""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Mapping
from uuid import UUID, uuid4

from spine.localstore.configuration import Configuration
from spine.localstore.issuer import Issuer
from spine.localstore.outcomes import Refusal, bad_token, bad_value, wrong_type
from spine.localstore.vocabulary import FHIR_JSON

REQUEST_ID = "X-Request-ID"
CORRELATION_ID = "X-Correlation-ID"
ROLE = "NHSD-Session-URID"

# As the service spells it in its answer (Java UuidValidationFilter); the possessive "+" has no effect.
PUBLISHED_PATTERN = "^[0-9a-fA-F]{8}+-[0-9a-fA-F]{4}+-[0-9a-fA-F]{4}+-[0-9a-fA-F]{4}+-[0-9a-fA-F]{12}+$"
_UUID = re.compile(PUBLISHED_PATTERN.replace("}+", "}").strip("^$"))


def is_uuid(text: str) -> bool:
    """Say whether `text` is a UUID as the service reads one (any version, either case)."""
    return _UUID.fullmatch(text) is not None


def read_id(headers: Mapping[str, str], name: str) -> tuple[UUID, str, Refusal | None]:
    """Return the id in header `name`, the text to echo, and a refusal when it is not a UUID.

    An absent or empty header gets a new id, echoed in upper case. An unreadable one is not echoed:
    the ledger line gets a new id in its place.
    """
    sent = headers.get(name, "")
    if not sent:
        made = uuid4()
        return made, str(made).upper(), None
    if is_uuid(sent):
        return UUID(sent), sent, None
    made = uuid4()
    text = f'Invalid {name}. Should be a UUIDv4 matching "{PUBLISHED_PATTERN}"'
    return made, str(made).upper(), bad_value(text)


def check_token(
    headers: Mapping[str, str], configuration: Configuration, issuer: Issuer, *, user_needed: bool
) -> None:
    """Raise the 401 unless the caller shows a token that may do this.

    An application-restricted token may upload and read; setting a permission and raising an alert
    need a user's token (definition, "Security and authorisation").
    """
    if not configuration.tokens_required:
        return
    tokens = [configuration.user_token]
    if not user_needed:
        tokens.append(configuration.application_token)
    # aiohttp gives bytes that are not UTF-8 as surrogates.
    shown = headers.get("Authorization", "").encode("utf-8", "surrogateescape")
    if any(token and hmac.compare_digest(shown, f"Bearer {token}".encode()) for token in tokens):
        return
    scheme, _, bought = shown.decode("ascii", "replace").partition(" ")
    if user_needed or scheme != "Bearer" or not issuer.knows(bought):
        raise bad_token()


def may_look(headers: Mapping[str, str], configuration: Configuration) -> bool:
    """Say whether the caller may read the ledger and the pages: with tokens on, only with one of them.

    A browser gives it as the password of HTTP Basic (any user name), a program as a bearer token.
    """
    if not configuration.tokens_required:
        return True
    scheme, _, shown = headers.get("Authorization", "").partition(" ")
    credential = shown.encode("utf-8", "surrogateescape")
    if scheme.lower() == "basic":
        try:
            credential = base64.b64decode(credential, validate=True).partition(b":")[2]
        except ValueError:
            return False
    tokens = (configuration.application_token, configuration.user_token)
    return any(token and hmac.compare_digest(credential, token.encode()) for token in tokens)


def check_media_type(headers: Mapping[str, str]) -> None:
    """Raise the 415 unless the body is declared as FHIR JSON (parameters such as charset are allowed)."""
    declared = headers.get("Content-Type", "")
    if declared.partition(";")[0].strip().lower() != FHIR_JSON:
        raise wrong_type(declared)


def check_role(headers: Mapping[str, str], *, needed: bool) -> None:
    """Raise the 400 when the user's role id is missing though needed, or is not a number.

    The Java service declares it required on every POST; the definition calls it optional. We follow
    the definition for uploads, which may run without a user, and the service for the other two.
    """
    role = headers.get(ROLE, "")
    if not role:
        if needed:
            text = f"Required request header '{ROLE}' for method parameter type String is not present"
            raise bad_value(text)
    elif not (role.isascii() and role.isdigit()):
        raise bad_value(f"Invalid value - {role} in field '{ROLE}'")
