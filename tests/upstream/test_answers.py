# SPDX-License-Identifier: EUPL-1.2
"""C2: what a portal may answer. What has two readings is 502, what never comes 504, and none of it is ever another's."""

from __future__ import annotations

import socket
import time

import pytest
from support.link import Link
from support.raw import exchange, parse
from support.servers import LOOPBACK

HOST = b"Host: localhost:8443\r\n"
OK = b"HTTP/1.1 200 OK\r\n"


def get(target: bytes) -> bytes:
    return b"GET %b HTTP/1.1\r\n" % target + HOST + b"\r\n"


def says(*pieces: bytes, pause: float = 0.05, close: bool = False):
    """A script that sends these pieces."""

    def script(talk, seen):
        for number, piece in enumerate(pieces):
            if number:
                time.sleep(pause)
            talk.send(piece)
        if close:
            talk.close()

    return script


BAD = {
    "CL and TE": OK + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    "TE and CL": OK + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    "two CL": OK + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    "two equal CL": OK + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
    "CL list": OK + b"Content-Length: 3, 3\r\n\r\nabc",
    "CL plus": OK + b"Content-Length: +3\r\n\r\nabc",
    "CL minus": OK + b"Content-Length: -3\r\n\r\nabc",
    "CL overflow": OK + b"Content-Length: 99999999999999999999\r\n\r\nabc",
    "TE gzip": OK + b"Transfer-Encoding: gzip\r\n\r\nabc",
    "TE gzip, chunked": OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "TE twice": OK + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "TE identity": OK + b"Transfer-Encoding: identity\r\n\r\nabc",
    "TE in 1.0": b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    "bare LF": b"HTTP/1.1 200 OK\nContent-Length: 3\n\nabc",
    "obs-fold": OK + b"A: b\r\n c\r\nContent-Length: 3\r\n\r\nabc",
    "NUL": OK + b"A: b\x00c\r\nContent-Length: 3\r\n\r\nabc",
    "bare CR": OK + b"A: b\rSet-Cookie: evil\r\nContent-Length: 3\r\n\r\nabc",
    "colonless": OK + b"Acolonless\r\nContent-Length: 3\r\n\r\nabc",
    "space before the colon": OK + b"Content-Length : 3\r\n\r\nabc",
    "no HTTP": b"hello\r\n\r\n",
    "HTTP/2.0": b"HTTP/2.0 200 OK\r\nContent-Length: 3\r\n\r\nabc",
    "HTTP/0.9": b"HTTP/0.9 200 OK\r\nContent-Length: 3\r\n\r\nabc",
    "HTTP/3.7": b"HTTP/3.7 200 OK\r\nContent-Length: 3\r\n\r\nabc",
    "status 99": b"HTTP/1.1 99 X\r\nContent-Length: 3\r\n\r\nabc",
    "status 000": b"HTTP/1.1 000 X\r\nContent-Length: 3\r\n\r\nabc",
    "status 600": b"HTTP/1.1 600 X\r\nContent-Length: 3\r\n\r\nabc",
    "status 999": b"HTTP/1.1 999 X\r\nContent-Length: 3\r\n\r\nabc",
    "status 2000": b"HTTP/1.1 2000 X\r\nContent-Length: 3\r\n\r\nabc",
    "no status": b"HTTP/1.1 \r\nContent-Length: 3\r\n\r\nabc",
    "101 unasked": b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\nabc",
    "101 without Upgrade": b"HTTP/1.1 101 Switching\r\n\r\nabc",
    "huge head": OK + b"A: " + b"b" * 70_000 + b"\r\nContent-Length: 3\r\n\r\nabc",
    "many fields": OK + b"".join(b"A%d: %b\r\n" % (n, b"b" * 90) for n in range(800)) + b"\r\n",
    "bad chunk": OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n",
    "1xx with a body": b"HTTP/1.1 100 Go\r\nContent-Length: 5\r\n\r\nhello" + OK + b"Content-Length: 0\r\n\r\n",
}


@pytest.mark.parametrize("name", BAD)
def test_C2_a_bad_answer_is_502_and_its_connection_is_gone(echo, gateway, name):
    echo.on(b"/bad", says(BAD[name]))
    with Link(gateway) as link:
        came = link.ask(b"GET /bad HTTP/1.1")
        assert came.status == 502
        assert b"abc" not in came.body
        assert b"evil" not in b"".join(value for _, value in came.headers)
        assert link.ask(b"GET /x HTTP/1.1").body == b"/x\n\n"
        assert link.connections == 1, "the client's own connection is not to blame"
    assert echo.of(b"/x")[-1].connection != echo.of(b"/bad")[-1].connection


@pytest.mark.parametrize("name", ["huge head", "many fields"])
def test_M3_a_head_without_end_is_502(echo, gateway, name):
    begun = BAD[name].partition(b"\r\n\r\n")[0]
    echo.on(b"/endless-head", says(*[begun[at : at + 9_000] for at in range(0, len(begun), 9_000)], pause=0.005))
    with Link(gateway) as link:
        assert link.ask(b"GET /endless-head HTTP/1.1").status == 502


@pytest.mark.parametrize(
    ("name", "pieces", "close", "body"),
    [
        ("length", (OK + b"Content-Length: 3\r\n\r\nabc",), False, b"abc"),
        ("length in two", (OK + b"Content-Length: 6\r\n\r\nabc", b"def"), False, b"abcdef"),
        ("head, then body", (OK + b"Content-Length: 3\r\n\r\n", b"abc"), False, b"abc"),
        ("empty", (OK + b"Content-Length: 0\r\n\r\n",), False, b""),
        ("until close", (OK + b"\r\nabc", b"def"), True, b"abcdef"),
        ("until close, at once", (OK + b"\r\nabc",), True, b"abc"),
        ("until close, empty", (OK + b"\r\n",), True, b""),
        ("HTTP/1.0", (b"HTTP/1.0 200 OK\r\n\r\nabc",), True, b"abc"),
        ("chunked", (OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",), False, b"abc"),
        (
            "Chunked, split",
            (OK + b"Transfer-Encoding: Chunked\r\n\r\n3\r", b"\nab", b"c\r\n0\r\n\r", b"\n"),
            False,
            b"abc",
        ),
        ("interim", (b"HTTP/1.1 103 Early\r\nLink: evil\r\n\r\n", OK + b"Content-Length: 3\r\n\r\nabc"), False, b"abc"),
        (
            "interims",
            (b"HTTP/1.1 100 Go\r\n\r\nHTTP/1.1 102 W\r\n\r\n" + OK + b"Content-Length: 1\r\n\r\na",),
            False,
            b"a",
        ),
        ("no reason", (b"HTTP/1.1 200\r\nContent-Length: 3\r\n\r\nabc",), False, b"abc"),
        ("byte by byte", tuple(bytes([b]) for b in OK + b"Content-Length: 2\r\n\r\nok"), False, b"ok"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_ends_in_one_way_is_relayed_whole(echo, gateway, name, pieces, close, body):
    echo.on(b"/good", says(*pieces, close=close, pause=0.01))
    with Link(gateway) as link:
        for _ in range(2):
            came = link.ask(b"GET /good HTTP/1.1")
            assert (came.status, came.body, came.whole) == (200, body, True)
            assert came.all(b"link") == []
        assert link.connections == 1


@pytest.mark.parametrize(
    "first",
    [
        OK + b"Content-Length: 10\r\n\r\nabc",
        OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab",
    ],
    ids=["length", "chunks", "in a chunk"],
)
@pytest.mark.parametrize("how", ["closes", "falls silent", "sends rubbish"])
def test_a_portal_that_fails_in_mid_body_is_a_cut_and_never_an_end(echo, gateway, first, how):
    def script(talk, seen):
        talk.send(first)
        time.sleep(0.05)
        if how == "falls silent":
            time.sleep(2)
        elif how == "sends rubbish" and b"chunked" in first:
            talk.send(b"XXXXXXXXXXXX\r\n\r\n")
            time.sleep(1)
        talk.close()

    echo.on(b"/cut", script)
    came = exchange(gateway, get(b"/cut"), seconds=4)
    answer = came.answers()[0]
    assert came.closed
    assert (answer.status, answer.whole) == (200, False)
    assert b"\r\n0\r\n" not in came.received


def test_a_portal_that_hangs_up_without_a_word_is_502_and_one_that_is_silent_504(echo, gateway):
    echo.on(b"/hangs-up", says(close=True))
    echo.on(b"/half-head", says(b"HTTP/1.1 200 O", close=True))
    echo.on(b"/silent", lambda talk, seen: time.sleep(2))
    with Link(gateway) as link:
        assert link.ask(b"GET /hangs-up HTTP/1.1").status == 502
        assert link.ask(b"GET /half-head HTTP/1.1").status == 502
        began = time.monotonic()
        assert link.ask(b"GET /silent HTTP/1.1").status == 504
        assert time.monotonic() - began < 1.5
        assert link.ask(b"POST /silent HTTP/1.1\r\ncontent-length: 3\r\n\r\nabc").status == 504


# kept connections


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

    def script(talk, seen):
        if pause is None:
            talk.send(first + EVIL)
        else:
            talk.send(first)
            time.sleep(pause)
            talk.send(EVIL)

    echo.on(b"/double", script)
    method = b"HEAD" if framing == "head" else b"GET"
    for _ in range(3):
        with Link(gateway) as link:
            came = link.ask(method + b" /double HTTP/1.1")
            assert (came.status, came.body) in {(200, b"ok"), (200, b""), (204, b"")}
            time.sleep(0.02 + 2 * (pause or 0))
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


def test_a_reader_that_was_slow_to_the_end_leaves_a_sound_connection_behind(echo, gateway):
    """The portal was held back when its last bytes came; the next request on that connection must be heard."""
    size = 3_000_000
    echo.on(b"/big", says(OK + b"Content-Length: %d\r\n\r\n" % size + b"z" * size))
    for _ in range(3):
        with socket.create_connection((LOOPBACK, gateway), timeout=5) as link:
            link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
            link.sendall(get(b"/big"))
            got = 0
            time.sleep(0.2)
            while got < size:
                got += len(link.recv(1 << 16))
                time.sleep(0.0005)
        with Link(gateway) as link:
            for _ in range(2):
                assert link.ask(b"GET /mine HTTP/1.1").status == 200
