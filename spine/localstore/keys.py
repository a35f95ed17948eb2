"""Public keys of an application, as it publishes them: a JSON Web Key Set (RFC 7517)."""

from __future__ import annotations

import json
from typing import Any

import jwt


def read_keys(jwks: str) -> dict[str, Any]:
    """Return the public keys of a JSON Web Key Set by their ids; raise ValueError when it is none."""
    try:
        found = jwt.PyJWKSet.from_json(jwks)
        return {key.key_id: key.key for key in found.keys if key.key_id}
    except (jwt.PyJWTError, json.JSONDecodeError, AttributeError, TypeError) as error:
        raise ValueError("not a JSON Web Key Set") from error
