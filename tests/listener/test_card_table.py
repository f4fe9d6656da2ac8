# SPDX-License-Identifier: EUPL-1.2
"""Every bad card of the table, presented to the real listener."""

from __future__ import annotations

from cryptography import x509
from identity.bad_cards import bad_cards, make_world

from gateway.model import Reason
from support.card_host import RunningCardHost, pem_file
from support.servers import LOOPBACK, wait_until


def test_D3_E3_each_bad_card_of_the_table_is_refused_with_its_own_reason(tmp_path_factory):
    """Also those that OpenSSL ends the handshake for: there the reason is the one kept for the waiting page."""
    world = make_world()
    folder = tmp_path_factory.mktemp("bad")
    came, expected, stopped = {}, {}, set()
    with RunningCardHost(folder / "host", world.trust(), world.lists()) as host:
        host.at = world.at
        for name, bad in bad_cards(world).items():
            certificate = presentable(bad.certificate, world.key)
            if certificate is None or (bad.chain and name.startswith("chain ")):
                continue  # no client can show it, or it is about a chain, of which TLS gives us nothing
            host.trust, host.lists = bad.trust, bad.lists
            expected[name] = bad.reason
            ended, came[name] = what_came(host, pem_file(folder / "bad.pem", certificate, world.key))
            stopped |= {name} if ended else set()
    assert came == expected
    assert {expected[name] for name in stopped} == {Reason.CARD_NOT_TRUSTED, Reason.CARD_NOT_FOR_SIGN_IN}
    assert {came[name] for name in set(came) - stopped} == set(expected.values()), "each is met past the handshake too"


def presentable(der, key):
    """A client of TLS can present this: it is a certificate, for the key we have."""
    try:
        certificate = x509.load_der_x509_certificate(der)
    except ValueError:
        return None
    return certificate if certificate.public_key() == key.public_key() else None


def what_came(host, certificate):
    """Whether the handshake was ended, and the reason."""
    host.tickets._failures.clear()
    secret = host.waiting()
    presented = host.present(certificate, secret)
    if presented.status is not None:
        return False, host.redeem(presented, secret).outcome
    assert "alert" in presented.said, presented.said
    wait_until("noted", lambda: host.tickets.failed_since(LOOPBACK, host.at))
    return True, host.tickets.failed_since(LOOPBACK, host.at)
