# SPDX-License-Identifier: EUPL-1.2
"""How bodies flow both ways, whole and bounded in memory, and what happens when one side goes."""

from __future__ import annotations

import hashlib
import threading
import time
from typing import TYPE_CHECKING

import pytest
from listener.clients import MIB, connect, listener, rss
from listener.wire_table import CHUNKED, HOST, get, post

from support.echo import EndedError
from support.house import House
from support.link import Link
from support.raw import exchange, parse
from support.servers import LOOPBACK, free_port, wait_until

if TYPE_CHECKING:
    import socket


@pytest.fixture(scope="module")
def pid(gateway):
    return listener(gateway)


def test_expect_100_is_answered_before_the_body_is_sent(echo, gateway):
    with connect(gateway) as link:
        link.sendall(post(b"Expect: 100-continue\r\nContent-Length: 3\r\n"))
        assert link.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        link.sendall(b"abc")
        assert parse(link.recv(65_536))[0].status == 200
    assert echo.of(b"/x")[-1].body == b"abc"
    assert echo.of(b"/x")[-1].all(b"expect") == []


def test_expect_100_in_1_0_is_not_answered(gateway):
    sent = post(b"Expect: 100-continue\r\nContent-Length: 3\r\n", version=b"1.0")
    assert exchange(gateway, [sent, b"abc"], seconds=2).statuses() == [200]


def test_a_refusal_instead_of_100_closes_since_the_body_may_never_come(gateway):
    sent = post(b"Expect: 100-continue\r\nContent-Length: 3\r\n").replace(b"/x", b"/.herse/nowhere")
    came = exchange(gateway, [sent, get(target=b"/x")], seconds=3)
    assert came.statuses()[0] in {404, 405}
    assert came.answers()[0].get(b"connection") == b"close"
    assert len(came.answers()) == 1
    assert came.closed


@pytest.mark.parametrize("size", [1, 65_536, 65_537, 90_000, 150_000, 300_000, 2_000_000])
@pytest.mark.parametrize("coding", ["length", "chunked"])
def test_a_connection_goes_on_after_an_upload_of_any_size(echo, gateway, size, coding):
    with Link(gateway, seconds=3) as link:
        for _ in range(3):
            if coding == "length":
                link.send(post(b"Content-Length: %d\r\n" % size, b"z" * size))
            else:
                link.send(post(CHUNKED, b"%x\r\n" % size + b"z" * size + b"\r\n0\r\n\r\n"))
            assert link.receive().status == 200
            assert echo.of(b"/x")[-1].size == size
        assert link.ask(b"GET /x HTTP/1.1").status == 200
        assert link.connections == 1


def test_a_large_upload_is_held_back_by_a_slow_portal_and_arrives_whole(echo, gateway, pid):
    go = threading.Event()
    taken = {}

    def slow(talk, seen):
        go.wait(10)
        digest, left = hashlib.sha256(), 60 * MIB
        while left:
            piece = talk.read(1 << 18)
            digest.update(piece)
            left -= len(piece)
        taken["digest"] = digest.hexdigest()
        talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    echo.on(b"/upload", slow, early=True)
    memory = rss(pid)
    sent = hashlib.sha256()
    with connect(gateway) as link:
        link.sendall(b"PUT /upload HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n\r\n" % (60 * MIB))
        threading.Timer(0.7, go.set).start()
        for number in range(60):
            piece = bytes([number]) * MIB
            sent.update(piece)
            link.sendall(piece)
            if number % 10 == 0:
                assert rss(pid) - memory < 25 * MIB
        link.settimeout(10)
        assert parse(link.recv(65_536))[0].status == 200
    assert taken["digest"] == sent.hexdigest()


def test_a_large_download_arrives_whole_even_if_the_reader_is_slow(echo, gateway, pid):
    block = bytes(range(256)) * 4096
    whole = hashlib.sha256(block * 50).hexdigest()

    def download(talk, seen):
        talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (50 * MIB))
        for _ in range(50):
            talk.send(block)

    echo.on(b"/download", download)
    memory = rss(pid)
    with connect(gateway, 10) as link:
        for number in range(2):  # the second over the same kept connections
            link.sendall(get(target=b"/download"))
            got = b""
            while b"\r\n\r\n" not in got:
                got += link.recv(4096)
            body = got.partition(b"\r\n\r\n")[2]
            digest, size = hashlib.sha256(body), len(body)
            if number == 0:
                time.sleep(0.5)
                assert rss(pid) - memory < 25 * MIB
            while size < 50 * MIB:
                piece = link.recv(1 << 18)
                digest.update(piece)
                size += len(piece)
            assert (size, digest.hexdigest()) == (50 * MIB, whole)
            assert parse(_ask(link))[0].status == 200


def _ask(link: socket.socket) -> bytes:
    link.sendall(get(target=b"/after"))
    return link.recv(65_536)


# someone goes


def watch(talk, gone: threading.Event) -> None:
    try:
        while True:
            talk.read()
    except EndedError:
        gone.set()
        raise


@pytest.mark.parametrize("framing", [b"Content-Length: 1000\r\n", CHUNKED])
def test_C4_a_client_that_goes_in_mid_body_aborts_the_request_upstream(echo, gateway, framing):
    gone, before = threading.Event(), echo.count(b"/cut")
    echo.on(b"/cut", lambda talk, seen: watch(talk, gone), early=True)
    body = b"3\r\nabc\r\n" if framing == CHUNKED else b"abc"
    with connect(gateway) as link:
        link.sendall(b"POST /cut HTTP/1.1\r\n" + HOST + framing + b"\r\n" + body)
        echo.wait(b"/cut", before + 1)
    assert gone.wait(3), "the portal still waits for a body that will never be whole"


def test_a_client_that_goes_in_mid_answer_or_before_it_frees_the_portal(echo, gateway):
    for target, first in ((b"/endless", b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nabc"), (b"/mute", b"")):
        gone = threading.Event()

        def starts(talk, seen, first=first, gone=gone):
            talk.send(first)
            watch(talk, gone)

        echo.on(target, starts)
        with connect(gateway) as link:
            link.sendall(get(target=target))
            echo.wait(target)
            if first:
                link.recv(100)
        assert gone.wait(3), target


@pytest.mark.parametrize("size", [10, 60_000, 5_000_000])
@pytest.mark.parametrize("coding", ["length", "chunked"])
def test_a_refusal_arrives_although_nobody_read_the_body(gateway, size, coding):
    """The unread rest is read away, or the connection lingers: a reset would take the answer with it."""
    head = b"POST /.herse/nowhere HTTP/1.1\r\n" + HOST
    if coding == "length":
        sent = head + b"Content-Length: %d\r\n\r\n" % size + b"z" * size
    else:
        sent = head + CHUNKED + b"\r\n%x\r\n" % size + b"z" * size + b"\r\n0\r\n\r\n"
    came = exchange(gateway, [sent, get(target=b"/x")], seconds=0.7)
    assert came.statuses()[0] in {404, 405}
    assert came.answers()[0].whole
    assert not came.reset
    if not came.closed:
        assert came.statuses()[1:] == [200]
    else:
        assert came.answers()[0].get(b"connection") == b"close"


def test_a_portal_that_cannot_be_reached_is_told_although_the_body_still_comes(tmp_path):
    house = House(tmp_path / "h", f"http://{LOOPBACK}:{free_port()}")
    with house.serve():
        came = exchange(house.port, post(b"Content-Length: 3000000\r\n", b"z" * 3_000_000), seconds=3)
        assert came.statuses() == [502]
        assert not came.reset
        assert exchange(house.port, get(), seconds=20, due=1).statuses() == [502]


def test_C1_a_broken_body_is_refused_exactly_once(echo, gateway):
    came = exchange(gateway, [post(CHUNKED, b"3\r\nabc\r\n"), b"zz\r\n"], pause=0.1, seconds=3)
    assert came.statuses() == [400]
    assert came.closed
    wait_until("the portal is free", lambda: not echo.of(b"/x")[-1].whole, 2)


def test_C2_bytes_behind_an_answered_upload_are_never_a_body(echo, gateway):
    """The portal answers early and keeps its side: that connection must not serve anybody else."""
    number = []

    def early(talk, seen):
        number.append(talk.number)
        talk.send(b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno")
        with_rest = threading.Event()
        watch(talk, with_rest)

    echo.on(b"/early", early, early=True)
    came = exchange(
        gateway,
        [post(b"Content-Length: 50\r\n").replace(b"/x", b"/early"), b"z" * 50, get(target=b"/next")],
        pause=0.1,
        seconds=0.5,
    )
    assert came.statuses() == [413, 200]
    assert echo.of(b"/next")[-1].connection != number[0]
    assert echo.faults == []
