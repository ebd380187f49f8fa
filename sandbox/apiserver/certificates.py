"""The server's certificate authority and certificate, made once and kept beside the store."""

from __future__ import annotations

import datetime
import ipaddress
import os
import ssl
from pathlib import Path

CA_FILE, CERTIFICATE_FILE, KEY_FILE = "ca.crt", "server.crt", "server.key"
YEARS = datetime.timedelta(days=3650)
BEFORE = datetime.timedelta(days=2)
"""Valid from before now, so that clocks that differ a little still meet."""


def ensure(folder: Path) -> None:
    """Make the authority and the server's certificate unless they are there."""
    if all((folder / name).exists() for name in (CA_FILE, CERTIFICATE_FILE, KEY_FILE)):
        return
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    folder.mkdir(parents=True, exist_ok=True)
    now = datetime.datetime.now(datetime.timezone.utc)  # noqa: UP017  (3.11 has no datetime.UTC in every build)

    def name(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    def start(subject: str, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        builder = x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name("sandbox-ca"))
        builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
        return builder.not_valid_before(now - BEFORE).not_valid_after(now + YEARS)

    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_id = x509.SubjectKeyIdentifier.from_public_key(ca_key.public_key())
    usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
    ca = start("sandbox-ca", ca_key).add_extension(x509.BasicConstraints(True, None), True).add_extension(usage, True)
    ca = ca.add_extension(ca_id, False)
    addresses = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    addresses += [x509.DNSName("kubernetes.default.svc"), x509.IPAddress(ipaddress.ip_address("::1"))]
    server = start("sandbox", key).add_extension(x509.SubjectAlternativeName(addresses), False)
    server = server.add_extension(x509.BasicConstraints(False, None), True)
    server = server.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)
    server = server.add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(ca_id), False)
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    _write(folder / KEY_FILE, private)
    _write(folder / CERTIFICATE_FILE, server.sign(ca_key, hashes.SHA256()).public_bytes(pem))
    _write(folder / CA_FILE, ca.sign(ca_key, hashes.SHA256()).public_bytes(pem))


def _write(path: Path, data: bytes) -> None:
    fresh = path.with_suffix(".new")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(handle, data)
    finally:
        os.close(handle)
    fresh.replace(path)


def context(folder: Path) -> ssl.SSLContext:
    """TLS for the server; HTTP/1.1 is all that it speaks."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(folder / CERTIFICATE_FILE, folder / KEY_FILE)
    return made
