# SPDX-License-Identifier: EUPL-1.2
"""The attacks of a drill: who is hit, with what, for how long, and what came of it.

Each scenario has a hallway of its own: victims and bystanders with their eight weeks behind them, who go on working
while the robots do. What the same robot takes without Herse is told by `unguarded`; only malware, which lives by what
its holders do, is walked again against the open portal.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Final, Literal

from gateway.drill.accounts import Account, draw_account, draw_accounts
from gateway.drill.days import Practice
from gateway.drill.exposure import Exposure
from gateway.drill.hallway import build_hallway, look_rule, pseudonymizer
from gateway.drill.professionals import Professionals
from gateway.drill.robots import ROBOTS, Attack, Loot, Resident
from gateway.drill.simulation import BEFORE, DAY, START, OpenGate, Simulation
from gateway.drill.thefts import Held
from gateway.drill.twins import PortalTwin, SessionsTwin
from gateway.drill.unguarded import taken_without
from gateway.settings import SessionLife

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.drill.ending import Ended
    from gateway.drill.people import Residents
    from gateway.drill.record import CountingLedger
    from gateway.drill.witness import Witness
    from gateway.drill.world import World
    from gateway.policy.rules import Policy

ATTACK_AT: Final = DAY + 9 * 3600.0
"""Tuesday, ten o'clock in France."""
_VICTIMS_FROM: Final = 900_000
_EPIDEMIC_FROM: Final = 14
_WEEKEND: Final = frozenset({5, 6})
_LEVELS: Final = ("password+otp", "psc", "card")


@dataclass(frozen=True, slots=True)
class Plan:
    """One scenario: the robot of the world it sends, what the robot holds, and for how long it would go on."""

    name: str
    robot: str
    holds: Literal["password", "mailbox", "session", "device"]
    with_days: float
    without_days: float
    many_networks: bool = False


@dataclass(frozen=True, slots=True)
class Drill:
    """One drill: its victims, and its scenarios."""

    name: str
    title: str
    victims: int
    people: int
    plans: tuple[Plan, ...]


def _plans(length: float) -> tuple[Plan, ...]:
    """`length`: days of the attack; a slow robot goes on for weeks."""
    weeks = 28.0
    return (
        Plan("leaked-passwords", "fast", "password", 1, length),
        Plan("hijacked-mailboxes", "fast", "mailbox", 1, length),
        Plan("stolen-sessions-fast", "fast", "session", 0.3, length),
        Plan("stolen-sessions-paced", "paced", "session", 0.3, length),
        Plan("stolen-sessions-slow", "slowest", "session", 0.3, weeks),
        Plan("stolen-sessions-mimic", "mimic", "session", 0.3, weeks),
        Plan("stolen-sessions-lists", "lists", "session", 0.3, length),
        Plan("stolen-sessions-split", "paced", "session", 0.3, length, many_networks=True),
        Plan("resident-malware", "resident-malware", "device", 30, 30),
    )


DRILLS: Final = {
    drill.name: drill
    for drill in (
        Drill("amelipro-2022", "19 hijacked accounts, 510,000 people", 19, 510_000, _plans(7)),
        Drill("viamedis-2024", "one account, 20 million people", 1, 20_000_000, _plans(14)),
        Drill("almerys-2024", "six accounts, 20 million people", 6, 20_000_000, _plans(14)),
    )
}


@dataclass(slots=True)
class Outcome:
    """What came of one scenario. Seconds since the attack began; None: it never happened."""

    name: str
    exposed_without: int
    exposed: int
    first_alert_seconds: float | None
    stopped_seconds: float | None
    grown: list[tuple[float, int]]
    grown_without: list[tuple[float, int]]
    extra: dict[str, float | int | None] = field(default_factory=dict)
    incident: Ended | None = None
    """How it ended, where its ledger was kept."""


class Theatre:
    """Plays the scenarios of one drill, each in a hallway of its own."""

    def __init__(  # noqa: PLR0917  # what a drill is played with
        self, drill: Drill, world: World, policy: Policy, residents: Residents, seed: int, bystanders: int
    ) -> None:
        self.drill = drill
        self._world = world
        self._policy = policy
        self._residents = residents
        self._seed = seed
        self._bystanders = bystanders
        self._rule = look_rule(policy)

    def play(
        self,
        plan: Plan,
        ledger: CountingLedger,
        passed: Callable[[float], None] | None = None,
        witness: Witness | None = None,
    ) -> Outcome:
        """One scenario from beginning to end; `passed` hears of simulated time, `witness` of whom the portal serves."""
        bystanders = draw_accounts(self._world, self._seed, self._bystanders, self._residents, self._rule.professions)
        victims, practice = self._victims(plan), self._practice()
        history = practice.history([*bystanders, *victims], pseudonymizer())
        hallway = build_hallway(self._policy, self._residents.people, ledger, history, witness)
        professionals = Professionals(hallway.simulation, hallway.sessions, practice)
        attack = self._attack(plan, hallway.simulation)
        self._let_in(plan, attack, professionals, hallway.sessions, bystanders, victims)
        hallway.simulation.run(attack.ends, passed)
        alerts = self._alerts(plan, ledger, victims)
        extra: dict[str, float | int | None] = {
            "honest_denied": professionals.felt.denied,
            "honest_challenges": professionals.felt.challenges.total(),
            "walked": hallway.simulation.asked,
        }
        if plan.holds == "device":
            extra["exposed_if_frozen_within_a_working_day"] = before_frozen(attack, victims, alerts)
        without = self._without(plan)
        return Outcome(
            name=plan.name,
            exposed_without=without[-1][1],
            exposed=attack.exposure.count,
            first_alert_seconds=None if not alerts else round(min(alerts.values()) - ATTACK_AT, 1),
            stopped_seconds=_stopped(plan, attack),
            grown=attack.exposure.line(attack.ends - ATTACK_AT),
            grown_without=without,
            extra=extra,
        )

    def _practice(self) -> Practice:
        return Practice(self._world, self._residents, self._rule.name, _EPIDEMIC_FROM)

    def _victims(self, plan: Plan) -> list[Account]:
        """The hijacked accounts: mostly pharmacies; doctors where lists are stolen. Their means in turn."""
        found = []
        for place in range(self.drill.victims):
            doctor = plan.robot == "lists" or place % 5 == 4  # noqa: PLR2004  # one in five
            number, kind = _VICTIMS_FROM + place, "gp" if doctor else "pharmacy"
            victim = draw_account(self._world, self._seed, number, self._residents, self._rule.professions, kind)
            first = victim.holders[0]
            first.means = _LEVELS[place % len(_LEVELS)]
            first.name = None if first.means == "password+otp" else "Holder 1"
            found.append(victim)
        return found

    def _attack(self, plan: Plan, simulation: Simulation) -> Attack:
        rng = Random(f"{self._seed}/{plan.name}")  # noqa: S311  # a drill is repeated, not secret
        return Attack(
            simulation,
            Exposure(ATTACK_AT),
            Loot(self._residents, rng),
            self._world.robot(plan.robot),
            self._world.honest_habits,
            rng,
            ATTACK_AT + plan.with_days * DAY,
            plan.many_networks,
        )

    def _let_in(  # noqa: PLR0917  # the attack, then who is there
        self,
        plan: Plan,
        attack: Attack,
        professionals: Professionals,
        sessions: SessionsTwin,
        bystanders: list[Account],
        victims: list[Account],
    ) -> None:
        days = range(math.ceil(attack.ends / DAY) + 1)
        rider = Resident(attack).ride if plan.holds == "device" else None
        stolen = self._world.stolen_session if plan.holds == "session" else None
        for account in bystanders:
            attack.simulation.send_in(professionals.work(account, days), BEFORE)
        for place, victim in enumerate(victims):
            attack.simulation.send_in(professionals.work(victim, days, rider), BEFORE)
            if plan.holds != "device":
                held = Held(attack, stolen, professionals, sessions, victim, place)
                attack.simulation.send_in(held.act(), ATTACK_AT)

    def _alerts(self, plan: Plan, ledger: CountingLedger, victims: list[Account]) -> dict[int, float]:
        """By victim, when it was first told of after the attack began: by what the robot did, not by its holder's day.

        Where the robot works from the holder's own network, the two cannot be told apart, and any alert counts.
        """
        at_home = plan.holds == "device" or self._world.stolen_session.same_network_share > 0
        found = {}
        for victim in victims:
            told = ledger.alerts.get(victim.name, [])
            caused = [event for event in told if at_home or (event.network or "").startswith(ROBOTS)]
            times = [(event.at - START).total_seconds() for event in caused]
            after = [when for when in times if when >= ATTACK_AT]
            if after:
                found[victim.number] = min(after)
        return found

    def _without(self, plan: Plan) -> list[tuple[float, int]]:
        """The same robot where nothing stands before the portal."""
        robot, habits, people = self._world.robot(plan.robot), self._world.honest_habits, self._residents.people
        victims = self._victims(plan)
        if plan.holds != "device":
            return taken_without(robot, habits, victims[0].kind, len(victims), people.count, plan.without_days)
        simulation = Simulation()
        simulation.gate = OpenGate(PortalTwin(people, whole_pages=True))
        life = SessionLife()
        sessions, practice = SessionsTwin(life.idle, life.absolute), self._practice()
        for _ in practice.history(victims, str.encode):
            pass
        attack = self._attack(plan, simulation)
        self._let_in(plan, attack, Professionals(simulation, sessions, practice), sessions, [], victims)
        simulation.run(attack.ends)
        return attack.exposure.line(attack.ends - ATTACK_AT)


def _stopped(plan: Plan, attack: Attack) -> float | None:
    """When the last person was shown; None if there was none, or if it went on to the end."""
    last = attack.exposure.last_at
    if last is None or (plan.holds == "device" and last > attack.ends - 2 * DAY):
        return None
    return round(last - ATTACK_AT, 1)


def before_frozen(attack: Attack, victims: list[Account], alerts: dict[int, float]) -> int:
    """How many would have been shown if each account was frozen a working day after its first alert."""
    frozen = {}
    for victim in victims:
        when = alerts.get(victim.number, math.inf)
        if when < math.inf:
            when += DAY
            while int(when / DAY) % 7 in _WEEKEND:
                when += DAY
        frozen[victim.number] = when
    return sum(people for when, account, people in attack.by_account if when <= frozen[account])
