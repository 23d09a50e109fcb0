"""A certificate authority of one day, and the certificate that it gives the server: `python -m` this prints both.

kubectl and every other client-go program send a bearer token over TLS only, so the server needs TLS. `process.py` runs
this module as a process of its own while it starts: the library for certificates would otherwise stay in the server's
memory for its whole life, and neither key nor authority is ever written to a place where it would stay.
"""

from __future__ import annotations

import ipaddress
import ssl
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Self

HOSTS = ("127.0.0.1", "::1")
NAMES = ("localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc")
_LIFETIME = timedelta(days=365)
_NO_USE = ("content_commitment", "data_encipherment", "key_agreement", "encipher_only", "decipher_only")
# Clocks of a test may be turned back a little.
_BEFORE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Certificate:
    """PEM texts: the authority's certificate for clients, key and certificate for the server."""

    authority: bytes
    chain: bytes

    def context(self) -> ssl.SSLContext:
        """TLS as the server speaks it. HTTP/1.1 only."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        # The library reads files only. This one has mode 0600 and is gone at the end of the block.
        with tempfile.NamedTemporaryFile() as file:
            file.write(self.chain)
            file.flush()
            context.load_cert_chain(file.name)
        return context


class Maker:
    """Makes a certificate in a process of its own while the block lasts; `result` waits for it."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "twinloop.apiserver.http.certificate"]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)  # noqa: S603

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.__exit__(exc_type, exc, traceback)  # closes the pipe and waits

    def result(self) -> Certificate:
        """What was made. Raises RuntimeError when the process failed; what it said is on standard error."""
        output, _ = self._process.communicate()
        if self._process.returncode:
            raise RuntimeError("no certificate could be made")
        authority, chain = output.split(b"\0")
        return Certificate(authority, chain)


def make() -> Certificate:
    """A new authority and a certificate for loopback, both with keys of their own."""
    from cryptography import x509  # noqa: PLC0415 - see the module's docstring
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID  # noqa: PLC0415

    now = datetime.now(UTC)
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "twinloop-embedded-ca")])
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "twinloop-embedded")])
    ca_id = x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key())
    usage = dict.fromkeys(_NO_USE, False)

    def builder(name: x509.Name, public: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        begun = x509.CertificateBuilder().subject_name(name).issuer_name(issuer).public_key(public)
        begun = begun.serial_number(x509.random_serial_number())
        return begun.not_valid_before(now - _BEFORE).not_valid_after(now + _LIFETIME)

    ca = (
        builder(issuer, ca_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(
            x509.KeyUsage(digital_signature=True, key_encipherment=False, key_cert_sign=True, crl_sign=True, **usage),
            critical=True,
        )
        .add_extension(ca_id, critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    names = [x509.DNSName(name) for name in NAMES]
    addresses = [x509.IPAddress(ipaddress.ip_address(host)) for host in HOSTS]
    leaf = (
        builder(subject, key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(digital_signature=True, key_encipherment=True, key_cert_sign=False, crl_sign=False, **usage),
            critical=True,
        )
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([*names, *addresses]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(ca_id), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return Certificate(ca.public_bytes(pem), private + leaf.public_bytes(pem))


def main() -> None:
    """Print the authority and the chain with a zero byte between them."""
    made = make()
    sys.stdout.buffer.write(made.authority + b"\0" + made.chain)


if __name__ == "__main__":
    main()
