# SPDX-License-Identifier: EUPL-1.2
"""How requests follow each other on one connection: in order, bounded, in each version and method."""

from __future__ import annotations

import socket
import time

import pytest
from listener.clients import MIB, connect, listener, rss
from listener.wire_table import CHUNKED, HOST, get, post

from support.link import Link
from support.raw import exchange


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


def test_a_client_that_takes_no_answers_gets_no_more_begun(echo, gateway):
    """Small answers that nobody reads must not pile up here, whatever is asked for."""
    pid, body = listener(gateway), b"z" * 200_000
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
    came = exchange(gateway, [keep, keep], seconds=20, due=2)
    assert not came.closed
    assert [one.get(b"connection") for one in came.answers()] == [b"keep-alive"] * 2


def chunked_answer(talk, seen):
    talk.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
    time.sleep(0.05)
    talk.send(b"3;ext=1\r\ndef\r\n0\r\nX-Trailer: evil\r\n\r\n")


def test_chunked_answers_are_chunked_anew_and_end_with_the_connection_for_http_1_0(echo, gateway):
    echo.on(b"/chunks", chunked_answer)
    came = exchange(gateway, [get(target=b"/chunks"), get(target=b"/chunks")], pause=0.2, seconds=20, due=2)
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
