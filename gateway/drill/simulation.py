# SPDX-License-Identifier: EUPL-1.2
"""Simulated time: a heap of who goes on when, and the one gate through which everybody asks.

Whoever acts is a generator. It yields a time (seconds since the start) to sleep until it, or a client whose answer is
not there yet (a delay) to wait for it. Between two yields no time passes. `Enforcement` is the hallway's own;
`OpenGate` is the portal without Herse.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from heapq import heappop, heappush, heapreplace
from itertools import count
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

from gateway.drill.twins import DrillClient
from gateway.pending import Pending

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from gateway.drill.exposure import Exposure
    from gateway.drill.twins import PortalTwin
    from gateway.upstream.exchange import Client, Request

START: Final = datetime(2027, 1, 4, tzinfo=UTC)
"""A Monday of winter: France is an hour ahead of UTC."""
DAY: Final = 86_400
BEFORE: Final = -1.0 * DAY
"""When simulated time begins: day 0 is under way overseas before it begins at UTC."""

Actor: TypeAlias = "Generator[float | DrillClient, None, None]"


class Gate(Protocol):
    """Where requests go in."""

    def enter(self, request: Request, client: Client) -> None:
        """Walk one request; the answer goes to `client`."""


class OpenGate:
    """The portal without Herse: every request is answered."""

    def __init__(self, portal: PortalTwin) -> None:
        self._portal = portal

    def enter(self, request: Request, client: Client) -> None:
        """See Gate."""
        self._portal.answer(request, client).relay(client, b"")


class Simulation:
    """One run. `gate` is set before anybody is sent in, by whoever builds it with `clock` and `wait`."""

    gate: Gate
    client: Callable[[Exposure | None, float], DrillClient]
    """What makes the client of each request."""

    def __init__(self) -> None:
        self.now = BEFORE
        self.asked = 0
        self.client = DrillClient
        self._heap: list[tuple[float, int, Actor | Callable[[], None]]] = []
        self._order = count()

    def clock(self) -> datetime:
        """See HallwayDoors."""
        return START + timedelta(seconds=self.now)

    def at(self, when: float) -> datetime:
        """A time of this drill as others know it."""
        return START + timedelta(seconds=when)

    def wait(self, seconds: float) -> Pending[None]:
        """See HallwayDoors: resolved so much later."""
        pending: Pending[None] = Pending()
        heappush(self._heap, (self.now + seconds, next(self._order), lambda: pending.resolve(None)))
        return pending

    def ask(self, request: Request, exposure: Exposure | None = None) -> DrillClient:
        """Send a request in; its client is done, unless it is held back."""
        self.asked += 1
        client = self.client(exposure, self.now)
        self.gate.enter(request, client)
        return client

    def send_in(self, actor: Actor, when: float) -> None:
        """Let somebody act from then on."""
        heappush(self._heap, (when, next(self._order), actor))

    def run(self, until: float, passed: Callable[[float], None] | None = None) -> None:
        """Go on until nobody has anything left to do before `until`. `passed` hears of each simulated hour."""
        heap, order = self._heap, self._order
        told = BEFORE
        while heap and heap[0][0] <= until:
            when, _, actor = heap[0]
            if when > self.now:
                self.now = when
                if passed is not None and when - told >= 3600:  # noqa: PLR2004  # an hour
                    told = when
                    passed(when)
            if callable(actor):
                heappop(heap)
                actor()
                continue
            goes_on = next(actor, None)  # whoever is let in meanwhile comes after: this one is still the first
            if goes_on is None:
                heappop(heap)
            elif isinstance(goes_on, DrillClient):
                heappop(heap)
                goes_on.then = partial(self._go_on, actor)
            else:
                heapreplace(heap, (max(goes_on, self.now), next(order), actor))
        self.now = max(self.now, until)

    def _go_on(self, actor: Actor) -> None:
        self.send_in(actor, self.now)
