"""Sealing a vote so that the database alone cannot read it. Pure: secrets come in.

The key is made of a salt that the database holds until the count and of the service's secret, which
it never holds. AES-256-GCM from the `cryptography` package; every paper has a nonce of its own and
the same length, whatever was voted.
"""

import os
import struct
from collections.abc import Iterable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

SALT_BYTES, NONCE_BYTES = 32, 12
PURPOSE = b"care records: ballot papers"
# The option's place, and the region's three letters.
_PAPER = struct.Struct(">B3s")


class SealBroken(Exception):
    """A paper that none of the secrets opens: it was changed, or the secret is not the one it had."""


def new_salt() -> bytes:
    return os.urandom(SALT_BYTES)


def seal(*, option: int, region_code: str, salt: bytes, secret: str, ballot: bytes) -> bytes:
    """`option` is its place from 0 on. `ballot` names the ballot, so that papers cannot change boxes."""
    nonce = os.urandom(NONCE_BYTES)
    paper = _PAPER.pack(option, region_code.encode("ascii"))
    return nonce + _cipher(secret, salt).encrypt(nonce, paper, ballot)


def unseal(sealed: bytes, *, salt: bytes, secrets: Iterable[str], ballot: bytes) -> tuple[int, str]:
    """The option's place and the region. Tries the secret in use first; raises `SealBroken`."""
    for secret in secrets:
        try:
            paper = _cipher(secret, salt).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], ballot)
        except InvalidTag:
            continue
        option, region = _PAPER.unpack(paper)
        return option, region.rstrip(b"\0").decode("ascii")
    raise SealBroken


def _cipher(secret: str, salt: bytes) -> AESGCM:
    key = HKDF(algorithm=SHA256(), length=32, salt=salt, info=PURPOSE).derive(secret.encode())
    return AESGCM(key)
