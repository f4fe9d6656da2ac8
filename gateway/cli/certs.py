# SPDX-License-Identifier: EUPL-1.2
"""`herse certs`: throw-away TLS certificates for a development machine, and the gateway's own keys.

Private keys are written 0600 and never printed. The authority's private key is never written at all: once the server
certificate is signed, nobody can sign another with an authority that a developer may have told a browser to trust.
"""

from __future__ import annotations

import os
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from pathlib import Path
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gateway.cli.card_certs import CARDS_FOLDER, PASSPHRASE, make_dev_cards
from gateway.cli.nouns import NOUNS
from gateway.errors import StartError
from gateway.state_files import ASSERTION_KEY_FILE, AT_REST_KEY_FILE, LEDGER_KEY_FILE, PSEUDONYM_KEY_FILE
from gateway.whole_file import appearing

if TYPE_CHECKING:
    import argparse

_LIFE = timedelta(days=90)
_CLOCK_SLACK = timedelta(minutes=5)
_LABEL = r"(?!-)[a-z0-9-]{1,63}(?<!-)"
_HOST = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*")
_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class DevCertificates:
    """Where the files lie: authority to trust, chain and private key for the listener."""

    authority: Path
    chain: Path
    key: Path


@dataclass(frozen=True, slots=True)
class GatewayKeys:
    """Where the gateway's own keys lie, and which of them were made just now (the others stood already)."""

    assertion: Path
    at_rest: Path
    pseudonym: Path
    ledger: Path
    made: tuple[Path, ...]


def make_dev_authority(folder: Path, name: str, at: datetime, *, renew: bool = False) -> DevCertificates:
    """Make `authority.pem`, `server.pem` (chain) and `server.key` in `folder`, good for 90 days from `at`.

    StartError when `name` is no host name, when a file stands there and `renew` is False, or when it cannot be written.
    """
    if not _HOST.fullmatch(name):
        raise StartError(
            f"--name: found {name!a}; expected a host name in lower case such as localhost or gateway.test"
        )
    files = DevCertificates(folder / "authority.pem", folder / "server.pem", folder / "server.key")
    standing = [str(file) for file in (files.authority, files.chain, files.key) if os.path.lexists(file)]
    if standing and not renew:
        raise StartError(f"found {', '.join(standing)}; expected none of them; add --renew to replace all three")
    authority_key, server_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority = _authority(authority_key, name, at)
    server = _server(server_key, authority, authority_key, name, at)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _replace(files.key, _private_pem(server_key), 0o600)
        _replace(files.chain, server.public_bytes(Encoding.PEM) + authority.public_bytes(Encoding.PEM), 0o644)
        _replace(files.authority, authority.public_bytes(Encoding.PEM), 0o644)
    except OSError as fault:
        raise _unwritable(folder, fault) from None
    return files


def make_keys(folder: Path) -> GatewayKeys:
    """Make what is missing of the gateway's own keys in `folder` (0700); never overwrite one.

    StartError when the folder or a file cannot be written.
    """
    names = (ASSERTION_KEY_FILE, AT_REST_KEY_FILE, PSEUDONYM_KEY_FILE, LEDGER_KEY_FILE)
    assertion, at_rest, pseudonym, ledger = (folder / name for name in names)
    contents = (
        (assertion, _private_pem(ec.generate_private_key(ec.SECP256R1()))),
        (at_rest, secrets.token_hex(_KEY_BYTES).encode() + b"\n"),
        (pseudonym, secrets.token_hex(_KEY_BYTES).encode() + b"\n"),
        (ledger, secrets.token_hex(_KEY_BYTES).encode() + b"\n"),
    )
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = tuple(path for path, content in contents if _create(path, content))
    except OSError as fault:
        raise _unwritable(folder, fault) from None
    return GatewayKeys(assertion, at_rest, pseudonym, ledger, made)


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `certs` with `dev` and `keys`; each sets `run`: the parsed arguments in, the exit code out."""
    parser = subparsers.add_parser("certs", help=NOUNS["certs"])
    commands = parser.add_subparsers(dest="certs_command", required=True, metavar="COMMAND")
    dev = commands.add_parser("dev", help="make a throw-away authority and a server certificate (90 days)")
    dev.add_argument("--dir", type=Path, default=Path("certs/dev"), help="folder for the files (default: %(default)s)")
    dev.add_argument("--name", default="localhost", help="host name of the certificate (default: %(default)s)")
    dev.add_argument("--renew", action="store_true", help="replace the files that stand there")
    dev.set_defaults(run=_run_dev)
    keys = commands.add_parser("keys", help="make the gateway's own keys; those that stand are kept")
    keys.add_argument("--dir", type=Path, required=True, help="folder for the keys, readable by the gateway alone")
    keys.set_defaults(run=_run_keys)


def _run_dev(arguments: argparse.Namespace) -> int:
    at = datetime.now(UTC)
    files = make_dev_authority(arguments.dir, arguments.name, at, renew=arguments.renew)
    make_dev_cards(arguments.dir / CARDS_FOLDER, at)
    print(f"Made {files.authority}, {files.chain} and {files.key}, good for {_LIFE.days} days.")
    print(
        f"To trust it: curl --cacert {files.authority} …, or import {files.authority} as an authority in the browser."
    )
    print(f"Made {arguments.dir / CARDS_FOLDER}: test authorities, and cards for browsers (passphrase {PASSPHRASE}).")
    return 0


def _run_keys(arguments: argparse.Namespace) -> int:
    keys = make_keys(arguments.dir)
    for file in (keys.assertion, keys.at_rest, keys.pseudonym, keys.ledger):
        print(f"{'made' if file in keys.made else 'kept'} {file}")
    return 0


def _authority(key: ec.EllipticCurvePrivateKey, name: str, at: datetime) -> x509.Certificate:
    subject = x509.Name(
        [x509.NameAttribute(NameOID.COMMON_NAME, f"Herse development authority {secrets.token_hex(4)}")]
    )
    permitted: list[x509.GeneralName] = [x509.DNSName(host) for host in sorted({name, "localhost"})]
    permitted += [x509.IPAddress(IPv4Network("127.0.0.1/32")), x509.IPAddress(IPv6Network("::1/128"))]
    return (
        _builder(subject, subject, key.public_key(), at)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.NameConstraints(permitted_subtrees=permitted, excluded_subtrees=None), critical=True)
        .sign(key, hashes.SHA256())
    )


def _server(
    key: ec.EllipticCurvePrivateKey,
    authority: x509.Certificate,
    authority_key: ec.EllipticCurvePrivateKey,
    name: str,
    at: datetime,
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])
    hosts: list[x509.GeneralName] = [x509.DNSName(host) for host in sorted({name, "localhost"})]
    hosts += [x509.IPAddress(IPv4Address("127.0.0.1")), x509.IPAddress(IPv6Address("::1"))]
    issuer_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
    return (
        _builder(subject, authority.subject, key.public_key(), at)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(hosts), critical=False)
        .add_extension(issuer_id, critical=False)
        .sign(authority_key, hashes.SHA256())
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, at: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - _CLOCK_SLACK)
        .not_valid_after(at + _LIFE)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _replace(path: Path, content: bytes, mode: int) -> None:
    """By a whole, synced file beside `path`, so that no half of a key ever stands under its name."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(file.fileno(), mode)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def _create(path: Path, content: bytes) -> bool:
    """Make `path`, 0600, unless something stands there."""
    try:
        with appearing(path) as draft:
            draft.write_bytes(content)
    except FileExistsError:
        return False
    return True


def _unwritable(folder: Path, fault: OSError) -> StartError:
    return StartError(
        f"{folder}: {fault.strerror}; expected a folder this user may write to; choose another with --dir"
    )
