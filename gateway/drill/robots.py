# SPDX-License-Identifier: EUPL-1.2
"""What robots do: take people off a list as fast as they may, and try on in every way they have when they are stopped.

A robot holds a session (stolen, or its own by a password), never a second factor: it cannot prove afresh. Stopped, it
tries the other routes of the same teleservice, sick leaves and lists, waits ten minutes and then hours while it keeps
the session alive, and goes on from another network. Malware that rides a holder's own session goes on when the holder
has proved. All robots of an attack share one list, so that none asks for whom another has.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from gateway.drill.accounts import JSON_FIELDS, look
from gateway.drill.days import LOCAL_SHARE, mistyped
from gateway.drill.exposure import PER_PAGE
from gateway.drill.simulation import DAY
from gateway.model import Reason
from gateway.upstream.exchange import Body, Fields, Request

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from gateway.drill.accounts import Account, Holder
    from gateway.drill.exposure import Exposure
    from gateway.drill.people import People, Residents
    from gateway.drill.simulation import Actor, Simulation
    from gateway.drill.twins import DrillClient
    from gateway.drill.world import Habits, Robot

_STEP: Final = 1_299_709  # prime, and no divisor of any list's length
_DRAWS: Final = 20
_FORM_LIMIT: Final = 65_536
_ANSWERED: Final = frozenset({200, 400, 404})
_KEEP_ALIVE_SECONDS: Final = 1_200.0
_PAUSES: Final = (600.0, 3_600.0)
_NETWORK_FOR: Final = 50
"""Look-ups from one network, where an attack comes from many."""
_NETWORKS: Final = 200
ROBOTS: Final = "185.220."
"""How the addresses of robots begin."""
_WAYS: Final = ("api", "path", "form", "sick-leave", "list")


class Loot:
    """The list that an attack works through, in no order that a number would tell; and pages of the portal's lists."""

    def __init__(self, residents: Residents, rng: Random) -> None:
        self.people: People = residents.people
        self._residents = residents
        self._given: set[int] = set()
        self._rng = rng
        self._start = rng.randrange(self.people.count)
        self._taken = 0
        self._page = 0

    def next_number(self, unknown_share: float) -> str | None:
        """The next number to try, sometimes nobody's; None when all have been tried."""
        if self._taken >= self.people.count:
            return None
        index = (self._start + self._taken * _STEP) % self.people.count
        number = self.people.number(index)
        if self._rng.random() < unknown_share:
            return mistyped(number, self._rng)[: len(number)]
        self._taken += 1
        return number

    def next_local(self, departement: str, unknown_share: float) -> str | None:
        """As `next_number`, for a robot that would be taken for its holder: half of its people were born around him."""
        for _ in range(_DRAWS):
            index = self._residents.draw(departement, LOCAL_SHARE, self._rng)
            if index not in self._given:
                self._given.add(index)
                number = self.people.number(index)
                return mistyped(number, self._rng)[: len(number)] if self._rng.random() < unknown_share else number
        return self.next_number(unknown_share)

    def next_page(self) -> int:
        """The next page, from 1 on."""
        self._page = self._page % -(-self.people.count // PER_PAGE) + 1
        return self._page


@dataclass(slots=True)
class Attack:
    """What the robots of one attack share. `ends` is when they give up."""

    simulation: Simulation
    exposure: Exposure
    loot: Loot
    robot: Robot
    habits: Habits
    rng: Random
    ends: float
    many_networks: bool = False
    by_account: list[tuple[float, int, int]] = field(default_factory=list)
    """Each new person by resident malware: when, account, how many."""

    def next_number(self, account: Account) -> str | None:
        """Whom to ask for next on this account; None when the list is through."""
        unknown = self.robot.unknown_number_share
        if self.robot.hours == "holder":
            return self.loot.next_local(account.departement, unknown)
        return self.loot.next_number(unknown)

    def pace(self) -> float:
        """Seconds to the next try."""
        between = self.robot.seconds_between
        return self.habits.seconds_between_lookups_busy.draw(self.rng) if isinstance(between, str) else between


class Thief:
    """One robot on one account. `again` opens a session anew, where it can: a stolen one cannot be had twice.

    `home` is the holder's own network, where the robot works from there; else it comes from networks of its own.
    """

    def __init__(  # noqa: PLR0917  # the attack, then what it has of the account
        self,
        attack: Attack,
        account: Account,
        key: bytes,
        device: str,
        number: int,
        again: Callable[[], bytes] | None = None,
        home: str | None = None,
    ) -> None:
        self._attack = attack
        self._account = account
        self._device = device
        self._number = number
        self._again = again
        self._home = home
        self._tried = 0
        self._way = "list" if attack.robot.people_per_answer > 1 else "api"
        self._bring(key)

    def _bring(self, key: bytes) -> None:
        base = [*JSON_FIELDS, (b"user-agent", self._device.encode("ascii"))]
        self._plain = Fields(list(base))
        self._form = Fields([*base, (b"content-type", b"application/x-www-form-urlencoded")])
        self._plain.session = self._form.session = key
        self._key = key
        self._peer = ""
        self._come_from(self._number if self._attack.many_networks else 0)

    def _come_from(self, network: int) -> None:
        self._peer = self._home or f"{ROBOTS}{network % _NETWORKS}.5"
        self._plain.binding = self._form.binding = None

    def act(self) -> Actor:
        """Until the list, the session or the time has ended."""
        attack, simulation = self._attack, self._attack.simulation
        while simulation.now < attack.ends:
            opens = self._opens()
            if opens > simulation.now:
                yield opens
                continue
            number = self._number_to_try()
            if number is None:
                return
            client = self._ask(self._way, number)
            if not client.done:
                yield client
            if client.status in _ANSWERED:
                yield simulation.now + attack.pace()
                continue
            if client.reason == Reason.SIGN_IN_REQUIRED:
                if self._again is None:
                    return
                self._bring(self._again())
            yield from self._try_on(number)

    def _opens(self) -> float:
        """When this robot may work: always, or in the hours of the account."""
        now, account = self._attack.simulation.now, self._account
        if self._attack.robot.hours is None:
            return now
        local = now + account.offset
        day = int(local / DAY)
        since = (local - account.kind.begins) % DAY
        working = account.kind.kind == "duty-pharmacy-night" or day % 7 != 6  # noqa: PLR2004  # Sunday
        if since < account.kind.lasts and working:
            return now
        return now + DAY - since

    def _number_to_try(self) -> str | None:
        attack, known = self._attack, self._account.known
        if known and attack.rng.random() < attack.robot.known_people_share:
            return attack.loot.people.number(attack.rng.choice(known))
        return attack.next_number(self._account)

    def _try_on(self, number: str) -> Actor:
        """By every other way; then pauses that grow, each time from elsewhere."""
        attack, simulation = self._attack, self._attack.simulation
        for way in _WAYS:
            if way == self._way:
                continue
            yield simulation.now + attack.pace()
            client = self._ask(way, number)
            if not client.done:
                yield client
            if client.status in _ANSWERED and client.status != 400:  # noqa: PLR2004  # Bad Request
                self._way = way
                yield simulation.now + attack.pace()
                return
        pause = _PAUSES[min(self._tried, len(_PAUSES) - 1)]
        self._tried += 1
        until = simulation.now + pause
        while simulation.now < until:
            yield min(until, simulation.now + _KEEP_ALIVE_SECONDS)
            self._attack.simulation.ask(self._get("/accueil"))
        self._come_from(self._number + self._tried)

    def _ask(self, way: str, number: str) -> DrillClient:
        attack = self._attack
        if attack.many_networks and attack.simulation.asked % _NETWORK_FOR == 0:
            self._come_from(attack.rng.randrange(_NETWORKS))
        return attack.simulation.ask(self._request(way, number), attack.exposure)

    def _request(self, way: str, number: str) -> Request:
        if way == "api":
            return look(number, self._plain, self._peer)
        if way == "path":
            return self._get(f"/infopatient/{number}")
        if way == "list":
            return self._get("/patients", b"page=%d" % self._attack.loot.next_page())
        if way == "form":
            return posted("/infopatient", f"nir={number}", self._form, self._peer)
        return posted("/aat", f"nir={number}&debut=2027-01-04&fin=2027-01-08", self._form, self._peer)

    def _get(self, path: str, query: bytes = b"") -> Request:
        target = path.encode("ascii") + (b"?" + query if query else b"")
        return Request("GET", target, path, query, self._plain, "portal.example", self._peer, secure=True)


def posted(path: str, form: str, sent: Fields, peer: str) -> Request:
    """A form sent whole."""
    body = Body(len(form), _FORM_LIMIT, _go_on)
    body.feed(form.encode("ascii"))
    body.finish()
    return Request("POST", path.encode("ascii"), path, b"", sent, "portal.example", peer, secure=True, body=body)


def _go_on(_yes: bool) -> None:
    """Nobody holds a whole body back."""


class Resident:
    """Malware on the holders' own machines: rides each session, device and network, at the pace of hands."""

    def __init__(self, attack: Attack) -> None:
        self._attack = attack

    def ride(self, account: Account, holder: Holder) -> None:
        """The holder has just seen somebody: every so often, somebody else is looked at after him."""
        attack = self._attack
        share = attack.robot.extra_people_share_of_holder_volume or 0.0
        now = attack.simulation.now
        if attack.exposure.began <= now < attack.ends and attack.rng.random() < share:
            attack.simulation.send_in(self._look(account, holder), now + attack.pace())

    def _look(self, account: Account, holder: Holder) -> Actor:
        attack = self._attack
        number = attack.next_number(account)
        if number is None or holder.session is None:
            return
        client = attack.simulation.ask(account.request(holder, number), attack.exposure)
        if not client.done:
            yield client
        if client.shown:
            attack.by_account.append((attack.simulation.now, account.number, client.shown))
