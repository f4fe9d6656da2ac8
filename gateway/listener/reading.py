# SPDX-License-Identifier: EUPL-1.2
"""Collecting one request head from llhttp, within the limits, up to its judgement. Nothing is answered here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import httptools

from gateway.errors import Refused
from gateway.listener.line import Line
from gateway.listener.strict import PLAIN_GET, judge, judge_fields, weigh
from gateway.model import Reason
from gateway.upstream.exchange import Request

if TYPE_CHECKING:
    import asyncio

    from gateway.listener.doors import Doors
    from gateway.listener.strict import Head, Judged
    from gateway.upstream.exchange import Headers


class HeadReader(Line):
    """The half of a connection that the parser calls. The first fault of a message stands."""

    __slots__ = (
        "_came",
        "_fault",
        "_headers",
        "_in_head",
        "_judged_fields",
        "_may_receive",
        "_parser",
        "_reading",
        "_received",
        "_repeated_at_most",
        "_resting",
        "_tail",
        "_url",
    )

    def __init__(self, doors: Doors, server_state: Any, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(doors, server_state, loop)
        self._parser = httptools.HttpRequestParser(self)
        self._fault: Reason | None = None
        self._reading = 0  # the size of the read under way
        self._resting = True  # between two exchanges: whatever comes begins a head
        self._tail = b""  # what followed the target in the head judged last, if the next one may repeat it
        self._came: Headers = []  # the fields judged last: most requests repeat those of the one before
        self._judged_fields = cast("Judged", None)
        self._repeated_at_most = min(doors.limits.head_bytes, doors.limits.url_bytes)
        self._begin()

    def _begin(self) -> None:
        self._url = b""
        self._headers: Headers = []
        self._received = 0  # bytes since the last progress: a head, or a piece of a body, must come of them
        self._may_receive = self._limits.head_bytes + self._reading  # one read may bring much that came before the head
        self._in_head = False

    def _repeated(self, data: bytes) -> Request | None:
        """The GET that repeats, byte for byte behind its target, the head judged last: it need not be parsed again.

        Only between two exchanges, and only a whole read: what was one head then is one head now.
        """
        tail = self._tail
        if tail and data.endswith(tail) and len(data) <= self._repeated_at_most:
            asked = PLAIN_GET.fullmatch(data, 0, len(data) - len(tail))
            if asked is not None:
                target, path, query = asked.groups(b"")
                fields, _, host = self._judged_fields
                return Request("GET", target, path.decode("ascii"), query, fields, host, self._peer, self._secure)
        return None

    def on_url(self, url: bytes) -> None:
        """Collect the target as it stands on the wire."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Collect a field. A trailer is dropped: it never mixes with the head that was judged."""
        if self._in_head:
            self._headers.append((name, value))

    def _judged(self) -> Head | None:
        """Judge the head that is complete; None with a fault noted."""
        parser, limits = self._parser, self._limits
        try:
            if self._received + self._reading > limits.head_bytes:
                weigh(self._url, self._headers, limits)
            judged = self._judged_fields
            if judged is None or self._headers != self._came:
                judged = self._judged_fields = judge_fields(self._headers, limits)
                self._came = self._headers
            head = judge(parser.get_method(), self._url, parser.get_http_version(), judged, limits)
        except Refused as refused:
            self._stop(refused.reason)
            return None
        self._in_head = False
        self._received = -self._reading
        return head

    def _overweight(self) -> Reason | None:
        """Limit what a head that does not end, or trailers and chunk extensions without a piece of body, may weigh."""
        self._received += self._reading
        if self._in_head and len(self._url) > self._limits.url_bytes:
            return Reason.URL_TOO_LONG
        return Reason.HEAD_TOO_LARGE if self._received > self._may_receive else None

    def _stop(self, reason: Reason) -> None:
        if self._fault is None:
            self._fault = reason
