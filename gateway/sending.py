# SPDX-License-Identifier: EUPL-1.2
"""Sends a work that was kept, once, on its person's word: the request walks the whole hallway again, as any other does.

The hallway is the same; two of its doors are watched. The portal's: the work is marked `sending`, durably, before the
first byte goes, and what comes of it is written down. The keeper's: a new challenge leaves the work waiting where it
is. Whether the browser stays or not, what was begun is ended. An answer whose work may be gone is never a refusal that
says "try again": the browser is shown what is known of the work instead.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import urljoin

from gateway.enforcement import Enforcement
from gateway.errors import HerseError, Refused
from gateway.listener.asgi import HallwayApp
from gateway.model import Reason
from gateway.pages.answers import CONTINUE_PATH
from gateway.pages.headers import SECURITY_HEADERS
from gateway.pending import Pending
from gateway.upstream.exchange import Body, DisconnectedError, Fields

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    from gateway.identity.kept_work import Kept, KeptWork, Owner, Work
    from gateway.listener.strict import Limits
    from gateway.upstream.answer import Answer, WholeAnswer
    from gateway.upstream.exchange import BodySink, Client, Headers, Request
    from gateway.visit import HallwayDoors, PortalDoor, Visit

    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]

log = logging.getLogger("gateway.sending")

_SEE_OTHER: Final = 303
# Of the confirming request, what tells of its own small form and not of the work.
_OF_THE_FORM: Final = frozenset(
    (b"content-type", b"content-length", b"transfer-encoding", b"content-encoding", b"expect", b"connection", b"te")
)


class WorkSender:
    """Gives for each work the ASGI application that sends it. One instance per process."""

    def __init__(self, hallway: Enforcement, doors: HallwayDoors, kept: KeptWork, limits: Limits) -> None:
        self._hallway = hallway
        self._doors = doors
        self._kept = kept
        self._limits = limits
        self._going: set[str] = set()

    def sender(self, kept: Kept, owner: Owner, *, shows: bool) -> Sending | None:
        """The one that sends this work; None if it does not wait, or another confirmation is on its way with it.

        `shows`: whether whoever confirms can make something of the portal's answer; else he is told how it went.
        """
        work = self._kept.open(kept.reference, owner, self._doors.clock())
        if work is None or kept.reference in self._going:
            return None
        doors = replace(self._doors, policy=self._hallway.policy)
        return Sending(kept.reference, owner, work, self._kept, doors, self._limits, self._going, shows=shows)


class Sending:
    """One work on its way: the hallway's portal and keeper, and an ASGI application around that hallway."""

    def __init__(  # noqa: PLR0917  # what is sent, whose it is, and the doors it goes through
        self,
        reference: str,
        owner: Owner,
        work: Work,
        kept: KeptWork,
        doors: HallwayDoors,
        limits: Limits,
        going: set[str],
        *,
        shows: bool,
    ) -> None:
        self._reference = reference
        self._owner = owner
        self._work = work
        self._kept = kept
        self._doors = doors
        self._limits = limits
        self._going = going
        self._shows = shows
        self._passed = False  # the answer that leaves is the portal's own
        self._taken = False  # the work is, or was, not waiting any more
        self._ended = asyncio.Event()  # the answer's head has left, or never will
        self._silent = False  # what still comes of the answer is nobody's
        self._whole = False  # its end has left too

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer the confirming request of `scope` by what comes of the work."""
        self._going.add(self._reference)
        try:
            await HallwayApp(self, self._limits)(self._scope(scope), self._receive(receive), self._send(send))
        finally:
            self._going.discard(self._reference)
        if not self._ended.is_set():
            await self._tell(send, [])
        elif not self._whole:
            raise DisconnectedError  # it broke on its way: it must not look whole

    def enter(self, request: Request, client: Client) -> None:
        """Walk the work through a hallway whose doors are watched, whole from the start."""
        request.body = WatchedBody(self._work.body)
        Enforcement(replace(self._doors, portal=_Watched(self, self._doors.portal), keeper=self)).enter(request, client)

    def turn_away(self, reason: Reason, headers: Headers, client: Client) -> None:
        """Answer a head that was refused before it could be judged."""
        Enforcement(self._doors).turn_away(reason, headers, client)

    async def keep(self, visit: Visit) -> str | None:  # noqa: ARG002  # the hallway's keeper
        """The work waits already: where it is."""
        return self._reference

    def begin(self) -> None:
        """Mark the work, before anything goes. Refused(BUSY) if another has it."""
        self._taken = True
        if not self._kept.begin(self._reference, self._owner, self._doors.clock()):
            raise Refused(Reason.BUSY)

    def settle(self, asked: Pending[Answer | WholeAnswer], *, begun: bool) -> None:
        """Write down what came of it. What cannot be written stays `sending`, and is unknown after the next start."""
        at = self._doors.clock()
        try:
            try:
                status = asked.result().status
            except HerseError:
                if begun:
                    self._kept.unknown(self._reference, at)
                else:  # no connection was free, or none could be made: nothing went
                    self._kept.back_to_waiting(self._reference, at)
                    self._taken = False
            else:
                self._kept.sent(self._reference, status, at)
        except Exception as error:  # noqa: BLE001  # the walk goes on: the work is safe, it is never sent again
            log.error("not-settled", extra={"error": type(error).__name__})  # noqa: TRY400

    def let_go(self, answer: Answer | WholeAnswer, client: Client, lines: bytes) -> None:
        """Relay the portal's answer, and know it as such."""
        self._passed = True
        try:
            answer.relay(client, lines)
        except Refused:
            self._passed = False
            raise

    def as_it_was(self, request: Request) -> Fields:
        """The fields that the portal gets: those of the work, and the confirming browser's cookies and name."""
        of_browser = [field for field in request.headers if field[0] in {b"cookie", b"user-agent"}]
        return Fields([*self._work.fields, *of_browser])

    def _scope(self, scope: Message) -> Message:
        """The kept request as ASGI says it: its method and target, the browser's fields, its own type and length."""
        work = self._work
        fields: Headers = [field for field in scope["headers"] if field[0] not in _OF_THE_FORM]
        fields += [field for field in work.fields if field[0] == b"content-type"]
        fields.append((b"content-length", b"%d" % len(work.body)))
        return {**scope, "method": work.method, "raw_path": work.target, "query_string": b"", "headers": fields}

    def _receive(self, receive: Receive) -> Receive:
        """The kept body; a browser that goes away is heard of once the answer's head has left, not before."""
        pieces = iter((self._work.body,))

        async def give() -> Message:
            for piece in pieces:
                return {"type": "http.request", "body": piece, "more_body": False}
            await self._ended.wait()
            return {"type": "http.disconnect"} if self._silent else await receive()

        return give

    def _send(self, send: Send) -> Send:
        """The answer as it is, if it is the portal's to show or a refusal of work that still waits."""

        async def take(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._ended.set()
                self._silent = self._taken and not (self._passed and self._shows)
                if self._silent:
                    await self._tell(send, message["headers"] if self._passed else [])
                else:
                    await send({**message, "headers": [self._located(field) for field in message["headers"]]})
            elif not self._silent:
                self._whole = not message.get("more_body", False)
                await send(message)

        return take

    async def _tell(self, send: Send, answered: Headers) -> None:
        """Send the browser to the page of this work, with the cookies that the portal gave."""
        self._whole = True
        where = (b"location", f"{CONTINUE_PATH}?to={self._reference}".encode("ascii"))
        cookies = [field for field in answered if field[0] == b"set-cookie"]
        headers = [*SECURITY_HEADERS, *cookies, where, (b"content-length", b"0")]
        await send({"type": "http.response.start", "status": _SEE_OTHER, "headers": headers})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _located(self, field: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
        """A `Location` relative to the address of the work, made absolute: the browser stands at another one."""
        name, value = field
        if name != b"location" or value.startswith(b"/"):
            return field
        try:
            return name, urljoin(self._doors.origin.encode("ascii") + self._work.target, value)
        except ValueError:  # no address at all: as the portal gave it
            return field


class _Watched:
    """The portal, for one work."""

    def __init__(self, sending: Sending, portal: PortalDoor) -> None:
        self._sending = sending
        self._portal = portal

    def forward(
        self, request: Request, client: Client, identity: bytes | None, *, metered: bool = False, streams: bool = False
    ) -> Pending[Answer | WholeAnswer]:
        """Mark the work, send it as it first came, and tell what became of it before the hallway hears of it."""
        sending = self._sending
        sending.begin()
        body = cast("WatchedBody", request.body)
        told: Pending[Answer | WholeAnswer] = Pending()
        walked, request.fields = request.fields, sending.as_it_was(request)
        try:
            asked = self._portal.forward(request, client, identity, metered=metered, streams=streams)
        finally:
            request.fields = walked

        def done() -> None:
            sending.settle(asked, begun=body.begun)
            try:
                answer = asked.result()
            except HerseError as error:
                told.fail(error)
            else:
                told.resolve(_WatchedAnswer(sending, answer))  # type: ignore[arg-type]  # as much as the hallway uses

        asked.on_done(done)
        return told


class WatchedBody(Body):
    """The body of a work, which knows whether a connection has begun to send it."""

    __slots__ = ("begun",)

    def __init__(self, data: bytes) -> None:
        super().__init__(len(data), len(data), lambda _: None)
        self.begun = False
        self.feed(data)
        self.finish()

    def pipe(self, sink: BodySink) -> None:
        """Hand everything to the connection: from here on the portal may have it."""
        self.begun = True
        super().pipe(sink)


class _WatchedAnswer:
    """The portal's answer, which tells when it is let go."""

    def __init__(self, sending: Sending, answer: Answer | WholeAnswer) -> None:
        self._sending = sending
        self._answer = answer
        self.status = answer.status
        self.lines = answer.lines
        self.upgraded = answer.upgraded

    def relay(self, client: Client, lines: bytes) -> None:
        """Let the answer go, with these lines."""
        self._sending.let_go(self._answer, client, lines)

    def discard(self) -> None:
        """Never let it go."""
        self._answer.discard()
