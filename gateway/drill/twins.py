# SPDX-License-Identifier: EUPL-1.2
"""The twins of the hallway's doors where a door is only I/O: sessions, portal, assertions, keeper, and the client.

Each obeys the Protocol of the real one: sessions end as real ones do and a fresh proof gives a new token; the portal
answers from a people list. Never here: policy, budgets, or anything else that decides.
"""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from gateway.demo.number import canonical
from gateway.drill.exposure import PER_PAGE
from gateway.homes import HOME_FOR
from gateway.identity.binding import binding
from gateway.identity.session import Session
from gateway.model import Level
from gateway.pending import Pending
from gateway.upstream.answer import WholeAnswer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime, timedelta

    from gateway.drill.exposure import Exposure
    from gateway.drill.people import People
    from gateway.model import Proof, Subject
    from gateway.upstream.answer import Answer
    from gateway.upstream.exchange import Client, Flow, Request
    from gateway.visit import Visit

_LINES: Final = b"\r\ncontent-type: application/json"
_FORM_BYTES: Final = 65_536
_CANONICAL: Final = 13
_OK, _NOT_FOUND, REFUSED_FROM = 200, 404, 400
_REASON: Final = "urn:herse:reason:"


class DrillClient:
    """Who asked. Takes the answer, and notes as shown whom the portal put into it, as far as it arrived."""

    __slots__ = (
        "_bytes",
        "challenged",
        "done",
        "ended",
        "exposure",
        "flow",
        "held",
        "now",
        "page",
        "shown",
        "status",
        "then",
    )

    def __init__(self, exposure: Exposure | None, now: float) -> None:
        self.flow: Flow | None = None
        self.ended: Callable[[], None] | None = None
        self.exposure = exposure
        self.now = now
        self.held: Sequence[tuple[int, bytes]] = ()
        """Whom the portal put into the answer: index and number as it stands there."""
        self.page: tuple[int, int] | None = None
        """In place of `held`, where nothing stands between portal and client: page and how many people."""
        self.status = 0
        self.challenged = False
        self.shown = 0
        self.done = False
        self.then: Callable[[], None] | None = None
        self._bytes = b""

    @property
    def reason(self) -> str | None:
        """Why not, from the problem document of the answer; None for an answer of the portal."""
        kind = str(self._problem().get("type", ""))
        return kind.removeprefix(_REASON) if kind.startswith(_REASON) else None

    @property
    def budget(self) -> str:
        """Which budget it was, as the problem document tells it: `missed, account, 60 in 24.0 h`; empty for none."""
        told = self._problem().get("budget")
        if told is None:
            return ""
        size = f", {told['people']} in {told['window_seconds'] / 3600:.1f} h" if "people" in told else ""
        return f"{told['counts']}, {told['per']}{size}"

    def _problem(self) -> dict[str, Any]:
        if self.status < REFUSED_FROM or not self._bytes.startswith(b"{"):
            return {}
        told: dict[str, Any] = json.loads(self._bytes)
        return told

    def start(self, status: int, lines: bytes, length: int | None, first: bytes, complete: bool) -> None:  # noqa: ARG002  # the door's
        """See Client."""
        self.status = status
        self.challenged = status >= REFUSED_FROM and b"www-authenticate" in lines
        self._bytes = first
        if complete:
            self.finish()

    def send(self, data: bytes) -> None:
        """See Client."""
        self._bytes += data

    def finish(self) -> None:
        """See Client."""
        exposure = self.exposure
        if exposure is not None and self.status < REFUSED_FROM:
            before = exposure.count
            for index, number in self.held:
                if number in self._bytes:
                    exposure.show(index, self.now)
            if self.page is not None:
                exposure.show_page(*self.page, self.now)
            self.shown = exposure.count - before
        self.done = True
        if self.then is not None:
            self.then()

    def abort(self) -> None:
        """See Client: what came before the cut was seen all the same."""
        self.finish()

    def switch(self, lines: bytes, receiver: Callable[[bytes], None]) -> None:
        """See Client; no robot of ours opens a tunnel."""

    def hold(self, yes: bool) -> None:
        """See Client."""


class PortalTwin:
    """The demo portal's look-ups, lists and sick leaves over a people list. `whole_pages`: lists without their text."""

    def __init__(self, people: People, *, whole_pages: bool = False) -> None:
        self._people = people
        self._whole_pages = whole_pages

    def forward(  # the door's
        self,
        request: Request,
        client: Client,
        identity: bytes | None,  # noqa: ARG002
        *,
        metered: bool = False,  # noqa: ARG002
        streams: bool = False,  # noqa: ARG002
    ) -> Pending[Answer | WholeAnswer]:
        """See PortalDoor: answers at once."""
        pending: Pending[Answer | WholeAnswer] = Pending()
        pending.resolve(self.answer(request, client))
        return pending

    def answer(self, request: Request, client: Client) -> WholeAnswer:
        """What the portal says, with whom it shows noted at the client."""
        path = request.path
        if path == "/patients":
            return self._page(int(request.query.removeprefix(b"page=") or b"1"), client)
        if request.body is not None:
            form = request.body.hold(_FORM_BYTES).result()
            text = dict(pair.partition("=")[::2] for pair in form.decode("ascii").split("&")).get("nir", "")
        elif "infopatient/" in path:
            text = path.rpartition("/")[2]
        else:
            return WholeAnswer(_OK, _LINES, b"{}")
        number = text if len(text) == _CANONICAL else canonical(text)
        index = None if number is None else self._people.find(number)
        if index is None or number is None:
            return WholeAnswer(_NOT_FOUND, _LINES, b'{"found": false}')
        written = number.encode("ascii")
        if isinstance(client, DrillClient):
            client.held = ((index, written),)
        return WholeAnswer(_OK, _LINES, b'{"nir": "%b"}' % written)

    def _page(self, page: int, client: Client) -> WholeAnswer:
        first = (page - 1) * PER_PAGE
        indexes = range(first, min(first + PER_PAGE, self._people.count))
        if not indexes:
            return WholeAnswer(_NOT_FOUND, _LINES, b'{"found": false}')
        if self._whole_pages:
            if isinstance(client, DrillClient):
                client.page = (page - 1, len(indexes))
            return WholeAnswer(_OK, _LINES, b"{}")
        numbers = [self._people.number(index) for index in indexes]
        if isinstance(client, DrillClient):
            client.held = tuple((index, number.encode("ascii")) for index, number in zip(indexes, numbers, strict=True))
        pages = -(-self._people.count // PER_PAGE)
        told = {"page": page, "pages": pages, "people": [{"fictive": True, "nir": number} for number in numbers]}
        return WholeAnswer(_OK, _LINES, json.dumps(told).encode("ascii"))


class SessionsTwin:
    """Living sessions, in memory alone; they end and are strengthened as `identity.session` does it."""

    def __init__(self, idle: timedelta, absolute: timedelta) -> None:
        self._idle = idle
        self._absolute = absolute
        self._live: dict[bytes, Session] = {}
        self._numbers = count(1)
        self._homes: dict[tuple[str, str], datetime] = {}

    def open(self, subject: Subject, at: datetime, network: str, device: str) -> Session:
        """A new session; its `digest` is the key that requests come with."""
        digest = self._key()
        named = replace(subject, session=digest[:8].hex())
        session = self._live[digest] = Session(digest, named, at, at, at + self._absolute, network, device)
        self._proved(session, at)
        return session

    def living(self, key: bytes, at: datetime) -> Session | None:
        """See SessionsDoor."""
        session = self._live.get(key)
        if session is None:
            return None
        if at >= session.expires_at or at - session.seen_at >= self._idle:
            self.end(session)
            return None
        session.seen_at = at
        return session

    def lives(self, session: Session, at: datetime) -> bool:
        """Whether a request would find it, without touching it."""
        return not session.ended and at < session.expires_at and at - session.seen_at < self._idle

    def strengthen(self, session: Session, proofs: Sequence[Proof], at: datetime, network: str, device: str) -> None:
        """Renew proofs: the old key is dead, the session is bound to here."""
        assurance = session.subject.assurance
        for proof in proofs:
            assurance = assurance.with_proof(proof)
        self._live.pop(session.digest, None)
        session.digest = self._key()
        session.subject = replace(session.subject, assurance=assurance)
        session.network, session.device, session.binding = network, device, binding(network, device)
        session.seen_at = at
        session.suspected, session.unanswered, session.strangers = False, 0, 0
        self._live[session.digest] = session
        self._proved(session, at)

    def known(self, session: Session, bound: tuple[str, str], at: datetime) -> bool:
        """See HomesDoor."""
        proved = self._homes.get((session.subject.account or "", bound[0]))
        return bound[1] == session.binding.client and proved is not None and at - proved <= HOME_FOR

    def _proved(self, session: Session, at: datetime) -> None:
        if session.subject.assurance.level >= Level.MFA:
            self._homes[session.subject.account or "", session.binding.network] = at

    def end(self, session: Session) -> None:
        """Dead from now on."""
        session.ended = True
        self._live.pop(session.digest, None)

    def watch(self, session: Session, callback: Callable[[], None]) -> None:
        """See SessionsDoor; nothing streams in a drill."""

    def unwatch(self, session: Session, callback: Callable[[], None]) -> None:
        """See SessionsDoor."""

    def _key(self) -> bytes:
        return next(self._numbers).to_bytes(8, "big") + bytes(24)


class AssertionsTwin:
    """The portal twin believes everybody: one value for all."""

    def of(self, subject: Subject, at: datetime) -> bytes:  # noqa: ARG002  # the door's
        """See Assertions."""
        return b"drill"

    def jwks(self) -> dict[str, Any]:
        """See AssertionsDoor: nothing is signed."""
        return {"keys": []}


class KeeperTwin:
    """Keeps nothing of what a challenged form held."""

    async def keep(self, visit: Visit) -> str | None:  # noqa: ARG002  # the door's
        """See KeeperDoor."""
        return None
