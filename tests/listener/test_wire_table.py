# SPDX-License-Identifier: EUPL-1.2
"""C1, C3, S: what has two readings is refused and never reaches the portal; what has one passes byte for byte."""

from __future__ import annotations

import pytest
from listener.wire_table import HOST, PASSED_TARGETS, REFUSED, get, post

from support.raw import exchange

SMUGGLED = b"GET /smuggled HTTP/1.1\r\n" + HOST + b"\r\n"
ids = {"ids": lambda case: case.name if hasattr(case, "name") else None}


def reached(echo, target: bytes = b"/x") -> int:
    """How many whole requests the portal has seen for a target."""
    return sum(one.whole for one in echo.seen if one.target.partition(b"?")[0] == target)


@pytest.mark.parametrize("case", REFUSED, **ids)
def test_C1_C3_refused(echo, gateway, case):
    before = len([one for one in echo.seen if one.whole])
    came = exchange(gateway, case.sent, seconds=4)
    statuses = came.statuses()
    assert len(statuses) == 1, came.received
    assert statuses[0] in case.statuses
    assert came.closed
    assert came.answers()[0].whole
    assert came.answers()[0].get(b"connection") == b"close"
    assert len([one for one in echo.seen if one.whole]) == before
    assert echo.faults == []


@pytest.mark.parametrize("pieces", [1, 2], ids=["one packet", "two packets"])
@pytest.mark.parametrize("case", REFUSED, **ids)
def test_C1_nothing_is_smuggled_behind(echo, gateway, case, pieces):
    sent = [case.sent + SMUGGLED] if pieces == 1 else [case.sent, SMUGGLED]
    came = exchange(gateway, sent, seconds=4, pause=0.005)
    assert [status for status in came.statuses() if status not in case.statuses] == []
    assert len(came.answers()) <= 1
    assert reached(echo, b"/smuggled") == 0
    assert echo.count(b"/smuggled") == 0


@pytest.mark.parametrize("case", [case for case in REFUSED if len(case.sent) < 400], **ids)
def test_C1_refused_behind_a_good_one_too(echo, gateway, case):
    before = reached(echo), reached(echo, b"/first")
    came = exchange(gateway, get(target=b"/first") + case.sent + SMUGGLED, seconds=4)
    assert came.statuses()[0] == 200
    assert [status for status in came.statuses()[1:] if status not in case.statuses] == []
    assert came.closed
    assert (reached(echo), reached(echo, b"/first")) == (before[0], before[1] + 1)
    assert echo.count(b"/smuggled") == 0


@pytest.mark.parametrize("target", PASSED_TARGETS)
def test_A5_a_target_reaches_the_portal_byte_for_byte(echo, gateway, target):
    came = exchange(gateway, get(b"Connection: close\r\n", target=target))
    assert came.statuses() == [200]
    assert echo.seen[-1].target == target


@pytest.mark.parametrize(
    ("sent", "body"),
    [
        pytest.param(post(b"Content-Length: 3\r\n", b"abc"), b"abc", id="length"),
        pytest.param(post(b"Content-Length: 0\r\n"), b"", id="length 0"),
        pytest.param(post(b"Content-Length: 003\r\n", b"abc"), b"abc", id="leading zeros"),
        pytest.param(post(b""), b"", id="no length"),
        pytest.param(post(b"Transfer-Encoding: chunked\r\n", b"3\r\nabc\r\n0\r\n\r\n"), b"abc", id="chunked"),
        pytest.param(
            post(b"Transfer-Encoding: CHUNKED\r\n", b"3\r\nabc\r\n0\r\n\r\n"), b"abc", id="Chunked in capitals"
        ),
        pytest.param(
            post(b"Transfer-Encoding: chunked\r\n", b"A\r\n0123456789\r\n01\r\nx\r\n000\r\n\r\n"),
            b"0123456789x",
            id="chunk sizes",
        ),
        pytest.param(
            post(b"Transfer-Encoding: chunked\r\n", b'3;a=b;c="d"\r\nabc\r\n0;e\r\n\r\n'), b"abc", id="extension"
        ),
        pytest.param(post(b"Content-Length: 3\r\n", b"abc", b"1.0"), b"abc", id="HTTP/1.0"),
        pytest.param(post(b"Content-Length: 256\r\n", bytes(range(256))), bytes(range(256)), id="bytes"),
        pytest.param(b"\r\n\r\n" + post(b"Content-Length: 3\r\n", b"abc"), b"abc", id="empty lines first"),
        pytest.param(post(b"Content-Length: 3\r\nA:\r\nB: \tb \t\r\nC: \xe9\r\n", b"abc"), b"abc", id="field values"),
        pytest.param(
            b"POST /x HTTP/1.1\r\nHOST: LocalHost:8443\r\nContent-Length: 3\r\n\r\nabc", b"abc", id="Host in capitals"
        ),
        pytest.param(
            post(b"Upgrade: h2c\r\nContent-Length: 3\r\n", b"abc"), b"abc", id="Upgrade that Connection does not name"
        ),
    ],
)
@pytest.mark.parametrize("cut", [0, 1], ids=["whole", "byte by byte"])
def test_C1_the_portal_sees_one_request_with_this_very_body(echo, gateway, sent, body, cut):
    before = len(echo.seen)
    head, blank, rest = sent.partition(b"\r\n\r\n") if not sent.startswith(b"\r\n") else (b"", b"", sent)
    pieces = [head[at : at + 1] for at in range(len(head))] + [blank] + [rest[at : at + 1] for at in range(len(rest))]
    came = exchange(gateway, [piece for piece in pieces if piece] if cut else sent, pause=0, seconds=20, due=1)
    assert came.statuses() == [200], came.received
    assert [(one.method, one.target, one.body, one.whole) for one in echo.seen[before:]] == [
        (b"POST", b"/x", body, True)
    ]
    assert echo.faults == []


def test_a_field_reaches_the_portal_as_it_was_sent(echo, gateway):
    exchange(
        gateway,
        get(b"Accept: a, b;q=0.5\r\nX-Caf\xe9: 1\r\n".replace(b"\xe9", b"e") + b"X-V: \xe9 \x80\r\n"),
        seconds=20,
        due=1,
    )
    seen = echo.seen[-1]
    assert seen.all(b"accept") == [b"a, b;q=0.5"]
    assert seen.all(b"x-v") == [b"\xe9 \x80"]
    assert seen.all(b"host") == [b"localhost:8443"]
