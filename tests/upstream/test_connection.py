# SPDX-License-Identifier: EUPL-1.2
"""The portal's door by itself, with a client that stalls, goes or refuses at the worst moment."""

from __future__ import annotations

import asyncio
import time

import pytest
from upstream.scripts import OK, says
from upstream.taker import Taker, request, run, until

from gateway.errors import Refused
from gateway.model import Reason
from gateway.upstream.exchange import Body, DisconnectedError
from support.echo import Echo


@pytest.fixture
def echo():
    with Echo() as upstream:
        yield upstream


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_connection_held_back_to_the_last_byte_hears_the_next_answer(echo, framing):
    pieces = [b"z" * 1000] * 5
    if framing == "length":
        echo.on(b"/big", says(OK + b"Content-Length: 5000\r\n\r\n", *pieces, pause=0.02))
    else:
        echo.on(
            b"/big",
            says(
                OK + b"Transfer-Encoding: chunked\r\n\r\n",
                *[b"3e8\r\n" + piece + b"\r\n" for piece in pieces[1:]],
                b"3e8\r\n" + pieces[0] + b"\r\n0\r\n\r\n",
                pause=0.02,
            ),
        )

    async def talk(portal):
        for _ in range(3):
            client = Taker(stalls=True)
            answer = await portal.forward(request(b"/big"), client, None).wait()
            answer.relay(client, b"")
            await until(lambda client=client: client.over)
            assert (client.over, len(client.body)) == ("finished", 5000)
            second = Taker()
            (await portal.forward(request(), second, None).wait()).relay(second, b"")
            assert second.body == b"/x\n\n"

    run(echo, talk)
    assert echo.connections == 1


def test_C2_what_lies_unread_on_a_kept_connection_answers_nobody(echo):
    evil = OK + b"Content-Length: 4\r\n\r\nevil"
    echo.on(b"/double", says(OK + b"Content-Length: 2\r\n\r\nok", evil, pause=0.05))

    async def talk(portal):
        for method, body in (("GET", b"/x\n\n"), ("HEAD", b"")):
            first = Taker()
            (await portal.forward(request(b"/double"), first, None).wait()).relay(first, b"")
            assert first.body == b"ok"
            time.sleep(0.15)  # noqa: ASYNC251  # the loop is busy elsewhere while the second answer comes
            second = Taker()
            (await portal.forward(request(b"/x", method), second, None).wait()).relay(second, b"")
            assert second.body == body

    run(echo, talk)


def test_an_answer_is_kept_back_until_it_is_relayed_or_never_leaves(echo):
    echo.on(b"/big", says(OK + b"Content-Length: 900000\r\n\r\n" + b"z" * 900_000))

    async def talk(portal):
        client = Taker()
        answer = await portal.forward(request(b"/big"), client, None).wait()
        await asyncio.sleep(0.2)
        assert (client.body, client.over) == (b"", "")
        answer.discard()
        answer.discard()
        await asyncio.sleep(0.05)
        assert (client.body, client.over) == (b"", "")
        other = Taker()
        answer = await portal.forward(request(b"/big"), other, None).wait()
        answer.relay(other, b"")
        await until(lambda: other.over)
        assert (len(other.body), other.over) == (900_000, "finished")

    run(echo, talk)


def test_an_answer_that_broke_while_it_was_kept_back_is_refused(echo):
    echo.on(b"/breaks", says(OK + b"Content-Length: 9\r\n\r\nabc", close=True))

    async def talk(portal):
        client = Taker()
        answer = await portal.forward(request(b"/breaks"), client, None).wait()
        answer.resume()  # reading on, as after a durable record
        await asyncio.sleep(0.1)
        with pytest.raises(Refused) as caught:
            answer.relay(client, b"")
        assert caught.value.reason is Reason.PORTAL_ANSWER_INVALID
        assert client.over == ""

    run(echo, talk)


def test_who_goes_before_the_answer_is_given_up(echo):
    gone = []

    def mute(talk, seen):
        try:
            talk.read()
        finally:
            gone.append(1)

    echo.on(b"/mute", mute)

    async def talk(portal):
        client = Taker()
        pending = portal.forward(request(b"/mute"), client, None)
        await until(lambda: echo.count(b"/mute") == 1)
        client.flow.cancel()
        with pytest.raises(DisconnectedError):
            await pending.wait()
        await until(lambda: gone)
        early = Taker()
        pending = portal.forward(request(b"/never"), early, None)
        early.flow.cancel()  # not even connected yet
        with pytest.raises(DisconnectedError):
            await pending.wait()
        await asyncio.sleep(0.05)
        last = Taker()
        await portal.forward(request(), last, None).wait()

    run(echo, talk)
    assert echo.count(b"/never") == 0


SWITCHES = b"HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n"


def test_a_tunnel_that_no_client_takes_is_closed(echo):
    gone = []

    def tunnel(talk, seen):
        talk.send(SWITCHES)
        try:
            talk.read()
        finally:
            gone.append(1)

    echo.on(b"/ws", tunnel)

    async def talk(portal):
        client = Taker(switches=False)
        answer = await portal.forward(request(b"/ws", upgrade=True), client, None).wait()
        with pytest.raises(Refused):
            answer.relay(client, b"")
        await until(lambda: gone)

    run(echo, talk)


def test_a_tunnel_that_closed_before_it_was_relayed_is_refused(echo):
    echo.on(b"/ws", says(SWITCHES, close=True))

    async def talk(portal):
        client = Taker()
        answer = await portal.forward(request(b"/ws", upgrade=True), client, None).wait()
        await asyncio.sleep(0.1)
        with pytest.raises(Refused) as caught:
            answer.relay(client, b"")
        assert caught.value.reason is Reason.PORTAL_ANSWER_INVALID

    run(echo, talk)


def test_an_idle_tunnel_ends(echo):
    echo.on(b"/ws", lambda talk, seen: (talk.send(SWITCHES), talk.read()))

    async def talk(portal):
        client = Taker()
        answer = await portal.forward(request(b"/ws", upgrade=True), client, None).wait()
        answer.relay(client, b"")
        await until(lambda: client.over)
        assert client.over == "aborted"

    run(echo, talk, stream_idle_seconds=0.3)


def test_an_upload_that_pauses_longer_than_the_portal_may_think_goes_on(echo):
    """The portal's time to answer runs from the end of the request, not from when it was last slow."""

    async def talk(portal):
        held: list[bool] = []
        body = Body(9_000_000, 1 << 30, held.append)
        client = Taker()
        pending = portal.forward(request(b"/up", "PUT", body), client, None)
        await until(lambda: echo.count(b"/up") == 1)
        for _ in range(8):
            body.feed(b"z" * 1_000_000)
        await until(lambda: held[-1:] == [False], 5)
        await asyncio.sleep(0.8)  # the client has nothing for a while
        body.feed(b"z" * 1_000_000)
        body.finish()
        answer = await pending.wait()
        answer.relay(client, b"")
        assert True in held
        assert echo.of(b"/up")[-1].size == 9_000_000

    run(echo, talk, head_seconds=0.5)


def test_too_many_who_wait_are_told_so_and_the_gone_make_room(echo):
    echo.on(b"/mute", lambda talk, seen: talk.read())

    async def talk(portal):
        takers = [Taker() for _ in range(1_001)]
        pendings = [portal.forward(request(b"/mute"), taker, None) for taker in takers]
        late = portal.forward(request(), Taker(), None)
        with pytest.raises(Refused) as caught:
            await late.wait()
        assert caught.value.reason is Reason.BUSY
        takers[500].flow.cancel()
        assert not portal.forward(request(), Taker(), None).done
        for taker in takers:
            if taker.flow is not None:
                taker.flow.cancel()
        assert all(pending.done for pending in pendings)

    run(echo, talk, connections=1, head_seconds=30.0)
