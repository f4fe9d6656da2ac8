# SPDX-License-Identifier: EUPL-1.2
"""Every state of a connection has a deadline (M5): whoever is slow loses its own connection, nobody else's."""

from __future__ import annotations

import asyncio
import socket
import time
from contextlib import suppress

import pytest
from listener.wire_table import CHUNKED, HOST, get, post

from support.house import House
from support.link import Link
from support.raw import exchange, parse
from support.servers import LOOPBACK

QUICK = 0.5


@pytest.fixture(scope="module")
def house(tmp_path_factory, echo):
    limits = {"head_seconds": QUICK, "body_seconds": QUICK, "idle_seconds": QUICK, "connections": 400}
    # An upload holds its connection to the portal for as long as it comes: more places than attackers.
    settings = {"limits": limits, "portal": {"connections": 400}}
    return House(tmp_path_factory.mktemp("quick") / "h", echo.url, settings=settings)


def timed(port: int, *pieces: bytes, pause: float = 0.02) -> tuple[list[int], bool, float]:
    """Statuses, closed, seconds until then."""
    began = time.monotonic()
    came = exchange(port, list(pieces), pause=pause, seconds=5)
    return came.statuses(), came.closed, time.monotonic() - began


@pytest.mark.parametrize(
    "half", [b"G", b"GET /x", b"GET /x HTTP/1.1\r\n", get()[:-2], get()[:-1]], ids=["G", "line", "CRLF", "head", "CR"]
)
def test_half_a_head_is_told_408(gateway, half):
    statuses, closed, seconds = timed(gateway, half)
    assert (statuses, closed) == ([408], True)
    assert seconds < QUICK + 1


def test_a_head_that_trickles_is_told_408(gateway):
    statuses, closed, seconds = timed(gateway, *[bytes([byte]) for byte in get()[:-2]], pause=0.05)
    assert (statuses, closed) in (([408], True), ([], True))  # what trickles on may reset the answer away
    assert seconds < 4


@pytest.mark.parametrize("sent", [b"", b"\r\n\r\n"], ids=["nothing", "empty lines"])
def test_silence_is_closed_without_a_word(gateway, sent):
    statuses, closed, seconds = timed(gateway, sent)
    assert (statuses, closed) == ([], True)
    assert seconds < QUICK + 1


@pytest.mark.parametrize("framing", [b"Content-Length: 10\r\n", CHUNKED], ids=["length", "chunked"])
def test_half_a_body_is_told_408(echo, gateway, framing):
    statuses, closed, seconds = timed(gateway, post(framing, b"3\r\nabc\r\n"))
    assert (statuses, closed) == ([408], True)
    assert seconds < QUICK + 1
    assert not echo.of(b"/x")[-1].whole


def test_half_a_body_for_our_own_pages_is_told_408(gateway):
    sent = b"POST /.herse/sign-in HTTP/1.1\r\n" + HOST + b"Origin: https://localhost:8443\r\n"
    sent += b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\nidentifier=canary-user"
    statuses, closed, seconds = timed(gateway, sent)
    assert (statuses, closed) == ([408], True)
    assert seconds < QUICK + 1


def test_a_body_that_comes_slowly_but_comes_is_taken(gateway):
    statuses, _, seconds = timed(
        gateway, post(b"Connection: close\r\nContent-Length: 6\r\n"), *[b"a"] * 6, pause=QUICK / 3
    )
    assert statuses == [200]
    assert seconds > QUICK


def test_a_slow_portal_is_not_the_clients_fault(echo, gateway):
    """While the portal takes nothing, or thinks, no deadline of the client's runs."""

    def thinks(talk, seen):
        time.sleep(3 * QUICK)
        talk.exactly(8_000_000, lambda piece: None)
        time.sleep(3 * QUICK)
        talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    echo.on(b"/thinks", thinks, early=True)
    sent = (
        b"PUT /thinks HTTP/1.1\r\n" + HOST + b"Connection: close\r\nContent-Length: 8000000\r\n\r\n" + b"z" * 8_000_000
    )
    assert timed(gateway, sent)[0] == [200]


def test_an_idle_connection_is_closed_without_a_word(gateway):
    statuses, closed, seconds = timed(gateway, get(), get(), pause=QUICK / 2)
    assert (statuses, closed) == ([200, 200], True)
    assert QUICK <= seconds < 2 * QUICK + 1


def test_half_a_head_behind_an_answer_is_told_408_too(gateway):
    statuses, closed, seconds = timed(gateway, get() + b"GET /x HT")
    assert (statuses, closed) == ([200, 408], True)
    assert seconds < QUICK + 1


def test_an_unread_body_that_stops_coming_ends_the_connection(gateway):
    sent = b"POST /.herse/nowhere HTTP/1.1\r\n" + HOST + b"Content-Length: 1000\r\n\r\nabc"
    statuses, closed, seconds = timed(gateway, sent)
    assert statuses in ([404], [405])
    assert closed
    assert seconds < 2 * QUICK + 1


async def slow(port: int, first: bytes, drip: bytes, times: int) -> None:
    with suppress(OSError):
        _, writer = await asyncio.open_connection(LOOPBACK, port)
        writer.write(first)
        for _ in range(times):
            await asyncio.sleep(0.1)
            writer.write(drip)
            await writer.drain()
        writer.close()


@pytest.mark.parametrize(
    ("first", "drip"),
    [
        pytest.param(b"GET /x HTTP/1.1\r\n", b"A: b\r\n", id="heads"),
        pytest.param(post(b"Content-Length: 100000\r\n").replace(b"/x", b"/drip"), b"z", id="bodies"),
        pytest.param(b"", b"\r\n", id="empty lines"),
    ],
)
def test_M5_three_hundred_slow_connections_leave_a_normal_user_served(gateway, first, drip):
    async def attack() -> list[float]:
        attackers = [asyncio.create_task(slow(gateway, first, drip, 15)) for _ in range(300)]
        took = []
        while not all(one.done() for one in attackers):
            began = time.monotonic()
            status = await asyncio.to_thread(
                lambda: exchange(gateway, get(b"Connection: close\r\n"), seconds=3).statuses()
            )
            assert status == [200]
            took.append(time.monotonic() - began)
            await asyncio.sleep(0.05)
        return took

    took = sorted(asyncio.run(attack()))
    assert len(took) >= 5
    assert took[len(took) // 2] < 0.5


def test_M5_connections_are_bounded_and_places_come_back(gateway):
    links = [socket.create_connection((LOOPBACK, gateway), timeout=2) for _ in range(450)]
    try:
        assert exchange(gateway, get(), seconds=0.3).statuses() == []
    finally:
        for link in links:
            link.close()
    time.sleep(0.1)
    with Link(gateway) as link:
        assert link.ask(b"GET /x HTTP/1.1").status == 200


def test_a_graceful_stop_ends_what_is_under_way_and_closes_what_is_idle(tmp_path, echo):
    def takes_its_time(talk, seen):
        time.sleep(0.6)
        talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone")

    echo.on(b"/stopping", takes_its_time)
    house = House(tmp_path / "h", echo.url)
    process = house.serve().start()
    try:
        idle = socket.create_connection((LOOPBACK, house.port), timeout=5)
        busy = socket.create_connection((LOOPBACK, house.port), timeout=5)
        idle.sendall(get())
        assert parse(idle.recv(65_536))[0].status == 200
        busy.sendall(get(target=b"/stopping"))
        echo.wait(b"/stopping")
        began = time.monotonic()
        code = process.stop()
        assert code == 0
        assert time.monotonic() - began < 5
        answer = parse(busy.recv(65_536))[0]
        assert (answer.body, answer.get(b"connection")) == (b"done", b"close")
        assert idle.recv(1) == b""
        idle.close()
        busy.close()
    finally:
        process.kill()
