# SPDX-License-Identifier: EUPL-1.2
"""A portal, a gate and a client at hand for the tests of scanned answers; the readers are the real ones. No tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.metering.scan_text import TextRecords
from gateway.pending import Pending
from gateway.upstream.answer import Answer, WholeAnswer
from gateway.upstream.scanned import ScannedAnswer

if TYPE_CHECKING:
    from gateway.model.unread import Unread
    from gateway.upstream.scanned_gate import Ending

NIRS = ("185057800608491", "204037505612395", "190129710501239", "288099741124535", "195119760800323")
PEOPLE = tuple(nir[:13] for nir in NIRS)
ROWS = tuple(f"<tr><td>nom{place}</td><td>{nir}</td></tr>".encode() for place, nir in enumerate(NIRS))
HEAD, FOOT = b"<table>", b"</table>"
PAGE = HEAD + b"".join(ROWS) + FOOT
LINES = b"\r\ncontent-type: text/html"


class Source:
    """The connection an answer comes from."""

    def __init__(self) -> None:
        self.held = True
        self.dropped = False

    def hold(self, yes: bool) -> None:
        self.held = yes

    def drop(self) -> None:
        self.dropped = True

    def raw(self, data: bytes) -> None:
        raise AssertionError("no tunnel")


class Gate:
    """Lets so many people go, at once or when told to."""

    def __init__(self, budget: int = 1_000, *, waits: bool = False, passes: bool = False) -> None:
        self.budget = budget
        self.asked: list[list[str]] = []
        self.why: list[Unread] = []
        self.endings: list[tuple[frozenset[str], Ending]] = []
        self.waiting: list[tuple[Pending, object]] = []
        self._waits = waits
        self._passes = passes

    def release(self, people):
        self.asked.append(list(people))
        granted = min(len(people), self.budget)
        self.budget -= granted
        return self._answer(granted)

    def unread(self, why):
        self.why.append(why)
        return self._answer(self._passes)

    def ended(self, found, ending, *, left):
        self.left = left
        self.endings.append((found, ending))

    def _answer(self, value):
        pending: Pending = Pending()
        if self._waits:
            self.waiting.append((pending, value))
        else:
            pending.resolve(value)
        return pending

    def go(self) -> None:
        pending, value = self.waiting.pop(0)
        pending.resolve(value)


class Taker:
    """A client that keeps what it is given."""

    def __init__(self, *, stalls: bool = False) -> None:
        self.flow = None
        self.ended = None
        self.head: tuple | None = None
        self.body = b""
        self.over = ""
        self._stalls = stalls

    def start(self, status, lines, length, first, complete):
        assert self.head is None
        self.head = (status, lines, length)
        self.body = first
        self.over = "finished" if complete else ""

    def send(self, data):
        assert self.head is not None
        assert not self.over
        self.body += data
        if self._stalls:
            self.flow.pause()

    def finish(self):
        assert not self.over
        self.over = "finished"

    def abort(self):
        assert not self.over
        self.over = "aborted"

    def switch(self, lines, receiver):
        raise AssertionError("no tunnel")

    def hold(self, yes):
        raise AssertionError("no tunnel")


class Talk:
    """One answer in pieces, its gate and its client."""

    def __init__(
        self,
        *,
        length: int | None = None,
        gate: Gate | None = None,
        border: bytes | None = b"</tr>",
        records=None,
        hold: int = 4_096,
        unread: Unread | None = None,
        stalls: bool = False,
    ) -> None:
        self.source, self.gate, self.taker = Source(), gate or Gate(), Taker(stalls=stalls)
        self.answer = Answer(200, LINES, length, self.source, [])
        self.scanned = ScannedAnswer(self.answer, records or TextRecords(border), self.gate, hold, unread)
        self.begun = self.scanned.begin(self.taker)

    def says(self, *pieces: bytes) -> None:
        for piece in pieces:
            self.answer.take([piece])

    def relay(self) -> bytes:
        self.scanned.relay(self.taker, LINES + b"\r\nx: y")
        return self.taker.body


def whole(body: bytes, **how) -> tuple[ScannedAnswer, Gate, Taker, Pending]:
    gate, taker = how.pop("gate", None) or Gate(), Taker()
    scanned = ScannedAnswer(WholeAnswer(200, LINES, body), TextRecords(how.pop("border", b"</tr>")), gate, 4_096, **how)
    return scanned, gate, taker, scanned.begin(taker)
