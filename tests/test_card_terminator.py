# SPDX-License-Identifier: EUPL-1.2
"""The settings of a TLS terminator before the card host: contradictions stop the start, and the rest serves."""

from __future__ import annotations

import ssl
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12

from gateway.cli.card_certs import PASSPHRASE, make_dev_cards
from gateway.errors import ConfigurationError
from gateway.settings import parse_settings
from support.card_host import byte_sequence, escaped_pem
from support.house import House
from support.servers import LOOPBACK, accepts, free_port, wait_until
from support.settings_file import LEAST

BASE = f'{LEAST}[card]\norigin = "https://carte.portail.example"\nauthorities = "cards"\n'
CERTIFICATE = 'certificate = "a.pem"\nkey = "a.key"\n'
HERE, THERE = 'terminator = ["127.0.0.1", "::1"]\n', 'terminator = ["192.0.2.10"]\n'
RFC, NGINX = 'terminator_form = "client-cert"\n', 'terminator_form = "nginx"\n'
FIELD, AUTHORITY = 'terminator_field = "X-Card"\n', 'terminator_authority = "hop.pem"\n'
OUTSIDE = 'listen = "192.0.2.20:8444"\n'


def card(*lines):
    return parse_settings(BASE + "".join(lines), "herse.toml", Path("etc")).card


def test_the_ways_that_there_are():
    assert card(CERTIFICATE).field is None
    assert card(HERE, RFC).field is None
    assert card(HERE, NGINX).field == "X-SSL-Client-Cert"
    assert card(HERE, NGINX, FIELD).field == "X-Card"
    assert card(HERE, NGINX, CERTIFICATE, AUTHORITY).terminator_authority == Path("etc/hop.pem")
    assert card(THERE, RFC, OUTSIDE, CERTIFICATE, AUTHORITY).terminator == ["192.0.2.10"]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ((), "certificate and key"),
        (('certificate = "a.pem"\n',), "certificate and key"),
        ((CERTIFICATE, RFC), "terminator, the addresses"),
        ((CERTIFICATE, FIELD), "terminator, the addresses"),
        ((CERTIFICATE, AUTHORITY), "terminator, the addresses"),
        ((HERE,), "terminator_form"),
        ((HERE, RFC, FIELD), "Client-Cert"),
        ((THERE, RFC), "this machine"),
        (('terminator = ["127.0.0.1", "192.0.2.10"]\n', RFC), "this machine"),
        ((HERE, RFC, CERTIFICATE), "all, or none"),
        ((HERE, RFC, AUTHORITY), "all, or none"),
        ((HERE, RFC, OUTSIDE), "not a loopback"),
        ((HERE, RFC, 'listen = "0.0.0.0:8444"\n'), "not a loopback"),
        ((THERE, RFC, OUTSIDE, CERTIFICATE), "not a loopback"),
        ((THERE, RFC, OUTSIDE, AUTHORITY), "not a loopback"),
        (('terminator = ["192.0.2.0/24"]\n', RFC), "single machines"),
        (('terminator = ["nginx.internal"]\n', RFC), "single machines"),
        (('terminator = ["0.0.0.0"]\n', RFC), "single machines"),
        (('terminator = ["::"]\n', RFC), "single machines"),
        (('terminator = ["::ffff:127.0.0.1"]\n', RFC), "single machines"),
        (('terminator = ["0:0:0:0:0:0:0:1"]\n', RFC), "single machines"),
        (('terminator = ["127.1"]\n', RFC), "single machines"),
        (('terminator = "127.0.0.1"\n', RFC), "list"),
        ((HERE, 'terminator_form = "envoy"\n'), "client-cert"),
        ((HERE, NGINX, 'terminator_field = "X_Card"\n'), "pattern"),
        ((HERE, NGINX, 'terminator_field = "X-Card:"\n'), "pattern"),
        ((HERE, NGINX, 'terminator_field = "Host"\n'), "of its own"),
        ((HERE, NGINX, 'terminator_field = "client-cert"\n'), "of its own"),
    ],
)
def test_promise_10_contradictions_stop_the_start(lines, said):
    with pytest.raises(ConfigurationError, match=said):
        card(*lines)


@pytest.mark.system
@pytest.mark.parametrize("form", ["client-cert", "nginx"])
def test_a_whole_gateway_behind_a_terminator_of_its_machine(tmp_path, form):
    dev, port = make_dev_cards(tmp_path / "cards", datetime.now(UTC)), free_port()
    section = {
        "origin": "https://carte.localhost",
        "listen": f"{LOOPBACK}:{port}",
        "terminator": [LOOPBACK],
        "terminator_form": form,
        "authorities": str(dev.authorities),
        "sandbox": True,
        "crl_files": [str(path) for path in dev.lists],
    }
    house = House(tmp_path / "h", "http://127.0.0.1:9", tls=True, settings={"card": section})
    found = load_pkcs12(dev.cards["810000000009"].read_bytes(), PASSPHRASE.encode()).cert
    der = found.certificate.public_bytes(Encoding.DER)
    field = ("Client-Cert", byte_sequence(der)) if form == "client-cert" else ("X-SSL-Client-Cert", escaped_pem(der))
    with house.serve() as process:
        wait_until("the card host", accepts(port))
        command = ["curl", "-sS", "--noproxy", "*", "-H", "Host: carte.localhost", "-w", "%{http_code} %{redirect_url}"]
        command += ["-H", f"{field[0]}: {field[1].decode()}", f"http://{LOOPBACK}:{port}/card?state={'x' * 43}"]
        asked = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        assert asked == f"303 {house.origin}/.herse/card/back"
        other = subprocess.run(
            [*command, "--interface", "127.0.0.2"], capture_output=True, text=True, check=True
        ).stdout
        assert other.endswith("421 ")
        assert process.stop() == 0
        log = process.log.read_text()
    assert f'"terminator": "{LOOPBACK}"' in log
    assert '"fault": "not_the_terminator"' in log
    assert "failed" not in log
    assert ssl.DER_cert_to_PEM_cert(der)[30:90] not in log
