# SPDX-License-Identifier: EUPL-1.2
"""The one request that the card host reads: what has two readings is 400, everything else 404."""

from __future__ import annotations

import pytest

from gateway.listener.card_request import BadRequestError, read_request

HOST = b"localhost:8444"
GOOD = b"GET /card?state=" + b"s" * 43 + b" HTTP/1.1\r\nHost: localhost:8444"


@pytest.mark.parametrize("more", [b"", b"\r\nAccept: */*\r\nCookie: a=b", b"\r\nx:  y \t"])
def test_the_one_request(more):
    assert read_request(GOOD + more, HOST).state == "s" * 43
    assert read_request(GOOD.replace(b"localhost", b"LocalHost") + more, HOST).state == "s" * 43


def test_the_fields_are_kept_in_order_each_of_them():
    found = read_request(GOOD + b"\r\nA-b:  1 \t\r\na-B: 2", HOST).fields
    assert found == ((b"host", b"localhost:8444"), (b"a-b", b"1"), (b"a-b", b"2"))


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"GET",
        GOOD.replace(b"HTTP/1.1", b"HTTP/1.0"),
        GOOD.replace(b"HTTP/1.1", b"HTTP/2.0"),
        GOOD.replace(b"GET ", b"GET  "),
        GOOD.replace(b"\r\n", b"\n"),
        GOOD.replace(b"Host:", b"Host :"),
        GOOD.replace(b"localhost", b"evil.example"),
        GOOD.replace(b":8444", b""),
        GOOD.partition(b"\r\n")[0],
        GOOD + b"\r\nHost: localhost:8444",
        GOOD + b"\r\n folded: yes",
        GOOD + b"\r\nno colon",
        GOOD + b"\r\na\x00b: c",
        GOOD + b"\r\na: b\x00c",
        GOOD + b"\r\na: b\rc",
        GOOD + b"\r\na: b\nc: d",
        GOOD + b"\r\nContent-Length: 0",
        GOOD + b"\r\nTransfer-Encoding: chunked",
        GOOD + b"\r\nUpgrade: h2c",
        GOOD + b"\r\na: b" * 101,
    ],
)
def test_what_has_two_readings_is_400(head):
    with pytest.raises(BadRequestError) as caught:
        read_request(head, HOST)
    assert caught.value.fault.status == 400


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"GET", b"POST"),
        (b"GET", b"HEAD"),
        (b"GET", b"get"),
        (b"/card?", b"/Card?"),
        (b"/card?", b"//card?"),
        (b"/card?", b"/card/?"),
        (b"/card?", b"https://localhost:8444/card?"),
        (b"state=", b"STATE="),
        (b"state=", b"a=b&state="),
        (b"s HTTP", b"s&a=b HTTP"),
        (b"s HTTP", b"s# HTTP"),
        (b"s HTTP", b"%73 HTTP"),
        (b"/card?state=" + b"s" * 43, b"/"),
        (b"/card?state=" + b"s" * 43, b"/favicon.ico"),
        (b"s" * 43, b"s" * 42),
        (b"s" * 43, b"s" * 44),
    ],
)
def test_everything_else_is_404(old, new):
    with pytest.raises(BadRequestError) as caught:
        read_request(GOOD.replace(old, new), HOST)
    assert caught.value.fault.status == 404
