"""The store's settings, read once from the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spine.localstore.keys import read_keys

BASE_PATH = "/summary-care-record/FHIR/R4"

# Ours: the published definition promises 413 as "a host imposed limitation" and names no figure.
# The largest published example is 56 kB. It is also where aiohttp stops reading by itself.
MAX_BODY_BYTES = 1024 * 1024

_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class ConfigurationError(Exception):
    """A setting is missing or cannot be used."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """Everything the process needs to know before it starts."""

    database_url: str = field(repr=False)
    host: str = "127.0.0.1"
    port: int = 8091
    application_token: str | None = field(default=None, repr=False)
    user_token: str | None = field(default=None, repr=False)
    # The application that may buy tokens here, and its public keys by their ids.
    api_key: str | None = field(default=None, repr=False)
    public_keys: Mapping[str, Any] = field(default_factory=dict, repr=False)
    token_seconds: float = 599.0
    untraced_numbers: frozenset[str] = field(default=frozenset(), repr=False)
    requests_per_second: float | None = None
    requests_per_minute: int | None = None
    # Whether faults may be ordered over HTTP, from this machine.
    control: bool = False

    @property
    def tokens_required(self) -> bool:
        """True when callers must show a token (the public sandbox asks for none)."""
        return any(known is not None for known in (self.application_token, self.user_token, self.api_key))


def from_environment(environment: Mapping[str, str] = os.environ) -> Configuration:
    """Return the settings found in `environment`; raise ConfigurationError when one cannot be used."""
    database_url = environment.get("LOCALSTORE_DATABASE_URL", "")
    if not database_url:
        raise ConfigurationError("LOCALSTORE_DATABASE_URL is not set; the store needs a database of its own")
    port = environment.get("LOCALSTORE_PORT") or "8091"
    if not (port.isascii() and port.isdigit() and int(port) <= 65535):
        raise ConfigurationError("LOCALSTORE_PORT must be a number from 0 to 65535")
    host = environment.get("LOCALSTORE_HOST") or "127.0.0.1"
    control = environment.get("LOCALSTORE_CONTROL", "") == "1"
    if control and host not in _LOOPBACK:
        raise ConfigurationError("LOCALSTORE_CONTROL is for a store that listens on this machine only")
    api_key, public_keys = _application(environment)
    numbers = environment.get("LOCALSTORE_UNTRACED_NUMBERS", "").split(",")
    return Configuration(
        database_url=database_url,
        host=host,
        port=int(port),
        application_token=environment.get("LOCALSTORE_BEARER_TOKEN") or None,
        user_token=environment.get("LOCALSTORE_USER_TOKEN") or None,
        api_key=api_key,
        public_keys=public_keys,
        token_seconds=_limit(environment, "LOCALSTORE_TOKEN_SECONDS") or 599.0,
        untraced_numbers=frozenset(number.strip() for number in numbers if number.strip()),
        requests_per_second=_limit(environment, "LOCALSTORE_REQUESTS_PER_SECOND"),
        requests_per_minute=_whole(_limit(environment, "LOCALSTORE_REQUESTS_PER_MINUTE")),
        control=control,
    )


def _application(environment: Mapping[str, str]) -> tuple[str | None, dict[str, Any]]:
    """Return the key of the application that may buy tokens, and its public keys; nothing when unset."""
    api_key, path = environment.get("LOCALSTORE_API_KEY"), environment.get("LOCALSTORE_JWKS_FILE")
    if not api_key and not path:
        return None, {}
    if not api_key or not path:
        raise ConfigurationError("LOCALSTORE_API_KEY and LOCALSTORE_JWKS_FILE go together")
    try:
        return api_key, read_keys(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"LOCALSTORE_JWKS_FILE cannot be used: {error}") from error


def _limit(environment: Mapping[str, str], name: str) -> float | None:
    """Return a limit above 0; None where there is none."""
    text = environment.get(name, "")
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise ConfigurationError(f"{name} must be a number above 0; leave it out for no limit")
    return value


def _whole(value: float | None) -> int | None:
    return None if value is None else max(1, int(value))
