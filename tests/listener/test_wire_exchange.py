# SPDX-License-Identifier: EUPL-1.2
"""How requests follow each other on one connection, how bodies flow both ways, and what happens when one side goes."""

from __future__ import annotations

import hashlib
import socket
import threading
import time
from pathlib import Path

import pytest
from listener.wire_table import CHUNKED, HOST, get, post
from support.echo import EndedError
from support.link import Link
from support.raw import exchange, parse
from support.servers import LOOPBACK, free_port, wait_until

MIB = 1 << 20


def rss(pid: int) -> int:
    """Resident memory of the gateway, in bytes."""
    text = Path(f"/proc/{pid}/status").read_text()
    return int(text.partition("VmRSS:")[2].split()[0]) * 1024


@pytest.fixture(scope="module")
def pid(house, gateway):
    """The gateway's process id: the one that listens on its port."""
    import subprocess

    found = subprocess.run(["ss", "-ltnpH", f"sport = :{gateway}"], capture_output=True, text=True, check=True)
    return int(found.stdout.partition("pid=")[2].partition(",")[0])


def connect(port: int, seconds: float = 5.0) -> socket.socket:
    link = socket.create_connection((LOOPBACK, port), timeout=seconds)
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return link


def read_all(link: socket.socket) -> bytes:
    got = b""
    while piece := link.recv(65_536):
        got += piece
    return got


def answers_slowly(talk, seen):
    time.sleep(0.15)
    body = seen.target
    talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))


# pipelining


def test_pipelined_requests_are_answered_in_order_one_at_a_time(echo, gateway):
    echo.on(b"/slow", answers_slowly)
    sent = b"".join(get(target=b"/%b?%d" % (b"slow" if n % 3 == 0 else b"x", n)) for n in range(6))
    came = exchange(gateway, sent, seconds=0.6)
    assert came.statuses() == [200] * 6
    assert [answer.body.split(b"\n")[0] for answer in came.answers()] == [
        b"/%b?%d" % (b"slow" if n % 3 == 0 else b"x", n) for n in range(6)
    ]


@pytest.mark.parametrize("coding", ["length", "chunked"])
def test_a_body_that_arrives_behind_an_answer_under_way_is_not_lost(echo, gateway, coding):
    echo.on(b"/slow", answers_slowly)
    if coding == "length":
        head, rest = post(b"Content-Length: 6\r\n", b"abc"), b"def"
    else:
        head, rest = post(CHUNKED, b"3\r\nabc\r\n"), b"3\r\ndef\r\n0\r\n\r\n"
    came = exchange(gateway, [get(target=b"/slow") + head, rest, get(target=b"/last")], pause=0.05, seconds=0.6)
    assert came.statuses() == [200, 200, 200]
    assert echo.of(b"/x")[-1].body == b"abcdef"
    assert came.answers()[1].body.endswith(b"abcdef")


def test_too_many_pipelined_requests_end_the_connection_but_not_the_first_answer(echo, gateway):
    echo.on(b"/slow", answers_slowly)
    before = len(echo.seen)
    came = exchange(gateway, get(target=b"/slow") + get(target=b"/many") * 50, seconds=3)
    assert came.closed
    assert came.statuses()[0] == 200
    assert came.answers()[0].body == b"/slow"
    assert len(echo.seen) - before <= 9


def test_close_in_the_middle_of_a_pipeline_ends_it(echo, gateway):
    sent = get(target=b"/one") + get(b"Connection: close\r\n", target=b"/two") + get(target=b"/three")
    came = exchange(gateway, sent, seconds=3)
    assert came.closed
    assert came.statuses()[:1] == [200]
    assert echo.count(b"/three") == 0


def test_a_client_that_takes_no_answers_gets_no_more_begun(echo, gateway, pid):
    """Small answers that nobody reads must not pile up here, whatever is asked for."""
    body = b"z" * 200_000
    echo.on(b"/pile", lambda talk, seen: talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n" + body))
    before, memory = echo.count(b"/pile"), rss(pid)
    with connect(gateway) as link:
        link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        link.settimeout(0.3)
        try:
            for _ in range(3_000):
                link.sendall(get(target=b"/pile"))
        except TimeoutError:
            pass
        time.sleep(0.3)
        assert echo.count(b"/pile") - before < 60
        assert rss(pid) - memory < 30 * MIB
        link.settimeout(5)
        assert len(link.recv(65_536)) > 0


# versions, methods, statuses


def test_http_1_0_closes_unless_it_asks_to_stay(echo, gateway):
    came = exchange(gateway, b"GET /x HTTP/1.0\r\n" + HOST + b"\r\n", seconds=3)
    assert came.closed
    assert came.statuses() == [200]
    assert came.answers()[0].get(b"connection") == b"close"
    keep = b"GET /x HTTP/1.0\r\n" + HOST + b"Connection: keep-alive\r\n\r\n"
    came = exchange(gateway, [keep, keep], seconds=0.3)
    assert not came.closed
    assert [one.get(b"connection") for one in came.answers()] == [b"keep-alive"] * 2


def chunked_answer(talk, seen):
    talk.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
    time.sleep(0.05)
    talk.send(b"3;ext=1\r\ndef\r\n0\r\nX-Trailer: evil\r\n\r\n")


def test_chunked_answers_are_chunked_anew_and_end_with_the_connection_for_http_1_0(echo, gateway):
    echo.on(b"/chunks", chunked_answer)
    came = exchange(gateway, [get(target=b"/chunks"), get(target=b"/chunks")], pause=0.2, seconds=0.3)
    assert [(one.body, one.whole, one.get(b"transfer-encoding")) for one in came.answers()] == [
        (b"abcdef", True, b"chunked")
    ] * 2
    assert b"evil" not in came.received
    came = exchange(gateway, b"GET /chunks HTTP/1.0\r\n" + HOST + b"Connection: keep-alive\r\n\r\n", seconds=3)
    answer = came.answers()[0]
    assert (came.closed, came.reset) == (True, False)
    assert (answer.body, answer.all(b"transfer-encoding"), answer.get(b"connection")) == (b"abcdef", [], b"close")


@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
def test_an_answer_that_breaks_off_never_looks_whole(echo, gateway, version):
    def breaks(talk, seen):
        talk.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
        time.sleep(0.1)
        talk.close()

    echo.on(b"/breaks", breaks)
    came = exchange(gateway, b"GET /breaks HTTP/%b\r\n" % version + HOST + b"\r\n", seconds=3)
    assert came.reset, "a plain close would look like the end to HTTP/1.0"
    assert b"\r\n0\r\n" not in came.received


def test_head_has_the_fields_and_no_body(echo, gateway):
    with Link(gateway) as link:
        for _ in range(2):
            came = link.ask(b"HEAD /x HTTP/1.1")
            assert (came.status, came.body, came.get(b"content-length")) == (200, b"", b"4")
        assert link.ask(b"GET /x HTTP/1.1").body == b"/x\n\n"
        assert link.connections == 1


@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified", b"304 Not Modified\r\nContent-Length: 10"])
def test_answers_without_a_body_keep_the_connection(echo, gateway, status):
    echo.on(b"/bodiless", lambda talk, seen: talk.send(b"HTTP/1.1 %b\r\nX-A: b\r\n\r\n" % status))
    with Link(gateway) as link:
        for _ in range(2):
            came = link.ask(b"GET /bodiless HTTP/1.1")
            assert (came.status, came.body, came.get(b"x-a")) == (int(status[:3]), b"", b"b")
            assert came.all(b"transfer-encoding") == []
        assert link.connections == 1


# bodies


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
    came = exchange(gateway, [sent, get(target=b"/x")], seconds=1.5)
    assert came.statuses()[0] in {404, 405}
    assert came.answers()[0].whole
    assert not came.reset
    if not came.closed:
        assert came.statuses()[1:] == [200]
    else:
        assert came.answers()[0].get(b"connection") == b"close"


def test_a_portal_that_cannot_be_reached_is_told_although_the_body_still_comes(tmp_path):
    from support.house import House

    house = House(tmp_path / "h", f"http://{LOOPBACK}:{free_port()}")
    with house.serve():
        came = exchange(house.port, post(b"Content-Length: 3000000\r\n", b"z" * 3_000_000), seconds=3)
        assert came.statuses() == [502]
        assert not came.reset
        assert exchange(house.port, get(), seconds=0.3).statuses() == [502]


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
