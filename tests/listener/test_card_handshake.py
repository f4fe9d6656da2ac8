# SPDX-License-Identifier: EUPL-1.2
"""Handshakes that OpenSSL ends because of a certificate: the alert, the log, the reason for whoever waits."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from identity.bad_cards import bad_cards, make_world
from identity.card_world import POOL, Keys

from gateway.demo.card_pki import STRONG, make_card_pki
from gateway.model import Reason
from support.card_host import RunningCardHost, pem_file
from support.servers import LOOPBACK, wait_until

WORLD = make_world()
TABLE = bad_cards(WORLD)


@pytest.fixture(scope="module")
def host(tmp_path_factory):
    with RunningCardHost(tmp_path_factory.mktemp("host"), WORLD.trust(), WORLD.lists()) as running:
        running.at = WORLD.at
        yield running


def shown(folder, der):
    return pem_file(folder / "card.pem", x509.load_der_x509_certificate(der), WORLD.key)


def noted(host):
    """The reason kept for browsers of this address."""
    wait_until("noted", lambda: host.tickets.failed_since(LOOPBACK, WORLD.at))
    return host.tickets.failed_since(LOOPBACK, WORLD.at)


@pytest.fixture(autouse=True)
def forgotten(host):
    host.tickets._failures.clear()


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("authority of the same name, other key", 20),
        ("self-issued, subject and issuer equal", 18),
        ("unknown critical extension", 34),
        ("only for mail", 26),
        ("server certificate", 20),
    ],
)
def test_it_gets_an_alert_and_leaves_our_own_reason_for_the_waiting_page(host, tmp_path, name, code, caplog):
    with caplog.at_level("WARNING", logger="gateway.listener.card_host"):
        came = host.present(shown(tmp_path, TABLE[name].certificate))
        assert noted(host) is TABLE[name].reason
    assert came.status is None
    assert "alert" in came.said, "the browser learns that the certificate was the fault"
    (line,) = [record for record in caplog.records if record.message == "card-handshake-failed"]
    assert (line.verify_code, line.reason, line.peer) == (code, TABLE[name].reason, LOOPBACK)
    assert line.verify_message


def test_the_first_certificate_of_a_chain_is_the_one_that_is_judged(host, tmp_path):
    """OpenSSL says the same of both: 20, issuer unknown."""
    card = shown(tmp_path, TABLE["server certificate"].certificate)
    other = make_card_pki(WORLD.at, key=Keys(POOL)).people(STRONG).certificate
    with card.open("ab") as file:
        file.write(other.public_bytes(Encoding.PEM))
    assert host.present(card).status is None
    assert noted(host) is Reason.CARD_NOT_FOR_SIGN_IN


def test_where_our_judge_has_nothing_against_it_or_breaks_no_reason_is_made_up(host, tmp_path):
    foreign = shown(tmp_path, TABLE["authority of the same name, other key"].certificate)
    other = make_card_pki(WORLD.at, key=Keys(POOL))
    good = replace(WORLD, pki=other)
    for failed, trust, lists in (
        (RuntimeError("a parser's fault"), WORLD.trust(), WORLD.lists()),
        (None, other.trust(), good.lists()),
    ):
        host.failed, host.trust, host.lists = failed, trust, lists
        try:
            assert host.present(foreign).status is None
            assert noted(host) is Reason.CARD_HANDSHAKE_FAILED
        finally:
            host.failed, host.trust, host.lists = None, WORLD.trust(), WORLD.lists()
        host.tickets._failures.clear()
