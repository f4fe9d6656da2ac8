# SPDX-License-Identifier: EUPL-1.2
"""Which fields cross the gateway: B1, B3, B4, B10, and the portal's own limits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.upstream.headers import HOP_BY_HOP, NO_STORE, lines_of, to_client, to_portal, without_cookies

OURS = b"__Host-herse"


def asked(*fields: tuple[bytes, bytes], metered: bool = False):
    return to_portal(list(fields), OURS, metered=metered)


def answered(*fields: tuple[bytes, bytes], private: bool = False, metered: bool = False):
    return to_client(list(fields), OURS, private=private, metered=metered)


@pytest.mark.parametrize("name", sorted(HOP_BY_HOP))
def test_hop_by_hop_fields_stay_on_their_hop(name):
    assert asked((name, b"x"), (b"a", b"b")) == [(b"a", b"b")]
    assert answered((name, b"x"), (b"a", b"b")) == [(b"a", b"b")]


@pytest.mark.parametrize(
    "name",
    b"host content-length expect authorization forwarded via x-real-ip true-client-ip client-ip client-cert "
    b"remote-user x-remote-user x-http-method-override x-http-method x-method-override x-rewrite-url "
    b"x-replaced-path x-override-url x-envoy-original-path "
    b"x-http-host-override x-host request-uri x-request-uri x-waws-unencoded-url herse- "
    b"herse-assertion herse-request x-forwarded x-forwarded-for x-forwarded-anything x-original-url x-ssl-cert "
    b"x-client-cert x-auth-request-user x-user x-user-id x-accel-redirect ssl-client-verify".split(),
)
def test_B1_B4_what_a_client_says_of_itself_is_dropped(name):
    for _ in range(2):  # once judged, once remembered
        assert asked((name, b"evil"), (b"accept", b"x")) == [(b"accept", b"x")]


@given(st.lists(st.tuples(st.sampled_from([b"a", b"accept", b"x-ray", b"cookie", b"dnt"]), st.binary(max_size=9))))
def test_what_passes_passes_in_order_and_unchanged(fields):
    plain = [field for field in fields if field[0] != b"cookie"]
    assert [field for field in asked(*fields) if field[0] != b"cookie"] == plain


def test_B3_connection_names_what_stays_here():
    fields = [(b"connection", b"close, X-Hop ,\tx-two"), (b"x-hop", b"1"), (b"x-two", b"2"), (b"x-end", b"3")]
    assert asked(*fields) == [(b"x-end", b"3")]
    assert asked((b"connection", b"keep-alive"), (b"connection", b"x-hop"), (b"x-hop", b"1")) == []
    assert answered(*fields) == [(b"x-end", b"3")]


@pytest.mark.parametrize("value", [b"keep-alive", b"close", b"Keep-Alive", b"CLOSE"])
def test_a_plain_connection_names_nothing(value):
    assert asked((b"connection", value), (b"close", b"1"), (b"a", b"b")) == [(b"close", b"1"), (b"a", b"b")]


def test_a_metered_request_asks_for_the_whole_answer_in_plain():
    names = b"range if-range if-match if-none-match if-modified-since if-unmodified-since accept-encoding".split()
    fields = [(name, b"x") for name in names]
    assert asked(*fields, (b"a", b"b"), metered=True) == [(b"a", b"b"), (b"accept-encoding", b"identity")]
    assert asked(*fields) == fields


@pytest.mark.parametrize(
    ("sent", "passed"),
    [
        (b"a=1", b"a=1"),
        (b"a=1; __Host-herse=x; b=2", b"a=1; b=2"),
        (b"__Host-herse=x", None),
        (b"__Host-herse=x;__Host-herse-form=y", None),
        (b" __Host-herse=x ; a=1 ", b"a=1"),
        (b"a=__Host-herse; b=2", b"a=__Host-herse; b=2"),
        (b"a=1; __Host-herse", b"a=1"),
        (b"", None),
    ],
)
def test_B10_our_cookies_never_leave(sent, passed):
    assert asked((b"cookie", sent)) == ([] if passed is None else [(b"cookie", passed)])


@given(st.lists(st.sampled_from([b"a=1", b"b=2", b"__Host-herse=s", b"__Host-herse-form=s", b"c"]), max_size=6))
def test_B10_whatever_the_mixture(pieces):
    rest = without_cookies(b"; ".join(pieces), OURS)
    assert OURS not in rest
    assert [piece.strip() for piece in rest.split(b";") if piece] == [one for one in pieces if OURS not in one]


@pytest.mark.parametrize(
    "value",
    [
        b"__Host-herse=x; Path=/",
        b"__Host-herse-form=x",
        b"__HOST-HERSE=x",
        b" \t__Host-herse=x",
        b"\xa0__Host-herse=x",
        b"\xc2\xa0__Host-herse=x",
        b"\x85__Host-herse=x",
        b"\x00\x1f\x7f__Host-herse=x",
        b"=__Host-herse=x",
        b" = __Host-herse=x",
        b"__Host-herse",
    ],
)
def test_0_2_the_portal_cannot_set_our_cookie(value):
    assert answered((b"Set-Cookie", value), (b"Set-Cookie", b"a=__Host-herse")) == [(b"set-cookie", b"a=__Host-herse")]


@pytest.mark.parametrize("name", b"Clear-Site-Data Alt-Svc Service-Worker-Allowed Date Content-Length Herse-X".split())
def test_the_portal_does_not_say_what_is_ours_to_say(name):
    assert answered((name, b"x"), (b"A", b"b")) == [(b"a", b"b")]


@pytest.mark.parametrize("name", b"Cache-Control Expires Pragma ETag Last-Modified Age".split())
def test_F6_private_answers_are_stored_nowhere(name):
    assert answered((name, b"x"), (b"Vary", b"y"), private=True) == [(b"vary", b"y"), NO_STORE]
    assert answered((name, b"x")) == [(name.lower(), b"x")]


def test_a_metered_answer_offers_no_parts():
    assert answered((b"Accept-Ranges", b"bytes"), metered=True) == []
    assert answered((b"Accept-Ranges", b"bytes")) == [(b"accept-ranges", b"bytes")]


def test_what_is_remembered_of_names_is_bounded():
    long = b"x" * 65
    for _ in range(2):
        assert asked((long, b"1")) == [(long, b"1")]
    many = [(b"n%d" % number, b"") for number in range(3_000)]
    assert asked(*many) == many
    assert asked((b"herse-new", b"")) == []
    assert answered((b"X-After-All", b"1")) == [(b"x-after-all", b"1")]


def test_fields_are_written_each_behind_a_line_break():
    assert lines_of([(b"a", b"b"), (b"c", b"")]) == b"\r\na: b\r\nc: "
    assert lines_of([]) == b""
