# SPDX-License-Identifier: EUPL-1.2
"""scanned, with a real connection to a portal: held back while the gate is asked, and kept or given up at the end."""

from __future__ import annotations

import asyncio
import gzip

import pytest
from upstream.scanning import NIRS, PAGE, PEOPLE, ROWS, Gate
from upstream.scripts import OK, says
from upstream.taker import Taker, request, run, until

from gateway.errors import Refused
from gateway.metering.scan_text import TextRecords
from gateway.model.unread import Unread
from gateway.upstream.scanned import ScannedAnswer
from gateway.upstream.scanned_gate import Ending
from gateway.upstream.scanned_kind import unread_kind
from support.echo import Echo

TEXT = b"Content-Type: text/html; charset=utf-8\r\n"


class SlowGate(Gate):
    """Answers after a moment, as a ledger does."""

    def __init__(self, budget: int = 1_000, **how) -> None:
        super().__init__(budget, waits=True, **how)

    def _answer(self, value):
        pending = super()._answer(value)
        asyncio.get_running_loop().call_later(0.01, self.go)
        return pending


@pytest.fixture
def echo():
    with Echo() as upstream:
        yield upstream


def chunked(*pieces: bytes) -> list[bytes]:
    framed = [b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces]
    return [OK + TEXT + b"Transfer-Encoding: chunked\r\n\r\n", *framed, b"0\r\n\r\n"]


def measured(*pieces: bytes) -> list[bytes]:
    return [OK + TEXT + b"Content-Length: %d\r\n\r\n" % sum(map(len, pieces)), *pieces]


async def taken(portal, gate, *, hold: int = 4_096, stalls: bool = False) -> tuple[bool, Taker, ScannedAnswer]:
    """One answer through its gate to a client; whether anything of it left."""
    taker = Taker(stalls=stalls)
    answer = await portal.forward(request(b"/list"), taker, None, metered=True).wait()
    kind = unread_kind(answer.lines, as_json=False)
    scanned = ScannedAnswer(answer, TextRecords(b"</tr>"), gate, hold, kind)
    left = await scanned.begin(taker).wait()
    if left:
        scanned.relay(taker, scanned.lines)
        await until(lambda: taker.over)
    else:
        scanned.discard()
    return left, taker, scanned


async def goes_on(portal) -> None:
    taker = Taker()
    (await portal.forward(request(), taker, None).wait()).relay(taker, b"")
    await until(lambda: taker.over)
    assert taker.body == b"/x\n\n"


@pytest.mark.parametrize("framed", [chunked, measured])
@pytest.mark.parametrize("stalls", [True, False])
def test_a_list_in_many_reads_leaves_whole_and_its_connection_is_kept(echo, framed, stalls):
    pieces = [PAGE[at : at + 33] for at in range(0, len(PAGE), 33)]
    echo.on(b"/list", says(*framed(*pieces), pause=0.005))

    async def talk(portal):
        gate = SlowGate()
        left, taker, _ = await taken(portal, gate, stalls=stalls)
        assert (left, taker.body, taker.over) == (True, PAGE, "finished")
        assert gate.endings == [(frozenset(PEOPLE), Ending.WHOLE)]
        assert [one for asked in gate.asked for one in asked] == list(PEOPLE)
        await goes_on(portal)
        assert len({seen.connection for seen in echo.of(b"/list") + echo.of(b"/x")}) == 1

    run(echo, talk)


@pytest.mark.parametrize("framed", [chunked, measured])
def test_a_cut_gives_the_connection_up_and_nobody_gets_the_rest(echo, framed):
    echo.on(b"/list", says(*framed(*[ROWS[0] + ROWS[1], ROWS[2], ROWS[3], ROWS[4]]), pause=0.02))

    async def talk(portal):
        gate = SlowGate(3)
        left, taker, _ = await taken(portal, gate)
        assert (left, taker.body, taker.over) == (True, b"".join(ROWS[:3]), "aborted")
        assert gate.endings[0][1] is Ending.CUT
        await goes_on(portal)
        assert echo.of(b"/x")[-1].connection != echo.of(b"/list")[-1].connection

    run(echo, talk)


def test_a_portal_that_is_faster_than_the_gate_waits(echo):
    """Twelve MB of rows: at no time is more held than a few reads, whatever the gate takes."""
    row = b"<tr><td>" + b"x" * 950 + b"</td></tr>"
    block = row * 999 + ROWS[0]
    echo.on(b"/list", says(*measured(*[block] * 12), pause=0))

    async def talk(portal):
        gate = SlowGate()
        taker = Taker()
        answer = await portal.forward(request(b"/list"), taker, None).wait()
        scanned = ScannedAnswer(answer, TextRecords(b"</tr>"), gate, 65_536)
        await asyncio.sleep(0.1)
        assert await scanned.begin(taker).wait() is True
        await asyncio.sleep(0.1)
        assert len(scanned._held) + len(scanned._ready) < 3 << 19, "before relay the portal waits"
        scanned.relay(taker, scanned.lines)
        most = 0
        while not taker.over:
            most = max(most, len(scanned._held))
            await asyncio.sleep(0)
        assert taker.body == block * 12
        assert most < 1 << 20
        assert gate.asked == [[PEOPLE[0]]]

    run(echo, talk)


def test_a_portal_that_dies_in_its_answer_ends_in_a_cut(echo):
    echo.on(b"/list", says(*measured(*ROWS)[:3], pause=0.05, close=True))

    async def talk(portal):
        left, taker, _ = await taken(portal, SlowGate())
        assert (left, taker.body, taker.over) == (True, ROWS[0] + ROWS[1], "aborted")

    run(echo, talk)


HOSTILE = {
    "bomb": (b"text/html\r\nContent-Encoding: gzip", gzip.compress(b"0" * 10_000_000), Unread.CODED),
    "UTF-16": (b"text/html; charset=utf-16", PAGE.decode().encode("utf-16"), Unread.CHARSET),
    "UTF-16 untold": (b"text/html", PAGE.decode().encode("utf-16"), Unread.BINARY),
    "parts": (b"multipart/mixed; boundary=x", b"--x\r\n\r\n" + PAGE + b"--x--", Unread.KIND),
    "events": (b"text/event-stream", b"data: " + NIRS[0].encode() + b"\n\n", Unread.KIND),
    "document": (b"application/pdf", b"%PDF-1.7 " + PAGE, Unread.KIND),
    "endless row": (b"text/html", b"<tr>" + b"x" * 9_000, Unread.TOO_LARGE),
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("passes", [True, False])
def test_what_cannot_be_read_is_told_and_leaves_only_where_it_may(echo, name, passes):
    kind, body, why = HOSTILE[name]
    head = OK + b"Content-Type: " + kind + b"\r\nContent-Length: %d\r\n\r\n" % len(body)
    echo.on(b"/list", says(head, *[body[at : at + 3_000] for at in range(0, len(body), 3_000)], pause=0.001))

    async def talk(portal):
        gate = SlowGate(passes=passes)
        left, taker, _ = await taken(portal, gate)
        assert gate.why == [why]
        assert (left, taker.body) == ((True, body) if passes else (False, b""))
        assert gate.asked == []
        await goes_on(portal)

    run(echo, talk)


def test_a_number_cut_by_tags_is_not_found(echo):
    """Known, and written down: what is shown in one row may stand apart in the text. Such a page is read as JSON."""
    page = b"<tr><td><b>1</b> 85 05 78 006 084 <i>91</i></td></tr>"
    echo.on(b"/list", says(*measured(page)))

    async def talk(portal):
        gate = SlowGate()
        left, taker, _ = await taken(portal, gate)
        assert (left, taker.body, gate.asked) == (True, page, [])

    run(echo, talk)


def test_a_portal_that_breaks_before_the_first_row_is_refused(echo):
    echo.on(b"/list", says(*measured(*ROWS)[:1], b"<tr>", pause=0.02, close=True))

    async def talk(portal):
        with pytest.raises(Refused):
            await taken(portal, SlowGate())

    run(echo, talk)
