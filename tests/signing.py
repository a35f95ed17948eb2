"""An application's key, and a store that knows its public half, for tests of access by a signed statement."""

import json
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from jwt.algorithms import RSAAlgorithm

API_KEY, KEY_ID = "made-up-api-key", "test-1"


def new_key() -> rsa.RSAPrivateKey:
    """A short key: only its form matters here."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def write_private(key: rsa.RSAPrivateKey, path: Path) -> str:
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return str(path)


def write_public(key: rsa.RSAPrivateKey, path: Path) -> str:
    """The key set that the application would register."""
    public = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True) | {"kid": KEY_ID, "alg": "RS512"}
    path.write_text(json.dumps({"keys": [public]}))
    return str(path)


def store_settings(jwks: str, **more: str) -> dict[str, str]:
    """What a store is started with that lets this application in, and a person who looks into it."""
    return {
        "LOCALSTORE_API_KEY": API_KEY,
        "LOCALSTORE_JWKS_FILE": jwks,
        "LOCALSTORE_USER_TOKEN": "a person",
        "LOCALSTORE_CONTROL": "1",
    } | more


def our_settings(base_url: str, private_key: str) -> dict[str, str]:
    """`SPINE_SIGNED_JWT` for a store at that address."""
    return {
        "SPINE_TOKEN_URL": f"{base_url}/oauth2/token",
        "SPINE_API_KEY": API_KEY,
        "SPINE_KEY_ID": KEY_ID,
        "SPINE_PRIVATE_KEY_FILE": private_key,
    }
