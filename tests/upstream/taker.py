# SPDX-License-Identifier: EUPL-1.2
"""The portal's door driven without a gateway: a client that keeps what it is given, requests, a loop. No tests here."""

from __future__ import annotations

import asyncio
import time

from gateway.errors import Refused
from gateway.model import Reason
from gateway.upstream.client import Portal, PortalAddress
from gateway.upstream.exchange import Body, Fields, Request


class Taker:
    """A client that keeps what it is given. `stalls`: it holds the portal back with every piece, to the last."""

    def __init__(self, *, stalls: bool = False, switches: bool = True) -> None:
        self.flow = None
        self.ended = None
        self.body = b""
        self.over = ""
        self.held: list[bool] = []
        self._stalls = stalls
        self._switches = switches

    def start(self, status, lines, length, first, complete):
        self.body += first
        self.over = "finished" if complete else ""

    def send(self, data):
        self.body += data
        if self._stalls:
            self.flow.pause()
            asyncio.get_running_loop().call_later(0.02, self.flow.resume)

    def finish(self):
        self.over = "finished"

    def abort(self):
        self.over = "aborted"

    def switch(self, lines, receiver):
        if not self._switches:
            raise Refused(Reason.MALFORMED_REQUEST)
        self.receiver = receiver

    def hold(self, yes):
        self.held.append(yes)


def request(target: bytes = b"/x", method: str = "GET", body: Body | None = None, *, upgrade: bool = False) -> Request:
    return Request(
        method,
        target,
        target.decode(),
        b"",
        Fields([]),
        host="localhost:8443",
        peer="127.0.0.1",
        secure=True,
        body=body,
        upgrade=upgrade,
    )


def run(echo, talk, **address):
    async def whole():
        portal = Portal(
            PortalAddress(echo.url, **{"head_seconds": 1.0, "idle_seconds": 1.0, **address}), b"__Host-herse"
        )
        try:
            return await talk(portal)
        finally:
            await until(lambda: portal.close() or not portal._open)

    return asyncio.run(whole())


async def until(probe, seconds: float = 3.0) -> None:
    end = time.monotonic() + seconds
    while not probe():
        assert time.monotonic() < end, "not so in time"
        await asyncio.sleep(0.01)
