# SPDX-License-Identifier: EUPL-1.2
"""The same hallway mounted as an ASGI application: it judges alike, streams both ways and cuts what breaks."""

from __future__ import annotations

import asyncio
import time

import httpx
import pytest

from gateway.errors import Refused
from gateway.listener.asgi import HallwayApp
from gateway.listener.strict import Limits
from gateway.model import Reason
from gateway.pages.reasons import explanation
from gateway.pending import start
from gateway.upstream.client import Portal, PortalAddress
from gateway.upstream.exchange import DisconnectedError
from support.echo import Echo

LIMITS = Limits(hosts=frozenset({"localhost:8443"}), body_bytes=2_000_000)


class Plain:
    """A hallway of two steps: forward, respond."""

    def __init__(self, portal: Portal) -> None:
        self.portal = portal
        self.reasons: list[Reason] = []
        self.ended: list[BaseException | None] = []

    def enter(self, request, client):
        start(self._walk(request, client), self.ended.append)

    def turn_away(self, reason, headers, client):
        self.reasons.append(reason)
        client.start(explanation(reason).status, b"", None, str(reason).encode(), complete=True)

    async def _walk(self, request, client):
        try:
            answer = await self.portal.forward(request, client, None)
            answer.relay(client, answer.lines)
        except Refused as refused:
            self.turn_away(refused.reason, [], client)
        except DisconnectedError:
            pass


@pytest.fixture
def echo():
    with Echo() as upstream:
        yield upstream


def run(echo, talk, limits=LIMITS):
    """Give `talk` a client and the hallway in one loop."""

    async def whole():
        portal = Portal(PortalAddress(echo.url, head_seconds=1.0), b"__Host-herse")
        hallway = Plain(portal)
        transport = httpx.ASGITransport(HallwayApp(hallway, limits))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8443") as client:
            try:
                return await talk(client, hallway)
            finally:
                for _ in range(100):
                    portal.close()
                    await asyncio.sleep(0.01)
                    if not portal._open:
                        break

    return asyncio.run(whole())


def test_a_request_passes_byte_for_byte(echo):
    async def talk(client, hallway):
        return await client.post(
            "/caf%C3%A9?a=%2F&b", content=b"abc", headers={"x-token": "t", "x-forwarded-for": "evil"}
        )

    answer = run(echo, talk)
    assert (answer.status_code, answer.content) == (200, b"/caf%C3%A9?a=%2F&b\nt\nabc")
    seen = echo.seen[0]
    assert (seen.target, seen.body, seen.whole) == (b"/caf%C3%A9?a=%2F&b", b"abc", True)
    assert seen.all(b"x-forwarded-for") == [b"127.0.0.1"]
    assert echo.faults == []


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        ({"headers": {"host": "other"}}, Reason.HOST_UNKNOWN),
        ({"headers": {"x_user": "evil"}}, Reason.MALFORMED_REQUEST),
        ({"method": "TRACE"}, Reason.NOT_IMPLEMENTED),
        ({"url": "http://localhost:8443/a%2fb"}, Reason.PATH_AMBIGUOUS),
        ({"headers": {"a": "b" * 40_000}}, Reason.HEAD_TOO_LARGE),
        (
            {"headers": {"content-length": "3", "transfer-encoding": "chunked"}, "method": "POST"},
            Reason.MALFORMED_REQUEST,
        ),
        ({"method": "POST", "headers": {"content-length": "2000001"}}, Reason.BODY_TOO_LARGE),
    ],
    ids=lambda value: str(value) if isinstance(value, Reason) else "",
)
def test_it_refuses_as_the_wire_does(echo, sent, reason):
    async def talk(client, hallway):
        answer = await client.request(**{"method": "GET", "url": "/x", **sent})
        return answer.status_code, hallway.reasons

    assert run(echo, talk) == (explanation(reason).status, [reason])
    assert echo.seen == []


def test_bodies_of_unknown_length_stream_both_ways(echo):
    echo.on(
        b"/chunks",
        lambda talk, seen: talk.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"),
    )

    async def pieces():
        for number in range(50):
            yield bytes([number]) * 10_000

    async def talk(client, hallway):
        up = await client.put("/x", content=pieces(), headers={"x-token": "t"})
        down = await client.get("/chunks")
        return up, down

    up, down = run(echo, talk)
    assert (up.status_code, up.content) == (200, b"/x\nt\n" + b"".join(bytes([n]) * 10_000 for n in range(50)))
    assert echo.seen[0].get(b"transfer-encoding") == b"chunked"
    assert down.content == b"abc"


def test_a_body_over_the_limit_is_413_and_never_whole_upstream(echo):
    async def pieces():
        for _ in range(30):
            yield b"z" * 100_000

    async def talk(client, hallway):
        return (await client.put("/x", content=pieces())).status_code

    assert run(echo, talk) == 413
    assert [one.whole for one in echo.seen] in ([], [False])


@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified"])
def test_answers_without_a_body_have_no_length(echo, status):
    echo.on(b"/bodiless", lambda talk, seen: talk.send(b"HTTP/1.1 %b\r\nA: b\r\n\r\n" % status))

    async def talk(client, hallway):
        return await client.get("/bodiless")

    answer = run(echo, talk)
    assert (answer.status_code, answer.content, answer.headers["a"]) == (int(status[:3]), b"", "b")
    assert "content-length" not in answer.headers


def test_a_portal_that_is_silent_is_504_and_one_that_breaks_off_is_a_cut(echo):
    echo.on(b"/silent", lambda talk, seen: talk.read())
    echo.on(
        b"/breaks", lambda talk, seen: (talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"), talk.close())
    )

    async def talk(client, hallway):
        assert (await client.get("/silent")).status_code == 504
        sent = []

        async def send(message):
            sent.append(message)

        scope = {
            "type": "http",
            "method": "GET",
            "http_version": "1.1",
            "scheme": "https",
            "path": "/breaks",
            "raw_path": b"/breaks",
            "query_string": b"",
            "headers": [(b"host", b"localhost:8443")],
            "client": ("127.0.0.2", 1),
        }
        messages = asyncio.Queue()
        messages.put_nowait({"type": "http.request", "body": b"", "more_body": False})

        await HallwayApp(hallway, LIMITS)(scope, messages.get, send)
        return sent

    sent = run(echo, talk)
    assert sent[0]["status"] == 200
    assert all(message["more_body"] for message in sent[1:]), "without a last message the server in front cuts"
    assert echo.seen[-1].all(b"x-forwarded-for") == [b"127.0.0.2"]


def test_C4_a_client_that_goes_aborts_the_request(echo):
    async def talk(client, hallway):
        app = HallwayApp(hallway, LIMITS)
        messages = [{"type": "http.request", "body": b"abc", "more_body": True}, {"type": "http.disconnect"}]

        async def receive():
            await asyncio.sleep(0.1)
            return messages.pop(0)

        async def send(message):
            raise AssertionError("nobody is there")

        scope = {
            "type": "http",
            "method": "POST",
            "http_version": "1.1",
            "scheme": "http",
            "path": "/x",
            "raw_path": b"/x",
            "query_string": b"",
            "headers": [(b"host", b"localhost:8443"), (b"content-length", b"6")],
            "client": None,
        }
        await app(scope, receive, send)

    run(echo, talk)
    assert [one.whole for one in echo.seen] == [False]


def test_a_request_body_waits_for_a_slow_portal(echo):
    """Read ahead of the portal is bounded: the server in front then holds its client back."""
    taken = []

    async def pieces():
        for number in range(190):
            taken.append(number)
            yield b"z" * 100_000

    async def talk(client, hallway):
        ahead = 0

        def slow(link, seen):
            nonlocal ahead
            time.sleep(0.3)
            ahead = len(taken)
            link.exactly(19_000_000, lambda piece: None)
            link.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

        echo.on(b"/slow", slow, early=True)
        link = await client.put("/slow", content=pieces(), headers={"content-length": "19000000"})
        return link.status_code, ahead

    status, ahead = run(echo, talk, Limits(hosts=LIMITS.hosts))
    assert status == 200
    assert ahead < 150, "all of it was read ahead"


def test_only_http_is_served_here(echo):
    async def talk(client, hallway):
        with pytest.raises(NotImplementedError, match="websocket"):
            await HallwayApp(hallway, LIMITS)({"type": "websocket"}, None, None)

    run(echo, talk)
