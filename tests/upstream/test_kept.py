# SPDX-License-Identifier: EUPL-1.2
"""C2: kept connections to the portal: used again when both sides ended cleanly, and never with anybody else's bytes."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress

import pytest
from upstream.scripts import HOST, OK, get, says

from support.link import Link
from support.raw import parse
from support.servers import LOOPBACK


def test_kept_connections_are_used_again(echo, gateway):
    before = echo.connections
    with Link(gateway) as link:
        for _ in range(20):
            assert link.ask(b"GET /x HTTP/1.1").status == 200
    assert echo.connections - before <= 1


@pytest.mark.parametrize("method", [b"GET", b"HEAD"])
def test_a_kept_connection_that_dies_is_tried_once_more_for_what_is_safe(echo, gateway, method):
    dies = []

    def script(talk, seen):
        dies.append(talk.number)
        if len(dies) == 1:
            talk.close()  # after the request was read, without a word
        else:
            talk.send(OK + b"Content-Length: 5\r\n\r\n" + (b"" if method == b"HEAD" else b"again"))

    echo.on(b"/dies", script)
    with Link(gateway) as link:
        assert link.ask(b"GET /x HTTP/1.1").status == 200
        assert link.ask(method + b" /dies HTTP/1.1").status == 200
    assert len(dies) == 2
    assert dies[0] != dies[1]


def test_it_is_tried_once_only(echo, gateway):
    before = echo.count(b"/always-dies")
    echo.on(b"/always-dies", says(close=True))
    with Link(gateway) as link:
        assert link.ask(b"GET /x HTTP/1.1").status == 200
        assert link.ask(b"GET /always-dies HTTP/1.1").status == 502
    assert echo.count(b"/always-dies") - before == 2


@pytest.mark.parametrize("method", [b"POST", b"PUT", b"DELETE", b"PATCH", b"OPTIONS"])
def test_what_may_change_something_is_never_sent_twice(echo, gateway, method):
    before = echo.count(b"/never-twice")
    echo.on(b"/never-twice", says(close=True))
    with Link(gateway) as link:
        assert link.ask(b"GET /x HTTP/1.1").status == 200
        fields = b"" if method == b"OPTIONS" else b"\r\ncontent-length: 3\r\n\r\nabc"
        assert link.ask(method + b" /never-twice HTTP/1.1" + fields).status == 502
    assert echo.count(b"/never-twice") - before == 1


def test_a_get_whose_answer_began_is_never_sent_twice(echo, gateway):
    before = echo.count(b"/began")
    echo.on(b"/began", says(b"HTTP/1.1 200 OK\r\nContent-Len", close=True))
    with Link(gateway) as link:
        assert link.ask(b"GET /x HTTP/1.1").status == 200
        assert link.ask(b"GET /began HTTP/1.1").status == 502
    assert echo.count(b"/began") - before == 1


EVIL = OK + b"Content-Length: 4\r\n\r\nevil"


@pytest.mark.parametrize("pause", [None, 0.0, 0.1], ids=["same packet", "at once", "later"])
@pytest.mark.parametrize("framing", ["length", "chunked", "head", "empty"])
def test_C2_a_second_answer_behind_the_first_never_answers_anybody(echo, gateway, pause, framing):
    first = {
        "length": OK + b"Content-Length: 2\r\n\r\nok",
        "chunked": OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        "head": OK + b"Content-Length: 2\r\n\r\n",
        "empty": b"HTTP/1.1 204 No Content\r\n\r\n",
    }[framing]

    sent = threading.Event()

    def script(talk, seen):
        if pause is None:
            talk.send(first + EVIL)
        else:
            talk.send(first)
            time.sleep(pause)
            with suppress(OSError):  # the gateway may have hung up
                talk.send(EVIL)
        sent.set()

    echo.on(b"/double", script)
    method = b"HEAD" if framing == "head" else b"GET"
    for _ in range(3):
        with Link(gateway) as link:
            came = link.ask(method + b" /double HTTP/1.1")
            assert came.status in {200, 204, 502}
            assert came.status != 502 or (framing == "head" and not pause), "only bytes that are no answer are refused"
            assert came.body in {b"ok", b""}
            assert sent.wait(10)
            sent.clear()
            time.sleep(0.02)
            assert link.ask(b"GET /mine HTTP/1.1").body == b"/mine\n\n"


def test_C2_a_head_answered_with_a_body_poisons_nobody(echo, gateway):
    echo.on(b"/head-body", says(OK + b"Content-Length: %d\r\n\r\n" % len(EVIL) + EVIL))
    with Link(gateway) as link:
        assert link.ask(b"HEAD /head-body HTTP/1.1").status == 200
        assert link.ask(b"GET /mine HTTP/1.1").body == b"/mine\n\n"


@pytest.mark.parametrize("pause", [0.0, 0.1], ids=["at once", "later"])
def test_C2_bytes_on_a_kept_connection_before_any_request_poison_nobody(echo, gateway, pause):
    def script(talk, seen):
        talk.send(OK + b"Content-Length: 2\r\n\r\nok")
        time.sleep(pause)
        talk.send(b"HTTP/1.1 2")

    echo.on(b"/early-bytes", script)
    with Link(gateway) as link:
        assert link.ask(b"GET /early-bytes HTTP/1.1").body == b"ok"
        time.sleep(0.05 + pause)
        assert link.ask(b"GET /mine HTTP/1.1").body == b"/mine\n\n"


def test_C2_an_answer_before_the_request_is_whole_ends_that_connection(echo, gateway):
    def script(talk, seen):
        talk.send(OK + b"Content-Length: 5\r\n\r\nearly")
        talk.exactly(100, lambda piece: None)

    echo.on(b"/early", script, early=True)
    with socket.create_connection((LOOPBACK, gateway), timeout=5) as link:
        link.sendall(b"POST /early HTTP/1.1\r\n" + HOST + b"Content-Length: 100\r\n\r\n" + b"a" * 50)
        assert parse(link.recv(65_536))[0].body == b"early"
        link.sendall(b"b" * 50 + get(b"/mine"))
        assert parse(link.recv(65_536))[0].body == b"/mine\n\n"
    assert echo.of(b"/mine")[-1].connection != echo.of(b"/early")[-1].connection


def test_C2_a_connection_that_the_portal_closes_is_not_used_again(echo, gateway):
    echo.on(b"/closing", says(OK + b"Connection: close\r\nContent-Length: 2\r\n\r\nok"))
    with Link(gateway) as link:
        assert link.ask(b"GET /closing HTTP/1.1").body == b"ok"
        assert link.ask(b"GET /mine HTTP/1.1").status == 200
    assert echo.of(b"/mine")[-1].connection != echo.of(b"/closing")[-1].connection
