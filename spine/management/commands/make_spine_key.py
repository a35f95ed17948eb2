"""`manage.py make_spine_key FILE --kid ID`: the key with which we prove to the real service who we are."""

import json
import os
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.core.management.base import BaseCommand, CommandError, CommandParser
from jwt.algorithms import RSAAlgorithm

from spine.sending.credentials import ALGORITHM

BITS = 4096


class Command(BaseCommand):
    help = "Writes a new private key into FILE and prints its public half as a JSON Web Key Set."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="where the private key goes; must not be there yet")
        parser.add_argument("--kid", required=True, help="the key's name, for example prod-1")

    def handle(self, *args: Any, **options: Any) -> None:
        key = rsa.generate_private_key(public_exponent=65537, key_size=BITS)
        try:
            # Nobody else may read it, and no key is ever written over.
            handle = os.open(options["file"], os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise CommandError(f"{options['file']} cannot be written: {error.strerror}.") from None
        with os.fdopen(handle, "wb") as file:
            file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        public = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
        public = {"kty": public["kty"], "n": public["n"], "e": public["e"]}
        public |= {"kid": options["kid"], "use": "sig", "alg": ALGORITHM}
        self.stdout.write(json.dumps({"keys": [public]}, indent=2))
