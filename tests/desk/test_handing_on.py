# SPDX-License-Identifier: EUPL-1.2
"""A request handed on to the desk comes there as the worker's listener had it, and its answer comes back as it left."""

from __future__ import annotations

import asyncio
import os
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime, timedelta

import pytest

from gateway.desk.counter import Counter
from gateway.desk.frames import DESK_SOCKET, BrokenFrame, read_frame, write_body, write_frame
from gateway.desk.link import DeskLink
from gateway.desk.pages import DeskPages
from gateway.errors import Refused, StartError
from gateway.identity.database import create_database
from gateway.identity.returns import Returns
from gateway.identity.session_desk import DeskSessions
from gateway.identity.session_worker import WorkerSessions
from gateway.metering.watching import Watching
from gateway.metering.watching_afar import WatchingAfar
from gateway.model import Reason
from gateway.upstream.exchange import DisconnectedError

AT = datetime(2026, 3, 1, 9, tzinfo=UTC)
IDLE, ABSOLUTE = timedelta(minutes=30), timedelta(hours=4)
SCOPE = {
    "type": "http",
    "asgi": {"version": "3.0", "spec_version": "2.4"},
    "http_version": "1.1",
    "method": "POST",
    "scheme": "https",
    "path": "/.herse/sign-in",
    "raw_path": b"/.herse/sign-in",
    "query_string": b"to=\xe9",
    "root_path": "",
    "headers": [(b"x-forwarded-for", b"1.2.3.4"), (b"cookie", b"a=\xff"), (b"cookie", b"b")],
    "client": ("2001:db8::7", 0),
    "server": ("localhost", None),
}


class Browser:
    """Gives a body piece by piece, and keeps what comes."""

    def __init__(self, *pieces):
        self.pieces = list(pieces)
        self.messages = []

    async def receive(self):
        if not self.pieces:
            await asyncio.Event().wait()
        piece = self.pieces.pop(0)
        if isinstance(piece, Exception):
            raise piece
        if piece is None:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": piece, "more_body": bool(self.pieces)}

    async def send(self, message):
        self.messages.append(message)

    @property
    def body(self):
        return b"".join(one["body"] for one in self.messages[1:])


async def until(probe):
    for _ in range(1000):
        if probe():
            return
        await asyncio.sleep(0.01)
    raise TimeoutError


@asynccontextmanager
async def desk(folder, pages, returns=None):
    engine = create_database(folder / "accounts.db")
    sessions, stop = DeskSessions(engine, IDLE, ABSOLUTE), asyncio.Event()
    counter = Counter(folder / DESK_SOCKET, pages, sessions, returns or Returns(), Watching())
    serving = asyncio.create_task(counter.serve(stop))
    await until((folder / DESK_SOCKET).exists)
    await asyncio.sleep(0.05)
    try:
        yield sessions, engine
    finally:
        stop.set()
        await serving
        engine.dispose()


def ask(folder, pages, browser):
    async def go():
        async with desk(folder, pages):
            await DeskPages(folder / DESK_SOCKET)(SCOPE, browser.receive, browser.send)

    asyncio.run(asyncio.wait_for(go(), 20))
    return browser


async def echo(scope, receive, send):
    body, more = b"", True
    while more:
        message = await receive()
        assert message["type"] == "http.request"
        body, more = body + message["body"], message["more_body"]
    await send({"type": "http.response.start", "status": 201, "headers": [(b"set-cookie", b"\xe9"), (b"x", b"1")]})
    await send({"type": "http.response.body", "body": body[:10], "more_body": True})
    await send({"type": "http.response.body", "body": body[10:]})


def test_the_scope_arrives_as_it_was(tmp_path):
    seen = []

    async def look(scope, receive, send):
        seen.append(scope)
        await echo(scope, receive, send)

    ask(tmp_path, look, Browser(b""))
    assert seen == [SCOPE], "the peer is who the worker's listener saw, whatever the fields say"


@pytest.mark.parametrize("size", [0, 1, 262_143, 262_144, 262_145, 524_288, 3_000_000])
def test_bodies_of_any_size_go_both_ways(tmp_path, size):
    body = os.urandom(size)
    browser = ask(tmp_path, echo, Browser(body[: size // 2], body[size // 2 :]))
    assert browser.messages[0] == {
        "type": "http.response.start",
        "status": 201,
        "headers": [(b"set-cookie", b"\xe9"), (b"x", b"1")],
    }
    assert browser.body == body
    assert [one["more_body"] for one in browser.messages[1:]][-1] is False


def test_what_the_listener_refuses_of_a_body_is_refused_by_the_page(tmp_path):
    heard = []

    async def look(scope, receive, send):
        try:
            await receive()
        except Refused as refused:
            heard.append(refused.reason)
        await send({"type": "http.response.start", "status": 413, "headers": []})
        await send({"type": "http.response.body", "body": b"too large"})

    browser = ask(tmp_path, look, Browser(Refused(Reason.BODY_TOO_LARGE)))
    assert heard == [Reason.BODY_TOO_LARGE]
    assert browser.messages[0]["status"] == 413


def test_a_browser_that_goes_away_is_heard_of(tmp_path):
    heard = []

    async def look(scope, receive, send):
        heard.append((await receive())["type"])
        heard.append((await receive())["type"])
        raise DisconnectedError

    with pytest.raises(DisconnectedError):
        ask(tmp_path, look, Browser(b"half", None))
    assert heard == ["http.request", "http.disconnect"]


def test_a_page_that_fails_is_refused_or_cut(tmp_path):
    async def at_once(scope, receive, send):
        raise RuntimeError

    async def halfway(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        raise RuntimeError

    (tmp_path / "a").mkdir()
    with pytest.raises(Refused) as refused:
        ask(tmp_path / "a", at_once, Browser(b""))
    assert refused.value.reason is Reason.INTERNAL_ERROR
    with pytest.raises(DisconnectedError):
        ask(tmp_path, halfway, Browser(b""))


def test_without_a_desk_the_answer_is_that_it_is_busy(tmp_path):
    browser = Browser(b"")
    with pytest.raises(Refused) as refused:
        asyncio.run(DeskPages(tmp_path / DESK_SOCKET)(SCOPE, browser.receive, browser.send))
    assert refused.value.reason is Reason.BUSY


def test_where_a_person_was_going_is_found_at_the_desk(tmp_path):
    returns = Returns()

    async def go():
        async with desk(tmp_path, echo, returns) as (_, engine):
            stop = asyncio.Event()
            with closing(WorkerSessions(engine, IDLE, ABSOLUTE)) as sessions:
                link = DeskLink(tmp_path / DESK_SOCKET, sessions, WatchingAfar())
                assert link.keep("/a", AT), "without a desk it is forgotten, and nothing fails"
                serving = asyncio.create_task(link.serve(stop))
                await until(lambda: sessions._heard_at is not None)
                reference = link.keep("/infopatient/1", AT, signed_in=True, lost=True)
                with pytest.raises(Refused):
                    link.keep("/" + "a" * 200_000, AT)
                await until(lambda: returns.find(reference, AT) is not None)
                stop.set()
                await serving
                assert sessions._heard_at is None
        return returns.find(reference, AT)

    kept = asyncio.run(asyncio.wait_for(go(), 20))
    assert (kept.path, kept.lost) == ("/infopatient/1", True)


def test_a_socket_that_cannot_be_made_keeps_the_desk_from_serving(tmp_path):
    (tmp_path / DESK_SOCKET).mkdir()

    async def go():
        engine = create_database(tmp_path / "accounts.db")
        counter = Counter(tmp_path / DESK_SOCKET, echo, DeskSessions(engine, IDLE, ABSOLUTE), Returns(), Watching())
        try:
            await counter.serve(asyncio.Event())
        finally:
            engine.dispose()

    with pytest.raises(StartError, match="cannot be made"):
        asyncio.run(go())


@pytest.mark.parametrize("sent", [b"", b"L\0\0", b"L\0\0\0\5abc", b"L\1\0\0\1" + b"x" * 16_777_217])
def test_what_is_no_frame_is_refused(sent):
    async def go():
        reader = asyncio.StreamReader()
        reader.feed_data(sent)
        reader.feed_eof()
        await read_frame(reader)

    with pytest.raises(BrokenFrame):
        asyncio.run(go())


@pytest.mark.parametrize("size", [0, 1, 262_144, 262_145, 700_000])
def test_only_the_last_frame_of_a_body_says_that_it_is(size):
    sent = bytearray()

    class Writer:
        write = sent.extend

    async def frames():
        reader = asyncio.StreamReader(limit=1 << 26)
        reader.feed_data(bytes(sent))
        found = []
        while found[-1:] != [(b"T", b"")]:
            found.append(await read_frame(reader))
        return found[:-1]

    write_body(Writer(), b"x" * size, last=True)
    write_frame(Writer(), b"T")
    found = asyncio.run(frames())
    assert b"".join(payload for _, payload in found) == b"x" * size
    assert [kind for kind, _ in found] == [b"P"] * (len(found) - 1) + [b"Z"]
