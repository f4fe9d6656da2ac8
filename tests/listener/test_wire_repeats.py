# SPDX-License-Identifier: EUPL-1.2
"""A head that repeats the one before it is not parsed again: nothing may pass that way which would not pass afresh."""

from __future__ import annotations

import time

import pytest
from listener.clients import connect
from listener.wire_table import END, HOST, REFUSED, get

from support.link import Link
from support.raw import Exchange, exchange, parse

TAIL = b" HTTP/1.1\r\n" + HOST + b"\r\n"


def after_a_good_one(port: int, sent: bytes | list[bytes]) -> Exchange:
    """The answers to two good heads, and to what follows them once they were answered: the second was a repetition."""
    received = b""
    with connect(port, seconds=1.5) as link:
        for number in (1, 2):
            link.sendall(get(target=b"/good"))
            while len(answers := parse(received)) < number or not answers[-1].whole:
                received += link.recv(65_536)
        try:
            for piece in [sent] if isinstance(sent, bytes) else sent:
                link.sendall(piece)
                time.sleep(0.03)
            while piece := link.recv(65_536):
                received += piece
        except TimeoutError:
            return Exchange(received, closed=False)
        except OSError:
            return Exchange(received, closed=True, reset=True)
    return Exchange(received, closed=True)


def test_what_repeats_reaches_the_portal_like_the_first(echo, gateway):
    with Link(gateway, "a=1") as link:
        for number in range(4):
            assert link.ask(b"GET /again?%d HTTP/1.1\r\nAccept: x" % number).status == 200
    seen = [one for one in echo.seen if one.target.startswith(b"/again")]
    assert [one.target for one in seen] == [b"/again?%d" % number for number in range(4)]
    own = (b"herse-request",)
    first, *others = ([field for field in one.fields if field[0] not in own] for one in seen)
    assert others == [first] * 3
    assert len({one.get(b"herse-request") for one in seen}) == 4


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in REFUSED])
def test_C1_C3_what_is_refused_afresh_is_refused_behind_a_good_one(echo, gateway, case):
    before = len([one for one in echo.seen if one.whole])
    came = after_a_good_one(gateway, case.sent)
    assert len(came.statuses()) == 3, came.received
    assert came.statuses()[2] in case.statuses
    assert len([one for one in echo.seen if one.whole]) - before == 2


@pytest.mark.parametrize(
    "target",
    [*b"/x/.. /x//y /%2e%2e/x /x;y x * http://localhost:8443/x /x#y".split(), b"/x y", b"", b"/\x01", b"/\xe9"],
)
def test_a_target_is_judged_each_time(echo, gateway, target):
    came = after_a_good_one(gateway, b"GET " + target + TAIL)
    assert came.statuses()[2:] == [400]


def test_a_target_with_an_encoding_is_read_by_the_parser(echo, gateway):
    came = after_a_good_one(gateway, [b"GET /caf%C3%A9" + TAIL, b"GET /plain?a=%2F" + TAIL])
    assert came.statuses() == [200] * 4
    assert [one.target for one in echo.seen[-2:]] == [b"/caf%C3%A9", b"/plain?a=%2F"]


@pytest.mark.parametrize("line", [b"get /x", b"GET\t/x", b" GET /x", b"GET /x HTTP/1.1\r\nGET /y", b"X GET /x"])
def test_a_line_that_is_no_line_is_refused(echo, gateway, line):
    came = after_a_good_one(gateway, line + TAIL)
    assert came.statuses()[2] in {400, 501}


def test_a_url_too_long_is_refused(echo, gateway):
    came = after_a_good_one(gateway, b"GET /" + b"a" * 9_000 + TAIL)
    assert came.statuses()[2:] == [414]


@pytest.mark.parametrize("method", [b"HEAD", b"OPTIONS", b"DELETE"])
def test_another_method_with_the_same_fields_is_another_request(echo, gateway, method):
    after_a_good_one(gateway, method + b" /other" + TAIL)
    assert (echo.seen[-1].method, echo.seen[-1].target) == (method, b"/other")


def test_two_heads_in_one_read_are_two(echo, gateway):
    came = after_a_good_one(gateway, get(target=b"/one") + get(target=b"/two"))
    assert came.statuses() == [200] * 4
    assert [one.target for one in echo.seen[-2:]] == [b"/one", b"/two"]


def test_a_head_in_pieces_is_one(echo, gateway):
    whole = get(target=b"/pieces")
    for cut in (1, 5, 14, 25, len(whole) - 1):
        came = after_a_good_one(gateway, [whole[:cut], whole[cut:]])
        assert came.statuses() == [200] * 3
        assert echo.seen[-1].target == b"/pieces"


def test_the_end_of_a_head_that_looks_like_a_head_is_none(echo, gateway):
    came = after_a_good_one(gateway, [b"GET /x HTTP/1.1\r\n" + HOST + b"A: ", b"GET /evil" + TAIL])
    assert came.statuses()[2:] == [400]
    assert echo.count(b"/evil") == 0


def test_a_body_that_ends_like_a_head_is_a_body(echo, gateway):
    body = b"GET /evil" + TAIL
    head = b"POST /upload HTTP/1.1\r\n" + HOST + b"Content-Length: %d\r\n\r\n" % len(body)
    came = after_a_good_one(gateway, [head, body, get(target=b"/last")])
    assert came.statuses() == [200] * 4
    assert [one.target for one in echo.seen[-2:]] == [b"/upload", b"/last"]
    assert echo.seen[-2].body == body


def test_a_head_sent_while_an_answer_is_under_way_waits_its_turn(echo, gateway):
    def slowly(talk, _seen):
        time.sleep(0.2)
        talk.send(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nslow")

    echo.on(b"/slow", slowly)
    came = after_a_good_one(gateway, [get(target=b"/slow"), get(target=b"/behind"), get(target=b"/third")])
    assert came.answers()[2].body == b"slow"
    assert came.statuses() == [200] * 5
    assert [one.target for one in echo.seen[-3:]] == [b"/slow", b"/behind", b"/third"]


def test_a_head_that_closes_is_not_remembered(echo, gateway):
    closing = b"GET /bye HTTP/1.1\r\n" + HOST + b"Connection: close" + END + END
    came = exchange(gateway, [closing, closing], pause=0.05, seconds=2)
    assert came.statuses() == [200]
    assert came.closed
    assert echo.count(b"/bye") == 1
