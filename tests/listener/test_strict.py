# SPDX-License-Identifier: EUPL-1.2
"""The judgement of a head by itself: what it gives, what it refuses, and that it does nothing else."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.errors import Refused
from gateway.listener.strict import METHODS, Head, Limits, judge, judge_fields, weigh
from gateway.model import Reason

LIMITS = Limits(hosts=frozenset({"localhost:8443", "portail.example", "[::1]:8443"}))
HOST = (b"Host", b"portail.example")


def judged(*fields, method=b"GET", target=b"/x", version="1.1", limits=LIMITS) -> Head:
    return judge(method, target, version, judge_fields(list(fields), limits), limits)


def refusal(*fields, **kinds) -> Reason:
    with pytest.raises(Refused) as caught:
        judged(*fields, **kinds)
    return caught.value.reason


def test_a_head_is_told_in_plain_values():
    head = judged(HOST, (b"Accept", b"a"), (b"X-Two", b"1"), (b"x-two", b"2"), target=b"/%C3%A9?q=%2F")
    assert (head.method, head.path, head.query, head.host) == ("GET", "/é", b"q=%2F", "portail.example")
    assert (head.length, head.upgrade, head.expects) == (0, False, False)
    assert head.fields.all == [(b"host", HOST[1]), (b"accept", b"a"), (b"x-two", b"1"), (b"x-two", b"2")]


@pytest.mark.parametrize("host", [b"localhost:8443", b"LOCALHOST:8443", b"[::1]:8443", b"Portail.Example"])
def test_A8_hosts_of_ours_in_any_case(host):
    assert judged((b"host", host)).host == host.decode().lower()


@pytest.mark.parametrize(
    "host", [b"localhost", b"portail.example.", b"portail.example:443", b"xportail.example", b"[::2]"]
)
def test_A13_another_host_is_421(host):
    assert refusal((b"host", host)) is Reason.HOST_UNKNOWN


@pytest.mark.parametrize(
    "host", [b"", b"a b", b"a@b", b"a/b", b"a?b", b"a:b", b"a:", b"a:123456", b"\xa0a", b"a,b", b"\xe9"]
)
def test_A13_no_host_is_400(host):
    assert refusal((b"host", host)) is Reason.MALFORMED_REQUEST


def test_hosts_are_one():
    assert refusal() is Reason.MALFORMED_REQUEST
    assert refusal(HOST, HOST) is Reason.MALFORMED_REQUEST


@pytest.mark.parametrize("version", ["0.9", "1.2", "2.0", "3.0", ""])
def test_versions(version):
    assert refusal(HOST, version=version) is Reason.MALFORMED_REQUEST


@pytest.mark.parametrize("method", [b"get", b"TRACE", b"CONNECT", b"FOO", b"", b"GET ", b"PROPFIND", b"__class__"])
def test_N4_methods_are_listed(method):
    assert refusal(HOST, method=method) is Reason.NOT_IMPLEMENTED
    assert judged(HOST, method=b"DELETE").method == "DELETE"


@pytest.mark.parametrize(
    ("value", "length"), [(b"0", 0), (b"000", 0), (b"7", 7), (b"007", 7), (b"999999999", 999_999_999)]
)
def test_lengths(value, length):
    assert judged(HOST, (b"content-length", value), method=b"POST").length == length


@pytest.mark.parametrize(
    "value",
    [b"", b"+1", b"-1", b"1 ", b" 1", b"1,1", b"0x1", b"1_0", b"1.0", b"\xb2", b"\xef\xbc\x91", b"1" * 19],
)
def test_odd_lengths(value):
    assert refusal(HOST, (b"content-length", value), method=b"POST") is Reason.MALFORMED_REQUEST


def test_a_body_has_a_limit_and_a_method_that_has_one():
    small = Limits(hosts=LIMITS.hosts, body_bytes=10)
    assert judged(HOST, (b"content-length", b"10"), method=b"PUT", limits=small).length == 10
    assert refusal(HOST, (b"content-length", b"11"), method=b"PUT", limits=small) is Reason.BODY_TOO_LARGE
    for method in (b"GET", b"HEAD", b"OPTIONS"):
        assert refusal(HOST, (b"content-length", b"1"), method=method) is Reason.MALFORMED_REQUEST
        assert refusal(HOST, (b"transfer-encoding", b"chunked"), method=method) is Reason.MALFORMED_REQUEST
        assert judged(HOST, (b"content-length", b"0"), method=method).length == 0


def test_codings():
    assert judged(HOST, (b"transfer-encoding", b"CHUNKED"), method=b"POST").length is None
    for value in (b"", b"gzip", b"chunked, chunked", b",chunked", b"chunked ", b"\xa0chunked", b"identity"):
        assert refusal(HOST, (b"transfer-encoding", value), method=b"POST") is Reason.NOT_IMPLEMENTED
    chunked = (b"Transfer-Encoding", b"chunked")
    assert refusal(HOST, chunked, (b"content-length", b"0"), method=b"POST") is Reason.MALFORMED_REQUEST
    assert refusal(HOST, chunked, chunked, method=b"POST") is Reason.MALFORMED_REQUEST
    assert refusal(HOST, chunked, method=b"POST", version="1.0") is Reason.MALFORMED_REQUEST


@pytest.mark.parametrize(
    "name", [b"", b"a_b", b"a b", b" a", b"a:", b"a\x00", b"\xe9", b"a(b)", b"content_length", b"a\n"]
)
def test_B1_names(name):
    for _ in range(2):
        assert refusal(HOST, (name, b"x")) is Reason.MALFORMED_REQUEST


WEBSOCKET = ((b"connection", b"keep-alive, Upgrade"), (b"upgrade", b"WebSocket"))


def test_upgrades():
    assert judged(HOST, *WEBSOCKET).upgrade
    assert judged(HOST, (b"connection", b"a"), (b"connection", b"upgrade"), WEBSOCKET[1]).upgrade
    assert not judged(HOST, WEBSOCKET[1]).upgrade
    assert not judged(HOST, (b"connection", b"x-upgrade"), WEBSOCKET[1]).upgrade
    assert not judged(HOST, WEBSOCKET[0]).upgrade
    assert refusal(HOST, WEBSOCKET[0], (b"upgrade", b"h2c")) is Reason.NOT_IMPLEMENTED
    assert refusal(HOST, *WEBSOCKET, WEBSOCKET[1]) is Reason.MALFORMED_REQUEST
    assert refusal(HOST, *WEBSOCKET, method=b"POST") is Reason.MALFORMED_REQUEST
    assert refusal(HOST, *WEBSOCKET, version="1.0") is Reason.MALFORMED_REQUEST


def test_expectations():
    expect = (b"Expect", b"100-Continue")
    assert judged(HOST, expect).expects
    assert not judged(HOST, expect, version="1.0").expects
    assert refusal(HOST, (b"expect", b"other")) is Reason.MALFORMED_REQUEST
    assert refusal(HOST, expect, expect) is Reason.MALFORMED_REQUEST


def test_M1_sizes():
    many = [(b"a%d" % number, b"") for number in range(100)]
    assert refusal(HOST, *many) is Reason.HEAD_TOO_LARGE
    assert judged(HOST, *many[:99]).length == 0
    assert refusal(HOST, target=b"/" + b"x" * 8_192) is Reason.URL_TOO_LONG
    weigh(b"/x", [(b"a", b"b" * 32_765)], LIMITS)
    with pytest.raises(Refused) as caught:
        weigh(b"/x", [(b"a", b"b" * 32_766)], LIMITS)
    assert caught.value.reason is Reason.HEAD_TOO_LARGE


def test_names_seen_before_are_judged_alike():
    for number in range(3_000):
        judged(HOST, (b"n%d" % number, b""))
    assert refusal(HOST, (b"content-length", b"x"), method=b"POST") is Reason.MALFORMED_REQUEST
    assert refusal(HOST, (b"CONTENT-length", b"x"), method=b"POST") is Reason.MALFORMED_REQUEST


NAMES = st.sampled_from(
    [b"Host", b"host", b"Content-Length", b"Transfer-Encoding", b"Connection", b"Upgrade", b"Expect", b"Cookie", b"A_b"]
)
VALUES = st.sampled_from([b"portail.example", b"0", b"3", b"chunked", b"upgrade", b"websocket", b"100-continue", b""])
FIELD = st.tuples(NAMES | st.binary(max_size=8), VALUES | st.binary(max_size=12))


@given(
    method=st.sampled_from(sorted(METHODS)) | st.binary(max_size=8),
    target=st.binary(max_size=20).map(lambda rest: b"/" + rest) | st.binary(max_size=20),
    version=st.sampled_from(["1.1", "1.0", "2.0"]),
    fields=st.lists(FIELD, max_size=8).map(lambda rest: [HOST, *rest]) | st.lists(FIELD, max_size=8),
)
@example(method=b"POST", target=b"/", version="1.1", fields=[HOST, (b"Transfer-Encoding", b"chunked")])
def test_C3_it_refuses_or_gives_one_reading_and_nothing_else(method, target, version, fields):
    try:
        head = judge(method, target, version, judge_fields(fields, LIMITS), LIMITS)
    except Refused:
        return
    names = [name for name, _ in head.fields.all]
    assert names.count(b"host") == 1
    assert head.host in LIMITS.hosts
    assert names.count(b"content-length") + names.count(b"transfer-encoding") <= 1
    assert head.path.startswith("/")
    assert [value for _, value in head.fields.all] == [value for _, value in fields]
    assert not any(b"_" in name or name != name.lower() for name in names)
    assert not head.upgrade or (head.method, head.length, version) == ("GET", 0, "1.1")
