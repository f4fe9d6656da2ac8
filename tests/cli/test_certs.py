# SPDX-License-Identifier: EUPL-1.2
"""`herse certs`: a chain that verifies and is good for nothing else, keys with narrow modes, nothing overwritten."""

from __future__ import annotations

import argparse
import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from gateway.cli.certs import add_parser, make_dev_authority, make_keys
from gateway.errors import StartError

AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def loaded(files) -> tuple[x509.Certificate, x509.Certificate]:
    server, authority = x509.load_pem_x509_certificates(files.chain.read_bytes())
    assert x509.load_pem_x509_certificate(files.authority.read_bytes()) == authority
    return server, authority


def verify(files, subject: x509.GeneralName, at: datetime = AT, server: x509.Certificate | None = None) -> None:
    own, authority = loaded(files)
    verifier = PolicyBuilder().store(Store([authority])).time(at).build_server_verifier(subject)
    verifier.verify(server or own, [])


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers())
    chosen = parser.parse_args(["certs", *words])
    return chosen.run(chosen)


SUBJECTS = [
    x509.DNSName("localhost"),
    x509.DNSName("gateway.test"),
    x509.IPAddress(IPv4Address("127.0.0.1")),
    x509.IPAddress(IPv6Address("::1")),
]


@pytest.mark.parametrize("subject", SUBJECTS, ids=str)
def test_the_chain_verifies_for_its_names(subject, tmp_path):
    verify(make_dev_authority(tmp_path, "gateway.test", AT), subject)


def test_it_verifies_for_nothing_else(tmp_path):
    files = make_dev_authority(tmp_path, "localhost", AT)
    for subject in (x509.DNSName("gateway.test"), x509.IPAddress(IPv4Address("127.0.0.2"))):
        with pytest.raises(VerificationError):
            verify(files, subject)
    verify(files, SUBJECTS[0], AT + timedelta(days=89))
    for at in (AT + timedelta(days=91), AT - timedelta(minutes=10)):
        with pytest.raises(VerificationError):
            verify(files, SUBJECTS[0], at)


def test_it_does_not_verify_under_another_authority(tmp_path):
    files, other = (make_dev_authority(tmp_path / name, "localhost", AT) for name in "ab")
    with pytest.raises(VerificationError):
        verify(files, SUBJECTS[0], server=loaded(other)[0])


def test_what_the_certificates_may_be_used_for(tmp_path):
    server, authority = loaded(make_dev_authority(tmp_path, "localhost", AT))
    usage = server.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [x509.oid.ExtendedKeyUsageOID.SERVER_AUTH]
    assert not server.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert server.not_valid_after_utc - AT == timedelta(days=90)
    constraints = authority.extensions.get_extension_for_class(x509.NameConstraints)
    assert constraints.critical
    assert {str(one.value) for one in constraints.value.permitted_subtrees} == {"localhost", "127.0.0.1/32", "::1/128"}
    assert isinstance(authority.public_key().curve, ec.SECP256R1)


def test_the_authoritys_own_key_is_nowhere(tmp_path):
    files = make_dev_authority(tmp_path, "localhost", AT)
    assert {path.name for path in tmp_path.iterdir()} == {"authority.pem", "server.pem", "server.key"}
    private = load_pem_private_key(files.key.read_bytes(), None)
    server, authority = loaded(files)
    assert private.public_key() == server.public_key() != authority.public_key()


def test_modes(tmp_path):
    files, keys = make_dev_authority(tmp_path / "dev", "localhost", AT), make_keys(tmp_path / "keys")
    for path in (files.key, keys.assertion, keys.at_rest, keys.pseudonym):
        assert path.stat().st_mode & 0o777 == 0o600, path
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o700


def test_certificates_are_replaced_only_when_told(tmp_path):
    files = make_dev_authority(tmp_path, "localhost", AT)
    before = files.chain.read_bytes()
    with pytest.raises(StartError, match="--renew"):
        make_dev_authority(tmp_path, "localhost", AT)
    files.key.unlink()
    with pytest.raises(StartError, match=r"authority\.pem"):
        make_dev_authority(tmp_path, "localhost", AT)
    assert files.chain.read_bytes() == before
    make_dev_authority(tmp_path, "localhost", AT, renew=True)
    assert files.chain.read_bytes() != before
    verify(files, SUBJECTS[0])


@pytest.mark.parametrize("name", ["", "*", "*.test", "Local", "a b", "-a", "a.", "127.0.0.1\n", "é", "a" * 64, "a/b"])
def test_names_that_are_no_host_names(name, tmp_path):
    with pytest.raises(StartError, match="host name"):
        make_dev_authority(tmp_path, name, AT)


def test_keys_are_made_once_and_never_again(tmp_path):
    keys = make_keys(tmp_path)
    assert keys.made == (keys.assertion, keys.at_rest, keys.pseudonym, keys.ledger)
    assert isinstance(load_pem_private_key(keys.assertion.read_bytes(), None).curve, ec.SECP256R1)
    texts = [path.read_text() for path in (keys.at_rest, keys.pseudonym, keys.ledger)]
    assert all(text.endswith("\n") and len(bytes.fromhex(text)) == 32 for text in texts)
    assert len(set(texts)) == 3
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    assert make_keys(tmp_path).made == ()
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before
    keys.pseudonym.unlink()
    keys.pseudonym.symlink_to(tmp_path / "elsewhere")  # a dangling link is not written through either
    assert make_keys(tmp_path).made == ()
    assert not (tmp_path / "elsewhere").exists()


def test_many_at_once_make_one_set_of_keys(tmp_path):
    made, gate = [], threading.Barrier(8)

    def work() -> None:
        gate.wait()
        made.extend(make_keys(tmp_path).made)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(path.name for path in made) == ["assertion.pem", "at-rest.key", "ledger.key", "pseudonym.key"]
    assert len(list(tmp_path.iterdir())) == 4


def test_a_folder_that_is_a_file(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StartError, match="--dir"):
        make_keys(tmp_path / "file")
    with pytest.raises(StartError, match="--dir"):
        make_dev_authority(tmp_path / "file", "localhost", AT)


def test_the_commands(tmp_path, capsys):
    dev, keys = tmp_path / "dev", tmp_path / "keys"
    assert run("dev", "--dir", str(dev), "--name", "gateway.test") == 0
    assert f"curl --cacert {dev / 'authority.pem'}" in capsys.readouterr().out
    assert run("dev", "--dir", str(dev), "--renew") == 0
    capsys.readouterr()
    assert run("keys", "--dir", str(keys)) == run("keys", "--dir", str(keys)) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["made"] * 4 + ["kept"] * 4
    secrets = [(keys / name).read_text().strip() for name in ("at-rest.key", "pseudonym.key", "ledger.key")]
    assert not any(secret in line for secret in secrets for line in lines)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_real_handshake(version, tmp_path):
    files = make_dev_authority(tmp_path, "localhost", datetime.now(UTC))
    listening = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    listening.load_cert_chain(files.chain, files.key)
    asking = ssl.create_default_context(cafile=files.authority)
    asking.verify_flags |= ssl.VERIFY_X509_STRICT
    asking.minimum_version = asking.maximum_version = version
    near, far = socket.socketpair()
    near.settimeout(10)
    far.settimeout(10)
    said = []

    def serve() -> None:
        with listening.wrap_socket(far, server_side=True) as link:
            said.append(link.version())
            link.sendall(b"x")

    thread = threading.Thread(target=serve)
    thread.start()
    with asking.wrap_socket(near, server_hostname="127.0.0.1") as link:
        assert link.recv(1) == b"x"
    thread.join()
    assert said == [version.name.replace("v1_", "v1.")]
