# SPDX-License-Identifier: EUPL-1.2
"""The section `[card]` in a whole gateway: what keeps it from starting, and two listeners that one signal ends."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from gateway.cli.card_certs import PASSPHRASE, make_dev_cards
from gateway.demo.card_pki import STRONG, make_card_pki
from gateway.demo.card_responder import make_list
from gateway.errors import ConfigurationError
from gateway.settings import parse_settings
from support.house import House
from support.servers import LOOPBACK, accepts, deaf_port, free_port, wait_until
from support.settings_file import LEAST, NOBODY, card_section

pytestmark = pytest.mark.system

NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def dev(tmp_path_factory):
    return make_dev_cards(tmp_path_factory.mktemp("cards"), NOW)


@pytest.fixture
def house(tmp_path, dev):
    """Make a house with a card listener; `more` settings of its section."""

    def make(**more):
        port = more.pop("port", None) or free_port()
        card = card_section(dev, port) | more
        return House(tmp_path / "h", NOBODY, tls=True, settings={"card": card}), port

    return make


def test_two_listeners_are_ended_by_one_signal(house, dev, tmp_path):
    made, port = house()
    claire = tmp_path / "claire.pem"
    words = ["openssl", "pkcs12", "-in", dev.cards["810000000009"], "-passin", f"pass:{PASSPHRASE}", "-nodes"]
    subprocess.run([*words, "-out", claire], check=True, capture_output=True)
    with made.serve() as process:
        wait_until("the card host", accepts(port))
        command = ["curl", "-sS", "--cacert", made.authority, "--cert", claire, "-w", "%{redirect_url}"]
        came = subprocess.run(
            [*command, f"https://localhost:{port}/card?state={'x' * 43}"], capture_output=True, text=True, check=True
        )
        assert came.stdout == f"{made.origin}/.herse/card/back"
        assert process.stop() == 0
        assert not accepts(port)()
        log = process.log.read_text()
    assert '"event": "serving-cards"' in log
    assert "failed" not in log


def other_authority(folder):
    (folder / "authorities").mkdir()
    (folder / "authorities" / "fingerprints.txt").write_text("")
    certificate = make_card_pki(NOW).root(STRONG).certificate
    (folder / "authorities" / "other.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    return str(folder / "authorities")


def rubbish(folder):
    (folder / "rubbish").write_text("rubbish")
    return str(folder / "rubbish")


def foreign_list(folder):
    (folder / "foreign.crl").write_bytes(make_list(make_card_pki(NOW).root(STRONG), NOW))
    return [str(folder / "foreign.crl")]


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("authorities", lambda folder: str(folder / "nowhere"), "authorities"),
        ("authorities", other_authority, "fingerprint"),
        ("sandbox", lambda _: False, "test authority"),
        ("certificate", lambda folder: str(folder / "nowhere"), "PEM"),
        ("key", rubbish, "private key"),
        ("crl_files", lambda folder: [str(folder / "nowhere")], "revocation list"),
        ("crl_files", foreign_list, "signature-wrong"),
    ],
)
def test_D3_what_cannot_be_believed_stops_the_start(house, tmp_path, key, value, said):
    code, told = house(**{key: value(tmp_path)})[0].fails_to_start()
    assert code == 2
    assert said in told
    assert len(told.splitlines()) == 1


def test_a_port_in_use_stops_the_start(house):
    with deaf_port() as port:
        code, told = house(port=port)[0].fails_to_start()
    assert code == 2
    assert f"{LOOPBACK}:{port}" in told


def test_a_list_that_a_newer_one_was_kept_for_is_no_fault(house, dev, tmp_path):
    pki = make_card_pki(NOW)
    made, _ = house()
    kept = made.folder / "state" / "revocation"
    kept.mkdir()
    (kept / "rubbish.crl").write_bytes(make_list(pki.root(STRONG), NOW + timedelta(days=1)))
    with made.serve() as process:
        log = process.log.read_text()
    assert "revocation-list-not-restored" in log


GOOD = {
    "origin": '"https://carte.portail.example"',
    "certificate": '"a.pem"',
    "key": '"a.key"',
    "authorities": '"cards"',
}


def settings(**more):
    lines = "\n".join(f"{key} = {value}" for key, value in (GOOD | more).items())
    return parse_settings(f"{LEAST}[card]\n{lines}", "herse.toml", Path("etc"))


def test_paths_are_read_from_the_folder_of_the_file():
    card = settings(crl_files='["a.crl"]', grace_hours="24").card
    assert (card.authorities, card.key, card.crl_files) == (Path("etc/cards"), Path("etc/a.key"), [Path("etc/a.crl")])
    assert card.grace == timedelta(hours=24)
    assert card.listen == "127.0.0.1:8444"


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("origin", '"http://carte.portail.example"'),
        ("origin", '"https://carte.portail.example/"'),
        ("origin", '"https://Carte.portail.example"'),
        ("origin", '"https://carte.portail.example?x"'),
        ("listen", '"localhost:8444"'),
        ("listen", '"127.0.0.1:0"'),
        ("listen", '"127.0.0.1"'),
        ("sandbox", '"yes"'),
        ("grace_hours", "49"),
        ("grace_hours", "-1"),
        ("crl_urls", '["file:///etc/passwd"]'),
        ("crl_urls", '["ldap://annuaire.example/x"]'),
        ("ocsp_url", '"ocsp.example"'),
        ("unknown", "1"),
    ],
)
def test_a_wrong_value_is_told_with_its_key(key, value):
    with pytest.raises(ConfigurationError, match=rf"card\.{key}"):
        settings(**{key: value})
