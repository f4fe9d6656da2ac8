# SPDX-License-Identifier: EUPL-1.2
"""The accounts of a drill and their holders: drawn once from the world, each by a generator of its own.

An account is the same whatever the number of the others: its generator is seeded by the drill's seed and its number.
What it does from day to day is in `professionals`. What the world does not tell is decided here, and said: half of the
variance of a day's figures lies between accounts and half between days; a quarter of the accounts' network changes goes
back home; mobile networks are shared by many (carriers' gateways).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate
from random import Random
from typing import TYPE_CHECKING, Final

from gateway.identity.binding import binding
from gateway.model import Assurance, Delegation, Method, Proof, Subject
from gateway.upstream.exchange import Fields, Request

if TYPE_CHECKING:
    from datetime import datetime

    from gateway.drill.people import Residents
    from gateway.drill.world import Kind, World
    from gateway.identity.session import Session

_HOUR: Final = 3600
_MAINLAND_HOURS: Final = 1
_OVERSEAS_HOURS: Final = (-10, -4, -4, -4, -3, -3, 3, 4, 4, 11, 12)
"""Tahiti, the Antilles and Guyane (most people), Mayotte, La Réunion, Nouméa, Wallis."""
_MOBILE_NETWORKS: Final = 400
_PROFESSIONS: Final = {
    "pharmacy": "pharmacist",
    "large-pharmacy": "pharmacist",
    "duty-pharmacy-night": "pharmacist",
    "nurse": "nurse",
    "optician": "other",
}
_METHODS: Final = {
    "password+otp": (Method.PASSWORD, Method.TOTP),
    "psc": (Method.SSO,),
    "card": (Method.SMART_CARD,),
    "password": (Method.PASSWORD,),
}
_BROWSERS: Final = tuple(
    f"Mozilla/5.0 ({system}) {browser}"
    for system in ("Windows NT 10.0; Win64; x64", "Macintosh; Intel Mac OS X 10_15_7", "X11; Linux x86_64")
    for browser in (
        "Chrome/141.0.0.0 Safari/537.36",
        "Firefox/143.0",
        "Edg/141.0.0.0",
        "Chrome/140.0.0.0 Safari/537.36",
    )
)
_HALF: Final = 0.5**0.5

ORIGIN: Final = "https://portal.example"
JSON_FIELDS: Final = ((b"accept", b"application/json"), (b"origin", ORIGIN.encode("ascii")))


def proofs(means: str, at: datetime) -> tuple[Proof, ...]:
    """What somebody with these means proves at a sign-in."""
    return tuple(Proof(method, at) for method in _METHODS[means])


bound = lru_cache(100_000)(binding)
"""As the hallway binds a session to a network and a client; worked out once for each."""


def fields(key: bytes, device: str, network: str) -> Fields:
    """The fields of a browser's connection; session and binding are worked out once, as for a connection kept alive."""
    made = Fields([*JSON_FIELDS, (b"user-agent", device.encode("ascii"))])
    made.session = key
    made.binding = bound(network, device)
    return made


@dataclass(slots=True, eq=False)
class Holder:
    """One person at one device; `name` only where what he proves tells it."""

    number: int
    means: str
    device: str
    name: str | None
    session: Session | None = None
    fields: Fields | None = None
    delegation: Delegation | None = None


@dataclass(slots=True, eq=False)
class Account:
    """One account. `offset` is its seconds ahead of UTC; `last` tells on which day it saw whom, `known` is whom."""

    number: int
    name: str
    kind: Kind
    profession: str
    rng: Random
    offset: int
    departement: str
    holders: list[Holder]
    home: str
    network: str
    moves_per_month: float
    size: float
    newness: float
    errors: float
    known: list[int] = field(default_factory=list)
    last: dict[int, int] = field(default_factory=dict)
    regular: Holder | None = None
    """Whose place a locum has, until that day."""
    locum_until: int = -1

    def subject(self, holder: Holder, at: datetime) -> Subject:
        """Who signs in."""
        assurance = Assurance(proofs(holder.means, at))
        return Subject(
            self.name, self.name, self.profession, None, holder.name, assurance, delegation=holder.delegation
        )

    def request(self, holder: Holder, text: str) -> Request:
        """One look-up from where the account is now."""
        return look(text, holder.fields or fields(b"", holder.device, self.network), self.network)


def look(text: str, sent: Fields, peer: str) -> Request:
    """A look-up by the path."""
    path = f"/api/infopatient/{text}"
    return Request("GET", path.encode("ascii"), path, b"", sent, "portal.example", peer, secure=True)


def draw_accounts(
    world: World, seed: int, count: int, residents: Residents, allowed: frozenset[str] | None
) -> list[Account]:
    """The first `count` accounts of the world under this seed.

    `allowed`: the professions that the look-up takes. A drill measures budgets, not professions, so whoever has another
    one walks under the first of these.
    """
    return [draw_account(world, seed, number, residents, allowed) for number in range(count)]


def draw_account(  # noqa: PLR0917  # the world, then who
    world: World, seed: int, number: int, residents: Residents, allowed: frozenset[str] | None, kind: str | None = None
) -> Account:
    """One account; of that kind, or of one by its share."""
    rng = Random(f"{seed}/{number}/{kind}")  # noqa: S311  # a drill is repeated, not secret
    kinds = world.professionals
    bounds = list(accumulate(one.share for one in kinds))
    place = rng.random()
    drawn = next((one for one, bound in zip(kinds, bounds, strict=True) if place < bound), kinds[-1])
    if kind is not None:
        drawn = next(one for one in kinds if one.kind == kind)
    own = _PROFESSIONS.get(drawn.kind, "physician")
    overseas = rng.random() < world.overseas_share
    habits = world.honest_habits
    home = f"10.{number >> 8 & 255}.{number & 255}.{7 + (number >> 16)}"
    return Account(
        number=number,
        name=f"DRILL-{number:06d}",
        kind=drawn,
        profession=own if allowed is None or own in allowed else min(allowed),
        rng=rng,
        offset=_HOUR * (rng.choice(_OVERSEAS_HOURS) if overseas else _MAINLAND_HOURS),
        departement=rng.choice(residents.departements),
        holders=[draw_holder(rng, drawn, place) for place in range(drawn.holders)],
        home=home,
        network=home,
        moves_per_month=habits.changes_network_per_month.draw(rng),
        size=_HALF * rng.gauss(0, drawn.people_per_day.sigma),
        newness=_HALF * rng.gauss(0, drawn.new_people_share.sigma),
        errors=_HALF * rng.gauss(0, habits.typing_error_share.sigma),
    )


def draw_holder(rng: Random, kind: Kind, number: int) -> Holder:
    """One holder, by how those of the kind prove themselves."""
    means = rng.choices(list(kind.assurance), list(kind.assurance.values()))[0]
    name = None if means == "password+otp" else f"Holder {number + 1}"
    return Holder(number, means, rng.choice(_BROWSERS), name)


def new_device(rng: Random) -> str:
    """What another browser calls itself."""
    return rng.choice(_BROWSERS)


def other_network(account: Account) -> str:
    """Where the account is after a change: home again, or on some mobile network that it shares with others."""
    if account.network != account.home and account.rng.random() < 0.5:  # noqa: PLR2004  # as often as not
        return account.home
    place = account.rng.randrange(_MOBILE_NETWORKS)
    return f"100.{64 + place // 256}.{place % 256}.9"
