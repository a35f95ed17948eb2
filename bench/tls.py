"""A certificate for this machine, since the real store speaks TLS: so do both sides of a comparison."""

import datetime
import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Certificate:
    """Files: what the server shows, and what a client trusts besides the authorities it knows."""

    chain: Path
    key: Path
    trusted: Path

    @property
    def environment(self) -> dict[str, str]:
        """What makes a process trust it, as an administrator would."""
        return {"SSL_CERT_FILE": str(self.trusted)}


def certificate(folder: Path) -> Certificate:
    """For 127.0.0.1, for a day, signed by itself."""
    made = Certificate(folder / "store.pem", folder / "store.key", folder / "trusted.pem")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "The store of the benchmarks")])
    now = datetime.datetime.now(datetime.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.IPv4Address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    made.chain.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    made.key.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    known = ssl.get_default_verify_paths().cafile
    made.trusted.write_bytes(made.chain.read_bytes() + (Path(known).read_bytes() if known else b""))
    return made
