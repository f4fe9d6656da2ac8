# SPDX-License-Identifier: EUPL-1.2
"""A robot that goes through all processes is seen as one: told once, and asked for more by each of them."""

from __future__ import annotations

import time
from itertools import islice

import pytest

from gateway.model import EventKind
from support.lookups import api_request, lookup_policy, people
from support.servers import wait_until

pytestmark = pytest.mark.system

HIGH_IS_DENIED = "{people: 500, window: 24h, past: deny}, {people: 1, window: 24h, past: deny, risk: high}"


def test_a_robot_spread_over_four_workers_is_told_once_and_stopped_by_all(gather, serve):
    demo = gather(lookup_policy(HIGH_IS_DENIED))
    cookie = demo.house.sign_in()
    crew = serve(demo)
    numbers = list(islice(people(1), 64))

    def alerts():
        return [one.event.reason for one in demo.house.events() if one.event.kind is EventKind.ALERTED]

    with crew.links(cookie) as links:

        def asked(number):
            time.sleep(0.3)
            return links[number % 4].ask(api_request(numbers.pop())).status

        wait_until("the robot is stopped", lambda: asked(len(numbers)) == 429)
        wait_until("its risk is known to all", lambda: {asked(number) for number in range(4)} == {429})
    wait_until("the alert is on record", lambda: bool(alerts()))
    assert alerts() == ["risk-high"]
