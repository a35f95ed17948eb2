"""The store's settings, read once from the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

BASE_PATH = "/summary-care-record/FHIR/R4"

# Ours: the published definition promises 413 as "a host imposed limitation" and names no figure.
# The largest published example is 56 kB. It is also where aiohttp stops reading by itself.
MAX_BODY_BYTES = 1024 * 1024


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
    untraced_numbers: frozenset[str] = field(default=frozenset(), repr=False)

    @property
    def tokens_required(self) -> bool:
        """True when callers must show a token (the public sandbox asks for none)."""
        return self.application_token is not None or self.user_token is not None


def from_environment(environment: Mapping[str, str] = os.environ) -> Configuration:
    """Return the settings found in `environment`; raise ConfigurationError when one cannot be used."""
    database_url = environment.get("LOCALSTORE_DATABASE_URL", "")
    if not database_url:
        raise ConfigurationError("LOCALSTORE_DATABASE_URL is not set; the store needs a database of its own")
    port = environment.get("LOCALSTORE_PORT") or "8091"
    if not (port.isascii() and port.isdigit() and int(port) <= 65535):
        raise ConfigurationError("LOCALSTORE_PORT must be a number from 0 to 65535")
    numbers = environment.get("LOCALSTORE_UNTRACED_NUMBERS", "").split(",")
    return Configuration(
        database_url=database_url,
        host=environment.get("LOCALSTORE_HOST") or "127.0.0.1",
        port=int(port),
        application_token=environment.get("LOCALSTORE_BEARER_TOKEN") or None,
        user_token=environment.get("LOCALSTORE_USER_TOKEN") or None,
        untraced_numbers=frozenset(number.strip() for number in numbers if number.strip()),
    )
