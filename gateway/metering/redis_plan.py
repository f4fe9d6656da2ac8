# SPDX-License-Identifier: EUPL-1.2
"""What a look-up says to Redis: which keys, and the words of its budgets for the scripts. Knows no connection.

A key is made of hashes of a fixed length, never of joined texts, and of nothing a client chooses. Everything of one
account has one hash tag, so that in a Cluster its exact budgets are one atomic script; a network and a teleservice
have tags of their own. The words of a policy's budgets are worked out once for each level of assurance.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from datetime import date, timedelta
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.metering.redis_wire import Script
from gateway.metering.seen import REFUSING
from gateway.metering.tally import span
from gateway.model import Budget, Counts, Level, Method, Past, Risk, Scope

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.model import Meter

_ACTS: Final = {Past.ALERT: 1, Past.DELAY: 2, Past.CHALLENGE: 3, Past.DENY: 4}
_HIT: Final = (Path(__file__).parent / "redis_hit.lua").read_text(encoding="ascii")
_KINDS: Final = (b":p", b":n", b":m", b":s")
_MICROSECOND: Final = timedelta(microseconds=1)


class Site(NamedTuple):
    """What is kept of one scope, in microseconds: spans of people, new and missed.

    `draws`: what a bucketed site counts, and over which spans.
    """

    scope: Scope
    people: int
    new: int
    missed: int
    draws: tuple[tuple[Counts, int], ...]

    @property
    def bucketed(self) -> bool:
        """A whole teleservice is counted in buckets, not by person."""
        return self.scope is Scope.SERVICE


class Part(NamedTuple):
    """The sites that one script asks at once, their budgets in order, with their words written into it.

    `proofs`: the methods whose latest proof the script is to be told.
    """

    sites: tuple[Site, ...]
    budgets: tuple[Budget, ...]
    proofs: tuple[tuple[Method, ...], ...]
    script: Script


class Plan(NamedTuple):
    """A policy's budgets for one level: `known` is the span of `known_for`. The account's part is the first."""

    meter: Meter
    known: int
    parts: tuple[Part, ...]


def plan(meter: Meter, teleservice: str, level: Level, *, together: bool) -> Plan:
    """`together`: all sites are asked by one script; else those of an account, of a network and of a teleservice."""
    scopes = [Scope.ACCOUNT, *(scope for scope in Scope if scope is not Scope.ACCOUNT and of_scope(meter, scope))]
    sites = [_site(meter, scope) for scope in scopes]
    if together:
        groups = [sites]
    else:
        own = [site for site in sites if site.scope in {Scope.ACCOUNT, Scope.HOLDER}]
        groups = [own, *([site] for site in sites if site not in own)]
    parts = tuple(_part(meter, teleservice, level, tuple(group)) for group in groups)
    return Plan(meter, 0 if meter.known_for is None else span(meter.known_for), parts)


def of_scope(meter: Meter, scope: Scope) -> tuple[Budget, ...]:
    """The budgets of one scope, in the order of the file."""
    return tuple(budget for budget in meter.budgets if budget.per is scope)


def _site(meter: Meter, scope: Scope) -> Site:
    spans: dict[Counts, list[int]] = {kind: [] for kind in Counts}
    for budget in of_scope(meter, scope):
        spans[budget.counts].append(span(budget.window))
    new = spans[Counts.NEW]
    # People are kept wherever new ones are: they tell whether somebody looked again before a place is given back.
    people = [*spans[Counts.PEOPLE], *new]
    if scope is Scope.ACCOUNT:
        # The account tells who is new, and who is drawn from the buckets of the whole teleservice already.
        people += [span(one.window) for one in of_scope(meter, Scope.SERVICE) if one.counts is not Counts.MISSED]
        people += [] if meter.known_for is None else [span(meter.known_for)]
    missed = spans[Counts.MISSED]
    draws = tuple(dict.fromkeys((one.counts, span(one.window)) for one in of_scope(meter, scope)))
    return Site(
        scope,
        max(people, default=0),
        max(new, default=0),
        max(missed, default=0),
        draws if scope is Scope.SERVICE else (),
    )


def _part(meter: Meter, teleservice: str, level: Level, sites: tuple[Site, ...]) -> Part:
    budgets: list[Budget] = []
    proofs: dict[tuple[Method, ...], int] = {}
    told = []
    for site in sites:
        asked = [one for one in of_scope(meter, site.scope) if one.under is None or level < one.under]
        budgets += asked
        told.append(
            {
                "bucketed": site.bucketed,
                "keep": {"people": site.people, "new": site.new, "missed": site.missed},
                "draws": [{"counts": kind, "span": length} for kind, length in site.draws],
                "budgets": [_words(one, teleservice, proofs) for one in asked],
            }
        )
    script = Script(f"local sites = {_lua(told)}\n{_HIT}")
    return Part(sites, tuple(budgets), tuple(proofs), script)


def _lua(value: object) -> str:
    """A value as Lua writes it; of texts every character by its number."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, dict):
        return "{" + ",".join(f"{name}={_lua(one)}" for name, one in value.items()) + "}"
    if isinstance(value, list):
        return "{" + ",".join(_lua(one) for one in value) + "}"
    return "'" + "".join(f"\\{one:03d}" for one in str(value).encode("ascii")) + "'"


def _words(budget: Budget, teleservice: str, proofs: dict[tuple[Method, ...], int]) -> dict[str, object]:
    proof = 0
    if budget.past is Past.CHALLENGE:
        proof = proofs.setdefault(budget.methods, len(proofs) + 2) if budget.methods else 1
    return {
        "name": name_of(budget, teleservice).decode("ascii"),
        "counts": budget.counts,
        "people": budget.people,
        "span": span(budget.window),
        "act": 0 if budget.observe else _ACTS[budget.past],
        "proof": proof,
        "risk": int(budget.risk),
        "told": _told(budget),
        "lasts": 0 if budget.lasts is None else span(budget.lasts),
        "under": len(Level) if budget.under is None else int(budget.under),
        "packed": "" if budget.lasts is None else pack(budget).decode("ascii"),
    }


def _told(budget: Budget) -> bool:
    """Whether the person is told what is left: not of what others share, nor of misses."""
    own = budget.per in {Scope.ACCOUNT, Scope.HOLDER}
    return budget.past in REFUSING and not budget.observe and own and budget.counts is not Counts.MISSED


def name_of(budget: Budget, teleservice: str) -> bytes:
    """What a budget is called in Redis."""
    return short(f"{teleservice}\0{budget!r}", 6)


def pack(budget: Budget) -> bytes:
    """A budget as text, for a worker that does not have it in its own policy."""
    lengths = [None if one is None else span(one) for one in (budget.window, budget.delay, budget.lasts)]
    fields = [budget.people, budget.past, budget.counts, budget.per, budget.under, budget.risk, *lengths]
    since = None if budget.observed_since is None else budget.observed_since.isoformat()
    packed = [*fields, budget.closes, budget.methods, budget.observe, since]
    return json.dumps(packed, separators=(",", ":")).encode("ascii")


def unpack(text: bytes) -> Budget:
    """The budget that `pack` made this of."""
    people, past, counts, per, under, risk, window, delay, lasts, closes, methods, observe, since = json.loads(text)
    return Budget(
        people=people,
        window=window * _MICROSECOND,
        past=Past(past),
        counts=Counts(counts),
        per=Scope(per),
        under=None if under is None else Level(under),
        risk=Risk(risk),
        delay=delay * _MICROSECOND,
        lasts=None if lasts is None else lasts * _MICROSECOND,
        closes=tuple(closes),
        methods=tuple(Method(one) for one in methods),
        observe=observe,
        observed_since=None if since is None else date.fromisoformat(since),
    )


def keys_of(sites: Iterable[Site], account: str, teleservice: str, holder: str | None, network: str) -> list[bytes]:
    """Four keys of each site: people, new, missed, state."""
    keys: list[bytes] = []
    for site in sites:
        base = base_of(site.scope, account, teleservice, holder, network)
        keys += [base + kind for kind in _KINDS]
    return keys


def base_of(scope: Scope, account: str, teleservice: str, holder: str | None, network: str) -> bytes:
    """What the keys of one site begin with; all hashes have one length for each scope."""
    service = short(teleservice, 6)
    if scope is Scope.ACCOUNT:
        return b"h:{%b}%b" % (short(account, 12), service)
    if scope is Scope.HOLDER:
        who = "0" if holder is None else "1" + holder
        return b"h:{%b}%b.%b" % (short(account, 12), service, short(who, 12))
    if scope is Scope.NETWORK:
        return b"h:{n.%b}%b" % (short(network, 12), service)
    return b"h:{s.%b}" % service


@lru_cache(maxsize=65_536)
def short(text: str, size: int) -> bytes:
    """A hash of so many bytes (a multiple of three), in letters that a hash tag may have."""
    return urlsafe_b64encode(blake2b(text.encode("utf-8", "surrogatepass"), digest_size=size).digest())
