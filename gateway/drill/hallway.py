# SPDX-License-Identifier: EUPL-1.2
"""The hallway of a drill: the real Enforcement, policy, meter and pseudonyms, between the twins of what is only I/O.

Sessions live as long as the settings' defaults say. The eight weeks before the drill are not walked: meter and watch
get their look-ups as they would get them from the ledger after a start (`rebuild`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from gateway.drill.accounts import ORIGIN
from gateway.drill.simulation import BEFORE, DAY, START, Simulation
from gateway.drill.twins import AssertionsTwin, KeeperTwin, PortalTwin, SessionsTwin
from gateway.drill.witness import NamingAssertions, WitnessedPortal
from gateway.enforcement import Enforcement
from gateway.errors import StartError
from gateway.identity.network import network_prefix
from gateway.identity.returns import Returns
from gateway.metering.decoys import Decoys
from gateway.metering.memory import MemoryMeter
from gateway.metering.pseudonym import Pseudonymizer
from gateway.metering.watching import WATCHED_FOR, Past, Watching
from gateway.policy_in_force import meters_of
from gateway.settings import SessionLife
from gateway.visit import HallwayDoors

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.drill.people import People
    from gateway.drill.record import CountingLedger
    from gateway.drill.simulation import Actor
    from gateway.drill.witness import Witness
    from gateway.model import PastLook
    from gateway.policy.rules import Policy, Rule

LOOK_PATH: Final = "/api/infopatient/"
_NETWORKS: Final = 100_000
_COOKIE: Final = b"__Host-herse"
_FORM_BYTES: Final = 65_536
_KEY: Final = bytes(range(32))  # a drill's pseudonyms protect nobody: its people are invented


@dataclass(frozen=True, slots=True)
class Hallway:
    """One run's hallway, before anybody has come."""

    simulation: Simulation
    sessions: SessionsTwin


def pseudonymizer() -> Pseudonymizer:
    """The drill's own."""
    return Pseudonymizer(_KEY)


def look_rule(policy: Policy) -> Rule:
    """The teleservice of single look-ups; StartError if the policy has none with budgets at the demo's path."""
    claim = policy.claims.find("GET", f"{LOOK_PATH}1")
    if claim is None or claim.permit.meter is None:
        raise StartError(
            f"the policy {policy.name} counts no patient at GET {LOOK_PATH}{{nir}}; expected a teleservice with that "
            "route and a patient in its path: drills look people up there"
        )
    return claim.rule


def build_hallway(
    policy: Policy,
    people: People,
    ledger: CountingLedger,
    history: Iterable[PastLook],
    witness: Witness | None = None,
) -> Hallway:
    """A hallway at the beginning of the drill, with what the ledger would know by then. `witness`: who sees it."""
    simulation = Simulation()
    if witness is not None:
        simulation.client = witness.client
    settings = SessionLife()
    sessions = SessionsTwin(settings.idle, settings.absolute)
    pseudonym = pseudonymizer()
    meter = MemoryMeter(lru_cache(_NETWORKS)(network_prefix))
    past, watching = Past(START - WATCHED_FOR), Watching()
    meter.rebuild(past.passing(history), START, meters_of(policy))
    watching.rebuild(past, START)
    doors = HallwayDoors(
        policy=policy,
        sessions=sessions,
        returns=Returns(),
        meter=meter,
        watching=watching,
        homes=sessions,
        decoys=Decoys(frozenset(), pseudonym),
        pseudonym=pseudonym,
        portal=PortalTwin(people) if witness is None else WitnessedPortal(people),
        keeper=KeeperTwin(),
        assertions=AssertionsTwin() if witness is None else NamingAssertions(),
        ledger=ledger,
        clock=simulation.clock,
        wait=simulation.wait,
        origin=ORIGIN,
        cookie_name=_COOKIE,
        form_bytes=_FORM_BYTES,
    )
    simulation.gate = Enforcement(doors)
    simulation.send_in(_sweeping(simulation, meter, watching), BEFORE)
    return Hallway(simulation, sessions)


def _sweeping(simulation: Simulation, meter: MemoryMeter, watching: Watching) -> Actor:
    """Forget what no window holds any more, once a day, as the server does every few seconds."""
    while True:
        yield simulation.now + DAY
        meter.sweep(simulation.clock())
        watching.sweep(simulation.clock())
