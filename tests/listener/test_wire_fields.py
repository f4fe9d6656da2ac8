# SPDX-License-Identifier: EUPL-1.2
"""B: what a client says of itself, by whatever field, trailer or Connection token, never reaches the portal as ours."""

from __future__ import annotations

import pytest
from listener.wire_table import CHUNKED, HOST, get, post

from support.link import Link
from support.raw import exchange

SPOOFS = [
    b"Herse-Assertion: evil",
    b"HERSE-ASSERTION: evil",
    b"Herse-Request: evil",
    b"Herse-Anything: evil",
    b"X-Forwarded-For: evil",
    b"X-Forwarded-Proto: evil",
    b"X-Forwarded-Host: evil",
    b"X-Forwarded-Port: evil",
    b"X-Forwarded-Prefix: evil",
    b"X-Forwarded-User: evil",
    b"X-Forwarded-Uri: evil",
    b"Forwarded: for=evil",
    b"X-Real-IP: evil",
    b"X-Original-URL: /evil",
    b"X-Original-URI: /evil",
    b"X-Original-Method: evil",
    b"X-Rewrite-URL: /evil",
    b"X-SSL-Client-Cert: evil",
    b"SSL-Client-Verify: evil",
    b"X-Client-Cert: evil",
    b"Client-Cert: evil",
    b"X-Client-IP: evil",
    b"True-Client-IP: evil",
    b"X-Auth-Request-User: evil",
    b"X-User: evil",
    b"Remote-User: evil",
    b"X-Remote-User: evil",
    b"Authorization: Basic evil",
    b"Proxy-Authorization: Basic evil",
    b"Via: evil",
    b"X-HTTP-Method-Override: DELETE-evil",
    b"X-HTTP-Method: evil",
    b"X-Method-Override: evil",
    b"X-Accel-Redirect: /evil",
    b"TE: evil",
    b"Trailer: evil",
    b"Keep-Alive: evil",
    b"Proxy-Connection: evil",
    b"Upgrade: evil",
]


def evil(seen) -> list[bytes]:
    return [name + b": " + value for name, value in seen.fields if b"evil" in value.lower()]


@pytest.mark.parametrize("method", [b"GET", b"POST", b"OPTIONS", b"DELETE"])
def test_B1_B4_B8_N4_no_spoofed_field_reaches_the_portal(echo, gateway, method):
    sent = b"%b /spoof HTTP/1.1\r\n" % method + HOST + b"\r\n".join(SPOOFS) + b"\r\nA: kept\r\n\r\n"
    with Link(gateway) as link:
        link.send(sent)
        assert link.receive().status == 200
    seen = echo.of(b"/spoof")[-1]
    assert evil(seen) == []
    assert seen.method == method
    assert seen.all(b"x-forwarded-for") == [b"127.0.0.1"]
    assert seen.all(b"x-forwarded-proto") == [b"http"]
    assert len(seen.all(b"herse-request")) == 1
    assert seen.all(b"herse-assertion") == []
    assert seen.get(b"a") == b"kept"


@pytest.mark.parametrize(
    "token",
    [b"herse-assertion", b"Herse-Request", b"x-forwarded-for", b"close, X-Forwarded-Proto", b"host", b"content-length"],
)
def test_B3_a_connection_token_takes_nothing_of_ours_away(echo, gateway, token):
    body = b"abc"
    with Link(gateway) as link:
        link.send(post(b"Connection: %b\r\nContent-Length: 3\r\n" % token, body))
        assert link.receive().status == 200
    seen = echo.of(b"/x")[-1]
    for name in (b"host", b"herse-request", b"x-forwarded-for", b"x-forwarded-proto", b"content-length"):
        assert len(seen.all(name)) == 1, name
    assert seen.body == body


def test_a_field_that_connection_names_stays_on_its_hop(echo, gateway):
    with Link(gateway) as link:
        link.send(get(b"Connection: x-hop, keep-alive\r\nX-Hop: 1\r\nX-End: 2\r\n"))
        assert link.receive().status == 200
    seen = echo.of(b"/x")[-1]
    assert (seen.all(b"x-hop"), seen.all(b"x-end"), seen.all(b"connection")) == ([], [b"2"], [])


def test_B10_our_cookie_stays_here_and_the_others_pass(echo, gateway):
    cookies = b"a=1; __Host-herse=canary-cookie; b=2;__Host-herse-form=canary-cookie; c=__Host-herse"
    with Link(gateway) as link:
        link.send(get(b"Cookie: %b\r\nCookie: __Host-herse2=canary-cookie\r\nCookie: d=4\r\n" % cookies))
        assert link.receive().status == 200
    seen = echo.of(b"/x")[-1]
    assert seen.all(b"cookie") == [b"a=1; b=2; c=__Host-herse", b"d=4"]


TRAILERS = b"X-Forwarded-User: evil\r\nHost: evil\r\nHerse-Assertion: evil\r\nX-New: evil\r\n"


@pytest.mark.parametrize("pieces", [1, 2, 3], ids=["one packet", "two packets", "three packets"])
def test_B9_trailers_are_no_fields(echo, gateway, pieces):
    head, body, end = post(CHUNKED), b"3\r\nabc\r\n0\r\n", TRAILERS + b"\r\n"
    sent = {1: [head + body + end], 2: [head, body + end], 3: [head, body, end]}[pieces]
    came = exchange(gateway, [*sent, get(b"Connection: close\r\n", target=b"/after")], seconds=3)
    assert came.statuses() == [200, 200]
    seen, after = echo.of(b"/x")[-1], echo.of(b"/after")[-1]
    assert (seen.body, seen.whole) == (b"abc", True)
    assert evil(seen) == evil(after) == []
    assert seen.all(b"host") == [b"localhost:8443"]
    assert (after.body, after.all(b"x-new")) == (b"", [])
    assert echo.faults == []


def test_B9_trailers_without_end_are_cut_off(gateway):
    flood = [b"X-T%d: %b\r\n" % (number, b"y" * 60_000) for number in range(40)]
    came = exchange(gateway, [post(CHUNKED, b"3\r\nabc\r\n0\r\n"), *flood], pause=0, seconds=4)
    assert came.closed
    assert came.statuses() in ([431], [])  # what comes on after the refusal may reset it away


@pytest.mark.parametrize("piece", [b"X: ", b"X", b"GET /"], ids=["a value", "a name", "a target"])
def test_M1_a_head_without_end_is_cut_off(gateway, piece):
    head = piece if piece.startswith(b"GET") else b"GET /x HTTP/1.1\r\n" + HOST + piece
    came = exchange(gateway, [head] + [b"y" * 60_000] * 40, pause=0.002, seconds=4)
    assert came.closed
    assert came.statuses() in ([431], [414], [])


def test_the_portal_can_neither_set_nor_clear_what_is_ours(echo, gateway):
    def answer(talk, seen):
        talk.send(
            b"HTTP/1.1 200 OK\r\nSet-Cookie: __Host-herse=evil; Path=/\r\nSet-Cookie: __host-HERSE=evil\r\n"
            b"Set-Cookie: \xa0__Host-herse=evil\r\nSet-Cookie: kept=1; Path=/\r\nClear-Site-Data: evil\r\n"
            b"Herse-Assertion: evil\r\nAlt-Svc: evil\r\nService-Worker-Allowed: evil\r\n"
            b"Connection: X-Hop\r\nX-Hop: evil\r\nKeep-Alive: evil\r\n"
            b"Date: Mon, 01 Jan 2001 00:00:00 GMT\r\nContent-Length: 2\r\n\r\nok"
        )

    echo.on(b"/sets", answer)
    with Link(gateway) as link:
        came = link.ask(b"GET /sets HTTP/1.1")
    assert came.status == 200
    assert came.body == b"ok"
    assert [value for _, value in came.headers if b"evil" in value] == []
    assert came.all(b"set-cookie") == [b"kept=1; Path=/"]
    assert len(came.all(b"date")) == 1
    assert b"2001" not in came.all(b"date")[0]


def test_B9_a_trailer_is_never_a_field_of_the_next_request(echo, gateway):
    """What was judged once stands for a request with the very same fields, and for no other."""
    late = b"X-Late: 1\r\n"
    with Link(gateway) as link:
        link.send(post(CHUNKED, b"3\r\nabc\r\n0\r\n" + late + b"\r\n"))
        assert link.receive().status == 200
        link.send(post(CHUNKED + late, b"0\r\n\r\n"))
        assert link.receive().status == 200
        link.send(post(CHUNKED, b"0\r\n\r\n"))
        assert link.receive().status == 200
    assert [one.all(b"x-late") for one in echo.of(b"/x")[-3:]] == [[], [b"1"], []]


def test_each_request_of_a_connection_has_its_own_fields(echo, gateway):
    sets = [b"A: 1\r\n", b"A: 1\r\n", b"A: 2\r\n", b"a: 1\r\n", b"A: 1\r\nA: 1\r\n", b"", b"B: 1\r\n", b"A: 1\r\n"]
    with Link(gateway) as link:
        for fields in sets:
            link.send(get(fields + b"Cookie: __Host-herse=canary-cookie; t=%d\r\n" % len(fields)))
            assert link.receive().status == 200
    seen = echo.of(b"/x")[-len(sets) :]
    assert [one.all(b"a") for one in seen] == [[b"1"], [b"1"], [b"2"], [b"1"], [b"1", b"1"], [], [], [b"1"]]
    assert [one.all(b"b") for one in seen] == [[], [], [], [], [], [], [b"1"], []]
    assert [one.all(b"cookie") for one in seen] == [[b"t=%d" % len(fields)] for fields in sets]
    assert len({one.get(b"herse-request") for one in seen}) == len(sets)
