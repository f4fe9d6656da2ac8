# SPDX-License-Identifier: EUPL-1.2
"""One network that drives many accounts, and accounts that act alike, each against its own past."""

from __future__ import annotations

import pytest

from gateway.metering.together import Together, alike, idle, many_accounts, take_part
from gateway.metering.watched import DAY, HOUR, MINUTE
from gateway.model import Finding, Risk, Signal

NOON = 20_000 * DAY + 12 * HOUR
NEW = Finding(Signal.NEW_PEOPLE, Risk.ELEVATED, ())
VOLUME, FAR, DRIFT, MISSES = (
    Finding(signal, Risk.ELEVATED, ()) for signal in (Signal.VOLUME, Signal.FAR_AWAY, Signal.DRIFT, Signal.MISSES)
)


def driving(count: int, at: int = NOON) -> Together:
    network = Together()
    for number in range(count):
        take_part(network, f"account-{number}", at)
    return network


def test_an_hour_holds_each_account_once():
    network = Together()
    assert [take_part(network, name, NOON) for name in ("a", "b", "a")] == [1, 2, 2]
    assert take_part(network, "c", NOON + HOUR - 1) == 3
    assert take_part(network, "c", NOON + HOUR) == 1
    assert network.peaks == {20_000: 3}


def test_who_comes_back_stays_and_who_does_not_leaves():
    network = driving(2)
    take_part(network, "account-0", NOON + 30 * MINUTE)
    assert take_part(network, "c", NOON + 61 * MINUTE) == 2
    assert list(network.latest) == ["account-0", "c"]


@pytest.mark.parametrize(
    ("count", "risk"), [(3, None), (4, Risk.CALM), (11, Risk.CALM), (12, Risk.ELEVATED), (40, Risk.ELEVATED)]
)
def test_a_network_that_never_drove_any(count, risk):
    found = many_accounts(driving(count), NOON)
    assert (found and found.risk) == risk
    if found:
        assert found.figures == (("accounts", count), ("usual", 0))


@pytest.mark.parametrize(("count", "risk"), [(19, None), (20, Risk.CALM), (40, Risk.ELEVATED)])
def test_a_hospital_drives_many_on_every_day(count, risk):
    network = driving(10, NOON - DAY)
    for number in range(count):
        take_part(network, f"account-{number}", NOON)
    found = many_accounts(network, NOON)
    assert (found and found.risk) == risk


def test_peaks_are_forgotten_after_eight_weeks():
    network = driving(10, NOON - 56 * DAY)
    take_part(network, "a", NOON)
    assert network.peaks == {20_000: 1}
    assert not idle(network, NOON)
    assert not idle(network, NOON + 2 * HOUR), "its usual number is still known"
    assert network.latest == {}
    assert idle(network, NOON + 56 * DAY)


def test_the_fourth_account_that_shows_what_is_never_seen():
    service: dict[Signal, Together] = {}
    found = [
        alike((NEW, VOLUME, FAR, DRIFT, MISSES), service, f"account-{number}", NOON + number * MINUTE)
        for number in range(4)
    ]
    assert found[:3] == [None] * 3
    figures = (("accounts", 4), ("usual", 0.1), ("signal", "new-people"))
    assert found[3] == Finding(Signal.ALIKE, Risk.ELEVATED, figures)
    assert alike((VOLUME,), service, "account-4", NOON) is None
    assert list(service) == [Signal.NEW_PEOPLE]


def test_what_somebody_always_shows_is_nothing():
    service = {Signal.NEW_PEOPLE: driving(6, NOON - DAY)}
    found = [alike((NEW,), service, f"account-{number}", NOON) for number in range(20)]
    assert found[11] is None
    assert found[-1] is not None
    assert found[-1].figures[1] == ("usual", 6.0)


def test_of_several_things_alike_the_most_common_is_told():
    even = Finding(Signal.PACE, Risk.CALM, ())
    service = {Signal.NEW_PEOPLE: driving(8), Signal.PACE: driving(5)}
    for found in ((NEW, even), (even, NEW)):
        told = alike(found, service, "account-0", NOON)
        assert told is not None
        assert told.figures[2] == ("signal", "new-people")
