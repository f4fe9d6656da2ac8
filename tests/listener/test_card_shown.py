# SPDX-License-Identifier: EUPL-1.2
"""The certificate of a handshake that failed is found in what was sent, however it was cut up; nothing else is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.listener.card_shown import HEARD_BYTES, shown_certificate

CARD, ABOVE = b"\x30\x82" + b"c" * 700, b"\x30\x82" + b"a" * 900


def sized(data):
    return len(data).to_bytes(3, "big") + data


def message(kind, body):
    return bytes([kind]) + sized(body)


def records(data, size=16_384, kind=22):
    pieces = [data[place : place + size] for place in range(0, len(data), size)]
    return b"".join(bytes([kind, 3, 3]) + len(one).to_bytes(2, "big") + one for one in pieces)


HELLO, EXCHANGE = message(1, b"h" * 200), message(16, b"k" * 65)
CHAIN = message(11, sized(sized(CARD) + sized(ABOVE)))


@pytest.mark.parametrize("size", [1, 3, 100, 16_384])
def test_the_first_certificate_of_the_chain(size):
    assert shown_certificate(records(HELLO + CHAIN + EXCHANGE, size)) == CARD
    assert shown_certificate(records(HELLO) + records(CHAIN)) == CARD


@pytest.mark.parametrize(
    "heard",
    [
        b"",
        records(HELLO),
        records(HELLO + message(11, sized(b""))),
        records(HELLO + message(11, b"")),
        records(HELLO + message(11, sized(sized(b"")))),
        records(HELLO + message(11, sized(sized(CARD)[:-1]))),
        records(HELLO + message(11, sized(sized(CARD))[:-1])),
        records(HELLO + CHAIN)[: len(HELLO) + 300],
        records(HELLO) + records(b"\x01", kind=20) + records(CHAIN),
        records(HELLO) + records(CHAIN, kind=23),
        b"GET / HTTP/1.1\r\n\r\n",
    ],
)
def test_what_is_none_or_not_whole(heard):
    assert shown_certificate(heard) is None


@given(st.binary(max_size=400))
def test_any_bytes_are_read_to_an_end(data):
    assert shown_certificate(data) is None or shown_certificate(data) in data
    shown_certificate(records(data, 7))


@given(st.integers(0, len(records(HELLO + CHAIN)) - 1), st.integers(1, 255))
def test_a_changed_byte_never_finds_what_was_not_sent(place, mask):
    changed = bytearray(records(HELLO + CHAIN))
    changed[place] ^= mask
    found = shown_certificate(bytes(changed))
    assert found is None or found in bytes(changed)


def test_reading_the_most_that_is_kept_is_quick():
    assert shown_certificate(records(b"\x01\x00\x00\x00" * (HEARD_BYTES // 4))) is None
    assert shown_certificate(records(HELLO * 100, 1)[:HEARD_BYTES]) is None
