# SPDX-License-Identifier: EUPL-1.2
"""Attempts per network, in all and per account: exact under races, keys that cannot meet (faults 0.3, I5)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from gateway.errors import Refused
from gateway.identity.network import network_prefix
from gateway.identity.throttle import PER_ACCOUNT, Throttle
from gateway.model import Reason


def taken(throttle, account, network):
    try:
        throttle.hit(account, network)
    except Refused as refused:
        refusal = refused
    else:
        return True
    assert refusal.reason is Reason.THROTTLED
    assert 1 <= refusal.retry_after_seconds <= 15 * 60
    return False


def test_the_defaults():
    throttle = Throttle()
    assert sum(taken(throttle, "A", "192.0.2.1") for _ in range(100)) == PER_ACCOUNT
    assert sum(taken(throttle, f"B{number}", "192.0.3.1") for number in range(100)) == 60


def test_I5_the_limit_of_an_account_holds_from_a_thousand_addresses():
    throttle = Throttle()
    addresses = [f"10.{number >> 8}.{number & 255}.1" for number in range(1000)]
    assert sum(taken(throttle, "A", address) for address in addresses) == PER_ACCOUNT


def test_I5_a_neighbourhood_is_one_network():
    throttle = Throttle()
    assert sum(taken(throttle, f"A{number}", f"192.0.2.{number}") for number in range(100)) == 60
    assert sum(taken(throttle, f"B{number}", f"2001:db8:1:{number:x}::1") for number in range(100)) == 60
    assert taken(throttle, "C", "192.0.3.1")


def test_all_together_are_limited():
    throttle = Throttle(per_minute_in_all=30)
    assert sum(taken(throttle, f"A{number}", f"10.0.{number}.1") for number in range(100)) == 30


def test_what_one_network_has_too_many_costs_the_others_nothing():
    throttle = Throttle(per_network=5, per_minute_in_all=20)
    assert sum(taken(throttle, "A", "192.0.2.1") for _ in range(100)) == 5
    assert sum(taken(throttle, f"B{number}", f"10.0.{number}.1") for number in range(100)) == 15


@pytest.mark.parametrize(("one", "other"), [("a/b", "a"), ("pwd/A", "otp/A"), ("a/1", "a"), ("é", "e"), ("", "/")])
def test_keys_never_meet(one, other):
    """Fault 0.3: `limits` joins the parts of a key with a slash."""
    throttle = Throttle(per_account=1)
    assert taken(throttle, one, "192.0.2.1")
    assert taken(throttle, other, "192.0.2.1")
    assert not taken(throttle, one, "192.0.2.1")


def test_I5_a_race_lets_exactly_the_limit_through():
    throttle = Throttle()
    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(lambda number: taken(throttle, "A", f"10.0.{number}.1"), range(200))) == PER_ACCOUNT


def test_keys_without_attempts_are_forgotten():
    throttle = Throttle(per_network=10_000, per_minute_in_all=10_000)
    for number in range(999):
        taken(throttle, f"A{number}", "192.0.2.1")
    for entries in throttle._storage.events.values():
        entries.clear()  # as `limits` does when they expire
    taken(throttle, "B", "192.0.2.1")
    assert len(throttle._storage.events) == 3


@pytest.mark.parametrize(
    ("address", "prefix"),
    [
        ("192.0.2.77", "192.0.2.0-24"),
        ("::ffff:192.0.2.77", "192.0.2.0-24"),
        ("2001:db8:1:2::3", "2001:db8:1::-48"),
        ("fe80::1%eth0", "fe80::-48"),
        ("", "unreadable"),
        ("192.0.2.077", "unreadable"),
        ("192.0.2.1/32", "unreadable"),
    ],
)
def test_the_network_of_an_address(address, prefix):
    assert network_prefix(address) == prefix
