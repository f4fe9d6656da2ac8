# SPDX-License-Identifier: EUPL-1.2
"""E3, E4: the bad certificates that matter most, by handshake and by both forms of the field, each with its own reason.

A handshake that OpenSSL ends gives no ticket: there the reason is the one kept for the waiting page.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from cryptography import x509
from identity.bad_cards import CPS, bad_cards, der, make_world
from identity.card_world import POOL, Keys
from portal.card_door import BRANCH, CARD, PHARMACY, open_card_door
from portal.world import World

from gateway.demo.card_pki import make_card_pki
from gateway.identity.tickets import state_of
from gateway.listener.card_header import CLIENT_CERT, Fronted
from gateway.model import EventKind, Reason
from gateway.portal.app import build_portal
from gateway.portal.doors import CardDesk
from gateway.settings_card import NGINX_FIELD
from support.card_host import RunningCardHost, byte_sequence, escaped_pem, pem_file
from support.servers import LOOPBACK, wait_until

WORLD = make_world()
TABLE = bad_cards(WORLD)
ROWS = {
    "wrong chain": ("authority of the same name, other key", Reason.CARD_NOT_TRUSTED),
    "expired": ("expired", Reason.CARD_EXPIRED),
    "not yet valid": ("not yet valid", Reason.CARD_NOT_YET_VALID),
    "revoked by CRL": ("revoked by the list", Reason.CARD_REVOKED),
    "revoked by OCSP": ("revoked by OCSP", Reason.CARD_REVOKED),
    "CRL stale": ("list past its end", Reason.CARD_REVOCATION_STALE),
    "CRL rolled back": ("revoked, then an older list", Reason.CARD_REVOKED),
    "CRL unsigned": ("only a forged list", Reason.CARD_REVOCATION_STALE),
    "signature-only card": ("signature certificate", Reason.CARD_NOT_FOR_SIGN_IN),
    "test card in production": ("test card in production", Reason.CARD_TEST_NOT_ALLOWED),
    "server certificate": ("server certificate", Reason.CARD_NOT_FOR_SIGN_IN),
    "NUL in name": ("NUL in the family name", Reason.CARD_IDENTITY_INVALID),
    "repeated CN": ("common name repeated in the RDN", Reason.CARD_IDENTITY_INVALID),
}
PEER = frozenset({LOOPBACK})
FRONTS = {"handshake": None, "rfc 9440": Fronted(PEER, None, None), "nginx": Fronted(PEER, NGINX_FIELD, None)}
FIELDS = {"rfc 9440": (CLIENT_CERT, byte_sequence), "nginx": (NGINX_FIELD, escaped_pem)}


@pytest.fixture(scope="module")
def hosts(tmp_path_factory):
    """One host for each way; that of the handshake trusts what a production gateway would, where it is one."""
    made = {}
    production = make_card_pki(WORLD.at, key=Keys(POOL)).trust(sandbox=False)
    for name, front, trust in (
        *((way, front, WORLD.trust()) for way, front in FRONTS.items()),
        ("production", None, production),
    ):
        made[name] = RunningCardHost(tmp_path_factory.mktemp("host"), trust, WORLD.lists(), front=front)
        made[name].at = WORLD.at
        made[name].__enter__()
    yield made
    for host in made.values():
        host.__exit__(None, None, None)


@pytest.fixture
def present(hosts, tmp_path):
    """Present a certificate this way; gives the host and what came of it."""

    def act(way, certificate, secret, production=False):
        host = hosts["production" if production and way == "handshake" else way]
        secret = secret or host.waiting()
        if way == "handshake":
            shown = pem_file(tmp_path / "card.pem", x509.load_der_x509_certificate(certificate), WORLD.key)
            return host, secret, host.present(shown, secret)
        field, form = FIELDS[way]
        return host, secret, host.ask(secret, (field, form(certificate)))

    return act


@pytest.mark.parametrize("way", FRONTS)
@pytest.mark.parametrize("row", ROWS)
def test_E3_E4_each_bad_certificate_is_refused_with_its_own_reason(hosts, present, row, way):
    name, reason = ROWS[row]
    bad = TABLE[name]
    assert bad.reason is reason
    for host in hosts.values():
        host.trust, host.lists = bad.trust, bad.lists
        host.tickets._failures.clear()
    host, secret, came = present(way, bad.certificate, None, production=row == "test card in production")
    if came.status is None:
        assert "alert" in came.said
        wait_until("noted", lambda: host.tickets.failed_since(LOOPBACK, WORLD.at))
        assert host.tickets.failed_since(LOOPBACK, WORLD.at) is reason
        assert host.tickets.find(secret, WORLD.at).ticket is None
    else:
        assert host.redeem(came, secret).outcome is reason


@pytest.mark.parametrize("way", FRONTS)
def test_P1_the_card_of_another_holder_is_read_and_changes_nothing(hosts, present, tmp_path, way):
    host = hosts[way]
    host.trust, host.lists = WORLD.trust(), WORLD.lists()
    with asyncio.Runner() as runner:
        world = World(tmp_path, runner)
        world.now = WORLD.at
        world.add(PHARMACY)
        open_card_door(world)
        world.doors = replace(world.doors, card=CardDesk(host.tickets, host.origin))
        world.app = build_portal(world.doors)
        browser = world.browser()
        browser.sign_in()
        browser.post(CARD)
        secret = browser.client.cookies.get("__Host-herse-card")
        assert host.tickets.find(secret, WORLD.at), state_of(secret)
        _, _, came = present(way, der(WORLD.good(CPS)), secret)
        answer = browser.get(came.location.removeprefix("https://localhost:8443"))
        assert (answer.status_code, browser.json(CARD, {}).status_code) == (403, 200)
        event = next(one for one in world.events() if one.kind is EventKind.STEP_UP_FAILED)
        assert event.reason == Reason.CARD_OF_ANOTHER
        assert world.events(BRANCH) == []
        world.close()
