# SPDX-License-Identifier: EUPL-1.2
"""What honest people do with their days: they sign in, look people up, prove afresh when asked, move, are replaced.

Counted as a challenge is every proof asked for that the end of a session or of its freshness (`fresh_for`) did not ask
for: those are ordinary sign-ins. The holder proves afresh by the means he has, within half a minute, and looks again.
Denied is whatever keeps him from somebody whose number he typed right: a refusal, or a proof he has no means for.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.drill.accounts import Account, Holder, draw_holder, fields, new_device, other_network, proofs
from gateway.drill.simulation import DAY
from gateway.model import Delegation, Reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from gateway.drill.days import Look, Practice
    from gateway.drill.simulation import Actor, Simulation
    from gateway.drill.twins import DrillClient, SessionsTwin
    from gateway.identity.session import Session

MONTH_DAYS: Final = 30
_PROOF_SECONDS: Final = 30.0
_TRIES: Final = 3
_ORDINARY: Final = frozenset({Reason.SIGN_IN_REQUIRED, Reason.SECOND_FACTOR_STALE, Reason.METHOD_REQUIRED})
_MISTYPED: Final = frozenset({Reason.PATIENT_NUMBER_MALFORMED, Reason.PATIENT_NUMBER_AMBIGUOUS})
_ANSWERED: Final = frozenset({200, 404})
_LOCUMS: Final = 1000
"""Numbers of locums among the holders of an account: this and the day of their coming."""


class Busiest(NamedTuple):
    """The account-day with most look-ups, and how often it was denied on it."""

    looks: int
    kind: str
    day: int
    denied: int
    challenges: int


_NOTHING: Final = Busiest(0, "", 0, 0, 0)


@dataclass(slots=True)
class Felt:
    """What honest people felt."""

    looks: int = 0
    misses: int = 0
    denied: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    challenges: Counter[tuple[int, ...]] = field(default_factory=Counter)
    """By account, holder and month of thirty days."""
    busiest: Busiest = _NOTHING


@dataclass(slots=True)
class _Today:
    people: set[int] = field(default_factory=set)
    looks: int = 0
    denied: int = 0
    challenges: int = 0


class Professionals:
    """Lets accounts work in one simulation."""

    def __init__(self, simulation: Simulation, sessions: SessionsTwin, practice: Practice) -> None:
        self._simulation = simulation
        self._sessions = sessions
        self.practice = practice
        self.felt = Felt()

    def work(self, account: Account, days: range, rider: Callable[[Account, Holder], None] | None = None) -> Actor:
        """All days of one account. `rider` hears of each person that is seen, once a day."""
        simulation, sessions, felt = self._simulation, self._sessions, self.felt
        for day in days:
            self._change(account, day)
            today = _Today()
            for look in self.practice.looks(account, day):
                if look.when > simulation.now:
                    yield look.when
                if look.holder < 0:
                    self._move(account)
                    continue
                holder = account.holders[look.holder]
                if holder.session is None or not sessions.lives(holder.session, simulation.clock()):
                    self.sign_in(account, holder)
                felt.looks += 1
                today.looks += 1
                client = simulation.ask(account.request(holder, look.text))
                if not client.done:
                    yield client
                if client.status not in _ANSWERED:
                    yield from self._stopped(account, holder, look, client, today)
                elif rider is not None and look.person not in today.people:
                    today.people.add(look.person)
                    rider(account, holder)
            if today.looks > felt.busiest.looks:
                felt.busiest = Busiest(today.looks, account.kind.kind, day, today.denied, today.challenges)

    def sign_in(self, account: Account, holder: Holder, ago: float = 0.0) -> Session:
        """A new session, opened so many seconds ago."""
        at = self._simulation.at(self._simulation.now - ago)
        subject = account.subject(holder, at)
        session = self._sessions.open(subject, at, account.network, holder.device)
        session.seen_at = self._simulation.clock()
        holder.session, holder.fields = session, fields(session.digest, holder.device, account.network)
        return session

    def _stopped(self, account: Account, holder: Holder, look: Look, client: DrillClient, today: _Today) -> Actor:
        """Prove afresh and look again; or it was a mistyped number, or a denial."""
        felt, simulation = self.felt, self._simulation
        for _ in range(_TRIES):
            reason = client.reason or ""
            if not client.challenged:
                break
            if reason not in _ORDINARY:
                today.challenges += 1
                felt.reasons[_why(client)] += 1
                felt.challenges[account.number, holder.number, int(simulation.now / DAY) // MONTH_DAYS] += 1
            yield simulation.now + _PROOF_SECONDS
            self._prove(account, holder)
            client = simulation.ask(account.request(holder, look.text))
            if not client.done:
                yield client
            if client.status in _ANSWERED:
                return
        reason = client.reason or ""
        if not look.right and reason in _MISTYPED:
            felt.misses += 1
            return
        felt.denied += 1
        today.denied += 1
        felt.reasons[f"denied: {_why(client)}"] += 1

    def _prove(self, account: Account, holder: Holder) -> None:
        at, session = self._simulation.clock(), holder.session
        if session is None or not self._sessions.lives(session, at):
            self.sign_in(account, holder)
            return
        given = proofs(holder.means, at)
        self._sessions.strengthen(session, given, at, account.network, holder.device)
        holder.fields = fields(session.digest, holder.device, account.network)

    def _move(self, account: Account) -> None:
        """The account goes on from another network, its browsers with it."""
        account.network = other_network(account)
        for holder in account.holders:
            if holder.session is not None:
                holder.fields = fields(holder.session.digest, holder.device, account.network)

    def _change(self, account: Account, day: int) -> None:
        """What a new day may bring: a new device, a locum for a week, or the end of his week."""
        habits, rng = self.practice.world.honest_habits, account.rng
        for holder in account.holders:
            if rng.random() < habits.replaces_device_per_year / 365.25:
                holder.device, holder.session, holder.fields = new_device(rng), None, None
        if account.regular is not None and day >= account.locum_until:
            account.holders[0], account.regular = account.regular, None
        elif day % 7 == 0 and account.regular is None and rng.random() < habits.locum_weeks_per_year * 7 / 365.25:
            account.regular, account.locum_until = account.holders[0], day + 7
            until = self._simulation.at((day + 8) * DAY)
            name = f"Locum {day}"
            delegation = Delegation(
                f"drill-{account.number}-{day}", name, frozenset({self.practice.teleservice}), until
            )
            locum = draw_holder(rng, account.kind, _LOCUMS + day)
            locum.name, locum.delegation = name, delegation
            account.holders[0] = locum


def _why(client: DrillClient) -> str:
    """The reason, and which budget it was, if it was one: that is what an admin would change."""
    reason = client.reason or str(client.status)
    return f"{reason} ({client.budget})" if client.budget else reason
