# SPDX-License-Identifier: EUPL-1.2
"""Simulated time goes forward, in one order, and an answer that is held back is waited for."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from gateway.drill.simulation import BEFORE, START, OpenGate, Simulation
from gateway.drill.twins import DrillClient, PortalTwin
from gateway.upstream.answer import WholeAnswer
from gateway.upstream.exchange import Fields, Request

if TYPE_CHECKING:
    from gateway.pending import Pending


def request(path: str, query: bytes = b"") -> Request:
    return Request("GET", path.encode(), path, query, Fields([]), "h", "10.0.0.1", secure=True)


def test_who_sleeps_less_goes_first_and_equal_times_keep_their_order():
    simulation, told = Simulation(), []

    def actor(name, *naps):
        for nap in naps:
            yield nap
            told.append((simulation.now, name))

    simulation.send_in(actor("slow", 5.0, 9.0), BEFORE)
    simulation.send_in(actor("first", 3.0, 9.0), BEFORE)
    simulation.run(8.0)
    assert told == [(3.0, "first"), (5.0, "slow")]
    assert simulation.now == 8.0
    simulation.run(20.0)
    assert told[2:] == [(9.0, "first"), (9.0, "slow")]
    assert simulation.clock() == START + timedelta(seconds=20)


def test_a_time_that_has_passed_is_now():
    simulation, told = Simulation(), []

    def actor():
        yield 10.0
        yield 2.0
        told.append(simulation.now)

    simulation.send_in(actor(), BEFORE)
    simulation.run(30.0)
    assert told == [10.0]


class SlowGate:
    """Answers after a delay of the hallway's kind."""

    def __init__(self, simulation: Simulation) -> None:
        self._simulation = simulation

    def enter(self, request: Request, client: DrillClient) -> None:
        waited: Pending[None] = self._simulation.wait(40.0)
        waited.on_done(lambda: WholeAnswer(200, b"", b"{}").relay(client, b""))


def test_who_waits_for_an_answer_goes_on_when_it_is_there():
    simulation, told = Simulation(), []
    simulation.gate = SlowGate(simulation)

    def actor():
        yield 100.0
        client = simulation.ask(request("/x"))
        assert not client.done
        yield client
        told.append((simulation.now, client.status))

    simulation.send_in(actor(), BEFORE)
    simulation.run(200.0)
    assert told == [(140.0, 200)]


def test_hours_that_pass_are_told():
    simulation, hours = Simulation(), []

    def actor():
        for hour in range(6):
            yield hour * 1800.0

    simulation.send_in(actor(), BEFORE)
    simulation.run(9_000.0, hours.append)
    assert hours == [0.0, 3600.0, 7200.0]


def test_the_open_gate_answers_everybody(residents):
    simulation = Simulation()
    simulation.gate = OpenGate(PortalTwin(residents.people))
    assert simulation.ask(request(f"/api/infopatient/{residents.people.number(5)}")).status == 200
    assert simulation.ask(request("/api/infopatient/1500101001001")).status == 404
    assert simulation.asked == 2
