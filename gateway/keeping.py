# SPDX-License-Identifier: EUPL-1.2
"""What is kept when a proof is asked for: a form or a JSON document, of a session that is signed in, sent by our pages.

A request that another site made a browser send is never kept: its `Origin` is ours exactly, or it has none and
`Sec-Fetch-Site` says so. Nothing that belongs to the browser or its connection is kept: cookies, host and name come
from whoever confirms. Writing to the disk happens on a thread of its own; the loop waits for nothing.
"""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from gateway.errors import Refused
from gateway.identity.kept_work import Owner, Work
from gateway.identity.returns import is_own_target
from gateway.pending import Pending
from gateway.upstream.exchange import DisconnectedError

if TYPE_CHECKING:
    from concurrent.futures import Future

    from gateway.identity.kept_work import KeptWork
    from gateway.upstream.exchange import Request
    from gateway.visit import Visit

log = logging.getLogger("gateway.keeping")

_SAFE: Final = frozenset(("GET", "HEAD", "OPTIONS"))
_FORM: Final = b"application/x-www-form-urlencoded"
_JSON: Final = b"application/json"
# Of the browser and its connection, or of the framing: the one that confirms has its own.
OF_THE_BROWSER: Final = frozenset(
    (
        *(b"cookie", b"host", b"user-agent", b"connection", b"keep-alive", b"te", b"trailer", b"upgrade"),
        *(b"proxy-connection", b"content-length", b"transfer-encoding", b"expect", b"http2-settings"),
    )
)


class Keeper:
    """Keeps what a challenged session had sent, up to `form_bytes`. `close` waits for what is being written."""

    def __init__(self, kept: KeptWork, origin: str, form_bytes: int) -> None:
        self._kept = kept
        self._origin = origin.encode("ascii")
        self._form_bytes = form_bytes
        self._thread = ThreadPoolExecutor(1, "keeper")

    async def keep(self, visit: Visit) -> str | None:
        """Keep the request of this visit and give its reference; None if it is nothing to keep, or could not be."""
        request, session, teleservice = visit.request, visit.session, visit.decision.rule
        if session is None or request.body is None or teleservice is None or not self._may_be_kept(request):
            return None
        try:
            body = await request.body.hold(self._form_bytes)
        except (Refused, DisconnectedError):
            return None
        account = session.subject.account
        if session.ended or account is None:
            return None
        fields = tuple(field for field in request.headers if field[0] not in OF_THE_BROWSER)
        work = Work(request.method, request.target, fields, body, self._page_before(request))
        pieces = body.count(b"&") + 1 if _type(request) == _FORM else 0
        owner = Owner(account, session.reference)
        stored = self._thread.submit(self._kept.keep, work, teleservice, pieces, owner, visit.at)
        try:
            return await _resolved(stored)
        except Exception as error:  # noqa: BLE001  # what cannot be kept is told as lost; the proof is asked all the same
            log.warning("not-kept", extra={"error": type(error).__name__, "request": request.id.hex()})
            return None

    def _may_be_kept(self, request: Request) -> bool:
        """Whether the request is work, in a form that can be sent again as it was, and no other site made it."""
        if request.method in _SAFE or request.upgrade or request.header(b"content-encoding"):
            return False
        if _type(request) not in {_FORM, _JSON}:
            return False
        origins, sites = request.header_all(b"origin"), request.header_all(b"sec-fetch-site")
        if origins:
            return origins == [self._origin] and sites in ([], [b"same-origin"])
        return sites == [b"same-origin"]

    def _page_before(self, request: Request) -> str:
        """The page of ours that the browser says this was sent from, as a path; empty if it says none."""
        page = request.header(b"referer")
        path = page[len(self._origin) :].decode("latin-1") if page.startswith(self._origin + b"/") else ""
        return path if is_own_target(path) else ""

    def close(self) -> None:
        """Write what was taken, and end."""
        self._thread.shutdown(wait=True)


def _type(request: Request) -> bytes:
    named = request.header_all(b"content-type")
    return named[0].split(b";", 1)[0].strip().lower() if len(named) == 1 else b""


def _resolved(stored: Future[str]) -> Pending[str]:
    """What a thread will give, for a walk in this loop."""
    pending: Pending[str] = Pending()
    loop = asyncio.get_running_loop()

    def hand_over() -> None:
        error = stored.exception()
        if error is None:
            pending.resolve(stored.result())
        else:
            pending.fail(error)

    def done(_: Future[str]) -> None:
        with suppress(RuntimeError):  # the loop ended meanwhile: nobody waits any more
            loop.call_soon_threadsafe(hand_over)

    stored.add_done_callback(done)
    return pending
