# SPDX-License-Identifier: EUPL-1.2
"""Budgets counted in this process: exact with any number of parallel requests, since a hit is one call without a pause.

Belongs to the event loop's thread. State is kept by (account, teleservice), (account, teleservice, holder), (network,
teleservice) and teleservice, each a tuple, never one joined text, and by nothing a client chooses. Whoever uses an
account without telling who he is, is one holder more: nobody by name. After a start it is rebuilt from the ledger: what
was disclosed stays counted.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from typing import TYPE_CHECKING, Final, TypeAlias

from gateway.metering.budget import Asking, Reserved, give_back, hit, missed, room, settle
from gateway.metering.seen import Seen, arrange, block, remember
from gateway.metering.tally import microseconds, span
from gateway.model import Scope

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from gateway.metering.budget import Site
    from gateway.metering.look import Look, Outcome
    from gateway.model import Budget, Meter, PastLook

_NAME_BYTES: Final = 16

Key: TypeAlias = "tuple[str | None, ...]"


class MemoryMeter:
    """Budgets of different people, counted in memory."""

    def __init__(self, network_of: Callable[[str], str] = str) -> None:
        """`network_of`: the network of an address of the ledger, as sessions are bound to it."""
        self._network_of = network_of
        self._seen: dict[Scope, defaultdict[Key, Seen]] = {scope: defaultdict(Seen) for scope in Scope}
        self._meters: dict[str, Meter] = {}

    def __len__(self) -> int:
        """How many accounts, holders, networks and teleservices have something counted."""
        return sum(len(kept) for kept in self._seen.values())

    def hit(self, look: Look) -> Outcome:
        """Ask and reserve in one act (see budget.hit)."""
        meter = look.meter
        sites = self._sites(look)
        outcome = hit(sites, meter.known_for, look.pseudonym, _asking(look))
        self._close(look, sites, outcome.budget)
        return outcome

    def settle(self, look: Look, outcome: Outcome, *, missed: bool) -> None:  # noqa: ARG002  # for doors elsewhere
        """Tell how the portal answered what `hit` permitted."""
        if isinstance(outcome.reserved, Reserved):
            settle(outcome.reserved, missed=missed)

    def room(self, look: Look, people: int) -> Outcome:
        """Hold places that bear no name (see budget.room)."""
        drawn = secrets.token_bytes(_NAME_BYTES * people)
        names = [drawn[start : start + _NAME_BYTES] for start in range(0, len(drawn), _NAME_BYTES)]
        return room(self._sites(look), look.meter.known_for, names, _asking(look))

    def leave(self, room: Outcome, places: int | None) -> None:
        """Give back so many of them."""
        held = room.reserved
        if isinstance(held, list):
            for _ in range(len(held) if places is None else min(places, len(held))):
                give_back(held.pop())

    def missed(self, look: Look) -> Outcome:
        """Count a number that is none."""
        sites = self._sites(look)
        outcome = missed(sites, look.meter.known_for, look.pseudonym, _asking(look))
        self._close(look, sites, outcome.budget)
        return outcome

    def rebuild(self, looks: Iterable[PastLook], at: datetime, meters: Mapping[str, Meter]) -> None:
        """Add look-ups of the ledger, oldest first, as far back as the longest window and `known_for` together.

        `meters`: by teleservice the budgets in force. Adds to what is counted already, and may be given rows that are:
        the latest time of a person stands. So it also serves when a new policy has a longer window than the one in
        force. Under a clock that ran ahead, rows from the future count as now.
        """
        now = microseconds(at)
        latest: dict[tuple[str, str, bytes], int] = {}
        for look in looks:
            meter = meters.get(look.teleservice)
            if meter is None:
                continue
            moment = min(microseconds(look.at), now)
            new = False
            if not look.missed and meter.known_for is not None:
                of = (look.account, look.teleservice, look.pseudonym)
                before = latest.get(of)
                new = before is None or moment - before >= span(meter.known_for)
                latest[of] = moment
            network = self._network_of(look.network or "")
            for scope, _ in _scopes(meter):
                seen = self._seen[scope][_key(scope, look.account, look.teleservice, look.holder, network)]
                remember(seen, look.pseudonym, moment, new=new, missed=look.missed)

    def sweep(self, at: datetime) -> int:
        """Forget whoever has nobody left in any window; returns how many. O(state): call it every few minutes.

        What came from the ledger for a teleservice nobody has used since is kept: its windows are not known yet.
        """
        now, gone = microseconds(at), 0
        for scope, kept in self._seen.items():
            left = [key for key, seen in kept.items() if self._left(scope, key, seen, now)]
            for key in left:
                del kept[key]
            gone += len(left)
        return gone

    def _sites(self, look: Look) -> list[Site]:
        """Where this look-up counts: always at the account, and wherever there is a budget."""
        meter, teleservice, subject = look.meter, look.teleservice, look.subject
        account = subject.account or ""
        self._meters[teleservice] = meter
        return [
            (self._seen[scope][_key(scope, account, teleservice, subject.holder, look.network)], budgets)
            for scope, budgets in _scopes(meter)
        ]

    def _close(self, look: Look, sites: list[Site], budget: Budget | None) -> None:
        """A denial that begins to last: in the other teleservices, too, that it closes for this account."""
        if budget is None or budget.lasts is None or not budget.closes:
            return
        lasts = span(budget.lasts)
        if any(one is budget and until == seen.latest + lasts for seen, _ in sites for one, until in seen.blocks):
            for teleservice in budget.closes:
                other = self._seen[Scope.ACCOUNT][look.subject.account or "", teleservice]
                block(other, budget, max(sites[0][0].latest, other.latest) + lasts)

    def _left(self, scope: Scope, key: Key, seen: Seen, now: int) -> bool:
        """Whether nobody is left in any window, and nothing is denied any more."""
        meter = self._meters.get(str(key[-1]))
        if meter is None:
            return False
        known_for = meter.known_for if scope is Scope.ACCOUNT else None
        arrange(seen, dict(_scopes(meter)).get(scope, ()), known_for, now)
        tallies = (seen.people, seen.new, seen.missed)
        return not seen.blocks and not seen.in_flight and all(tally.empty() for tally in tallies)


def _scopes(meter: Meter) -> Iterable[tuple[Scope, tuple[Budget, ...]]]:
    yield Scope.ACCOUNT, meter.of_account
    if meter.of_holder:
        yield Scope.HOLDER, meter.of_holder
    if meter.of_network:
        yield Scope.NETWORK, meter.of_network
    if meter.of_service:
        yield Scope.SERVICE, meter.of_service


def _key(scope: Scope, account: str, teleservice: str, holder: str | None, network: str) -> Key:
    """Whose budgets these are; the teleservice comes last."""
    if scope is Scope.ACCOUNT:
        return account, teleservice
    if scope is Scope.HOLDER:
        return account, holder, teleservice
    return (network, teleservice) if scope is Scope.NETWORK else (teleservice,)


def _asking(look: Look) -> Asking:
    assurance, proved = look.subject.assurance, look.subject.assurance.stepped_up_at
    return Asking(
        at=microseconds(look.at),
        proved=None if proved is None else microseconds(proved),
        level=assurance.level,
        risk=look.risk,
        proof_before_new=look.moved and look.meter.moved_new,
        assurance=assurance,
    )
