# SPDX-License-Identifier: EUPL-1.2
"""WebSockets (N5, C2) and event streams: nothing before the 101, raw bytes after it, and nothing held back."""

from __future__ import annotations

import base64
import hashlib
import threading
import time

import pytest
from listener.clients import MIB, connect, listener, rss
from listener.wire_table import get

from support.echo import EndedError
from support.raw import exchange, parse

KEY = base64.b64encode(b"0123456789abcdef")
ACCEPT = base64.b64encode(hashlib.sha1(KEY + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())
ORIGIN = b"Origin: https://localhost:8443\r\n"


def handshake(fields: bytes = ORIGIN, target: bytes = b"/ws") -> bytes:
    wanted = b"Connection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Version: 13\r\n"
    return get(wanted + b"Sec-WebSocket-Key: %b\r\n" % KEY + fields, target=target)


def switch(talk) -> None:
    talk.send(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: %b\r\n\r\n" % ACCEPT
    )


def echoes(talk, seen):
    """Say back what comes, whatever it is."""
    switch(talk)
    while True:
        talk.send(talk.read())


@pytest.fixture
def socket_echo(echo):
    echo.on(b"/ws", echoes)
    return echo


def opened(link) -> bytes:
    got = b""
    while b"\r\n\r\n" not in got:
        got += link.recv(4096)
    head, _, rest = got.partition(b"\r\n\r\n")
    assert parse(head + b"\r\n\r\n")[0].status == 101, got
    return rest


def receive(link, size: int) -> bytes:
    got = b""
    while len(got) < size:
        piece = link.recv(65_536)
        if not piece:
            break
        got += piece
    return got


def test_a_tunnel_carries_frames_both_ways(socket_echo, gateway):
    with connect(gateway) as link:
        link.sendall(handshake())
        assert opened(link) == b""
        for frame in (b"\x81\x85abcd\x09\x07\x0f\x08\x0e", b"GET / HTTP/1.1\r\n\r\n", bytes(range(256)) * 400):
            link.sendall(frame)
            assert receive(link, len(frame)) == frame
    seen = socket_echo.of(b"/ws")[-1]
    assert (seen.get(b"connection").lower(), seen.get(b"upgrade").lower()) == (b"upgrade", b"websocket")
    assert seen.get(b"sec-websocket-key") == KEY
    assert len(seen.all(b"upgrade")) == 1


def test_the_accept_field_comes_through_and_the_101_is_plain(socket_echo, gateway):
    with connect(gateway) as link:
        link.sendall(handshake())
        answer = parse(link.recv(4096))[0]
        assert answer.get(b"sec-websocket-accept") == ACCEPT
        assert (answer.get(b"upgrade"), answer.get(b"connection")) == (b"websocket", b"upgrade")
        assert answer.all(b"content-length") == answer.all(b"transfer-encoding") == []


def test_what_the_portal_sends_with_its_101_is_not_lost(echo, gateway):
    def greets(talk, seen):
        talk.send(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: %b\r\n\r\n\x81\x02hi" % ACCEPT
        )
        talk.read()

    echo.on(b"/greets", greets)
    with connect(gateway) as link:
        link.sendall(handshake(target=b"/greets"))
        rest = opened(link)
        assert rest + receive(link, 4 - len(rest)) == b"\x81\x02hi"


@pytest.mark.parametrize(
    "origin",
    [
        b"",
        b"Origin: https://evil.example\r\n",
        b"Origin: null\r\n",
        b"Origin: http://localhost:8443\r\n",
        b"Origin: https://localhost:8443.evil.example\r\n",
        b"Origin: https://LOCALHOST:8443\r\n",
        ORIGIN + ORIGIN,
        ORIGIN + b"Origin: https://evil.example\r\n",
    ],
    ids=["none", "foreign", "null", "http", "suffix", "case", "twice", "two"],
)
def test_N5_a_foreign_origin_opens_no_tunnel(socket_echo, gateway, origin):
    before = socket_echo.count(b"/ws")
    came = exchange(gateway, handshake(origin), seconds=1)
    assert came.statuses() == [403]
    assert socket_echo.count(b"/ws") == before


@pytest.mark.parametrize("pieces", [1, 2], ids=["one packet", "two packets"])
@pytest.mark.parametrize("early", [get(target=b"/smuggled"), b"\x81\x00", b"x"], ids=["a request", "a frame", "a byte"])
def test_C2_bytes_before_the_101_are_never_passed_on(echo, gateway, early, pieces):
    got = []

    def hesitates(talk, seen):
        time.sleep(0.2)
        switch(talk)
        got.append(b"")
        talk.link.settimeout(0.3)
        try:
            got.append(talk.read())
        except EndedError:
            return

    echo.on(b"/hesitates", hesitates)
    sent = [handshake(target=b"/hesitates"), early]
    came = exchange(gateway, [b"".join(sent)] if pieces == 1 else sent, pause=0.05, seconds=1.5)
    assert 101 not in came.statuses()
    assert came.statuses() in ([400], [502])
    assert came.closed
    time.sleep(0.1)
    assert b"".join(got) == b""
    assert echo.count(b"/smuggled") == 0


@pytest.mark.parametrize("status", [b"200 OK", b"403 Forbidden", b"426 Upgrade Required"])
def test_a_portal_that_does_not_switch_answers_and_the_connection_ends(echo, gateway, status):
    echo.on(b"/no-ws", lambda talk, seen: talk.send(b"HTTP/1.1 %b\r\nContent-Length: 2\r\n\r\nno" % status))
    came = exchange(gateway, handshake(target=b"/no-ws"), seconds=2)
    assert came.statuses() == [int(status[:3])]
    assert came.answers()[0].get(b"connection") == b"close"
    assert came.closed


@pytest.mark.parametrize("upgrade", [b"Upgrade: h2c\r\n", b"", b"Upgrade: websocket\r\nUpgrade: h2c\r\n"])
def test_a_101_to_another_protocol_is_502(echo, gateway, upgrade):
    answer = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n" + upgrade + b"\r\n"
    echo.on(b"/odd-ws", lambda talk, seen: talk.send(answer))
    assert exchange(gateway, handshake(target=b"/odd-ws"), seconds=2).statuses() == [502]


def test_a_tunnel_ends_for_both_when_either_goes(echo, gateway):
    gone = threading.Event()

    def until_gone(talk, seen):
        switch(talk)
        try:
            while True:
                talk.read()
        except EndedError:
            gone.set()
            raise

    def says_bye(talk, seen):
        switch(talk)
        talk.read()
        talk.send(b"\x88\x00" + b"z" * 100_000)
        talk.close()

    echo.on(b"/client-goes", until_gone)
    echo.on(b"/portal-goes", says_bye)
    with connect(gateway) as link:
        link.sendall(handshake(target=b"/client-goes"))
        opened(link)
    assert gone.wait(3)
    with connect(gateway) as link:
        link.sendall(handshake(target=b"/portal-goes"))
        opened(link)
        link.sendall(b"\x88\x00")
        assert receive(link, 200_000) == b"\x88\x00" + b"z" * 100_000, "the last words of the portal arrive"


@pytest.mark.parametrize("direction", ["to the portal", "to the client"])
def test_a_tunnel_holds_back_whoever_is_faster(echo, gateway, direction):
    pid = listener(gateway)

    def deaf(talk, seen):
        switch(talk)
        time.sleep(2)
        talk.close()

    def floods(talk, seen):
        switch(talk)
        talk.link.settimeout(1)
        for _ in range(80):
            talk.send(b"z" * MIB)

    echo.on(b"/deaf", deaf)
    echo.on(b"/floods", floods)
    memory = rss(pid)
    with connect(gateway, 0.5) as link:
        link.sendall(handshake(target=b"/deaf" if direction == "to the portal" else b"/floods"))
        opened(link)
        try:
            for _ in range(80):
                if direction == "to the portal":
                    link.sendall(b"z" * MIB)
                else:
                    time.sleep(0.01)
        except TimeoutError:
            pass
        assert rss(pid) - memory < 20 * MIB


def test_a_stream_of_events_arrives_piece_by_piece(echo, gateway):
    heard = threading.Semaphore(0)

    def streams(talk, seen):
        talk.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        for number in range(5):
            talk.send(b"data: %d\n\n" % number)
            assert heard.acquire(timeout=3), "the next event goes only when the last one has arrived"
        talk.close()

    echo.on(b"/events", streams)
    with connect(gateway) as link:
        link.sendall(get(target=b"/events"))
        got = b""
        for number in range(5):
            while b"data: %d\n\n" % number not in got:
                got += link.recv(4096)
            heard.release()
        while b"0\r\n\r\n" not in got[-5:]:
            got += link.recv(4096)
    answer = parse(got)[0]
    assert answer.body == b"".join(b"data: %d\n\n" % number for number in range(5))
    assert answer.get(b"content-type") == b"text/event-stream"
