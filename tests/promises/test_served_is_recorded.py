# SPDX-License-Identifier: EUPL-1.2
"""Promises 1 and 2, through the whole gateway: who was shown is on record, whenever the gateway dies."""

from __future__ import annotations

import random
import time

import pytest

from gateway.model import Level
from support.lookups import Demo, Load, people
from support.servers import wait_until

pytestmark = pytest.mark.system

ACCOUNTS = ("750012346", "750012353", "751112343")
ROUNDS = 4


@pytest.fixture
def demo(tmp_path):
    demo = Demo(tmp_path)
    with demo.portal:
        yield demo


def clients(demo: Demo) -> list[tuple[str, str]]:
    """Two sessions for each of three accounts."""
    return [(account, demo.house.sign_in(account, Level.MFA)) for account in ACCOUNTS * 2]


def test_without_faults_received_served_and_recorded_are_the_same(demo):
    load = Load(demo, clients(demo), people(1))
    with demo.house.serve():
        load.start()
        wait_until("enough look-ups", lambda: load.statuses[200] > 600)
        load.stop()
    assert set(load.statuses) == {200}
    assert load.cut == 0
    recorded = demo.recorded()
    assert len(recorded) == load.statuses[200], "one row for each look-up, no more"
    assert {(request, pseudonym) for _, request, pseudonym in recorded} == set(demo.served())
    assert len(demo.served()) == load.statuses[200]
    assert demo.shown_on_record() == load.received
    assert len(load.received) == load.statuses[200]


def test_L4_whoever_was_shown_is_on_record_when_the_gateway_is_killed_at_any_moment(demo):
    chance = random.Random(20)
    numbers, cookies = people(2), clients(demo)
    received, cut, whole = set(), 0, 0
    for _ in range(ROUNDS):
        load = Load(demo, cookies, numbers)
        with demo.house.serve() as gateway:
            load.start()
            wait_until("the first look-ups", lambda: load.statuses[200] > 20)  # noqa: B023  # used at once
            time.sleep(chance.uniform(0.0, 0.4))
            gateway.kill()
            load.stop()
        received |= load.received
        cut += load.cut
        whole += load.statuses[200]
        assert received - demo.shown_on_record() == set(), "shown, and not on record"
    assert cut > 0, "no look-up was under way at any of the kills"
    assert whole > 100
    assert len(received) >= whole
    served = {pseudonym for _, pseudonym in demo.served()}
    assert {pseudonym for _, pseudonym in demo.shown_on_record()} <= served, "on record, and never shown"


def test_each_post_is_attempted_on_record_before_the_portal_sees_it(demo):
    """Whatever the portal did for a POST, the ledger knew before, under the same request id: also after a kill."""
    load = Load(demo, clients(demo), people(3))
    with demo.house.serve() as gateway:
        load.start()
        wait_until("enough look-ups", lambda: load.statuses[200] > 200)
        gateway.kill()
        load.stop()
    attempts = {(request, pseudonym) for _, request, pseudonym in demo.recorded("attempt")}
    posted = {(request, pseudonym) for request, pseudonym in demo.served() if pseudonym in load.posted}
    assert len(posted) > 50
    assert posted <= attempts
    lookups = {request for _, request, _ in demo.recorded()}
    assert len({request for request, _ in posted} & lookups) > 50, "the disclosure stands under the id of the attempt"
