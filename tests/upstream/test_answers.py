# SPDX-License-Identifier: EUPL-1.2
"""C2: what a portal may answer. What has two readings is 502, what never comes 504, and nobody gets another's."""

from __future__ import annotations

import time

import pytest
from upstream.scripts import OK, get, says

from support.link import Link
from support.raw import exchange

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
        assert came.get(b"content-type") == b"application/problem+json", "our words, none of the portal's"
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


GOOD = {
    "length": ((OK + b"Content-Length: 3\r\n\r\nabc",), False, b"abc"),
    "length in two": ((OK + b"Content-Length: 6\r\n\r\nabc", b"def"), False, b"abcdef"),
    "head, then body": ((OK + b"Content-Length: 3\r\n\r\n", b"abc"), False, b"abc"),
    "empty": ((OK + b"Content-Length: 0\r\n\r\n",), False, b""),
    "until close": ((OK + b"\r\nabc", b"def"), True, b"abcdef"),
    "until close, at once": ((OK + b"\r\nabc",), True, b"abc"),
    "until close, empty": ((OK + b"\r\n",), True, b""),
    "HTTP/1.0": ((b"HTTP/1.0 200 OK\r\n\r\nabc",), True, b"abc"),
    "chunked": ((OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",), False, b"abc"),
    "Chunked, split": (
        (OK + b"Transfer-Encoding: Chunked\r\n\r\n3\r", b"\nab", b"c\r\n0\r\n\r", b"\n"),
        False,
        b"abc",
    ),
    "interim": ((b"HTTP/1.1 103 Early\r\nLink: evil\r\n\r\n", OK + b"Content-Length: 3\r\n\r\nabc"), False, b"abc"),
    "interims": (
        (b"HTTP/1.1 100 Go\r\n\r\nHTTP/1.1 102 W\r\n\r\n" + OK + b"Content-Length: 1\r\n\r\na",),
        False,
        b"a",
    ),
    "no reason": ((b"HTTP/1.1 200\r\nContent-Length: 3\r\n\r\nabc",), False, b"abc"),
    "byte by byte": (tuple(bytes([b]) for b in OK + b"Content-Length: 2\r\n\r\nok"), False, b"ok"),
}


@pytest.mark.parametrize("name", GOOD)
def test_what_ends_in_one_way_is_relayed_whole(echo, gateway, name):
    pieces, close, body = GOOD[name]
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
            time.sleep(3)
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
    echo.on(b"/silent", lambda talk, seen: time.sleep(3))
    with Link(gateway) as link:
        assert link.ask(b"GET /hangs-up HTTP/1.1").status == 502
        assert link.ask(b"GET /half-head HTTP/1.1").status == 502
        began = time.monotonic()
        assert link.ask(b"GET /silent HTTP/1.1").status == 504
        assert time.monotonic() - began < 2.5
        assert link.ask(b"POST /silent HTTP/1.1\r\ncontent-length: 3\r\n\r\nabc").status == 504
