"""`python -m twinloop.apiserver.http.authority`: makes a certificate authority and a certificate, and prints both.

`certificate.py` runs this as a process of its own. The authority's key ends with that process; what is printed is the
authority's certificate, a zero byte, the server's key and its certificate.
"""

from __future__ import annotations

import ipaddress
import sys
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

HOSTS = ("127.0.0.1", "::1")
NAMES = ("localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc")
_ISSUER = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "twinloop-embedded-ca")])
_SUBJECT = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "twinloop-embedded")])
_LIFETIME = timedelta(days=365)
# Clocks of a test may be turned back a little.
_BEFORE = timedelta(days=1)
_NO_USE = ("content_commitment", "data_encipherment", "key_agreement", "encipher_only", "decipher_only")
_PEM = serialization.Encoding.PEM


def make() -> tuple[bytes, bytes]:
    """The authority's certificate, and the server's key with its certificate, in PEM."""
    authority, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    private = key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    chain = private + _server(authority, key.public_key()).public_bytes(_PEM)
    return _self_signed(authority).public_bytes(_PEM), chain


def _self_signed(authority: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    return (
        _begun(_ISSUER, authority.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .sign(authority, hashes.SHA256())
    )


def _server(authority: ec.EllipticCurvePrivateKey, public: ec.EllipticCurvePublicKey) -> x509.Certificate:
    names = [x509.DNSName(name) for name in NAMES]
    addresses = [x509.IPAddress(ipaddress.ip_address(host)) for host in HOSTS]
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key())
    return (
        _begun(_SUBJECT, public)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([*names, *addresses]), critical=False)
        .add_extension(issuer, critical=False)
        .sign(authority, hashes.SHA256())
    )


def _begun(name: x509.Name, public: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    """What both certificates have."""
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder(_ISSUER, name, public, x509.random_serial_number())
        .not_valid_before(now - _BEFORE)
        .not_valid_after(now + _LIFETIME)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    """An authority signs certificates, a server its handshakes."""
    return x509.KeyUsage(
        digital_signature=True,
        key_encipherment=not signs,
        key_cert_sign=signs,
        crl_sign=signs,
        **dict.fromkeys(_NO_USE, False),
    )


def main() -> None:
    """Print both, a zero byte between them."""
    sys.stdout.buffer.write(b"\0".join(make()))


if __name__ == "__main__":
    main()
