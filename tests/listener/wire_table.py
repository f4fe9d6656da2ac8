# SPDX-License-Identifier: EUPL-1.2
"""Raw requests, one per known bug class: those that must be refused, with the statuses that may say so, and those that
must pass byte for byte. No tests here.
"""

from __future__ import annotations

from typing import NamedTuple

HOST = b"Host: localhost:8443\r\n"
END = b"\r\n"


class Case(NamedTuple):
    """What is sent, and what may be said to it."""

    name: str
    sent: bytes
    statuses: tuple[int, ...] = (400,)


def get(fields: bytes = b"", target: bytes = b"/x", line: bytes = b"") -> bytes:
    """A GET with one thing odd."""
    return (line or b"GET %b HTTP/1.1" % target) + END + HOST + fields + END


def post(fields: bytes, body: bytes = b"", version: bytes = b"1.1") -> bytes:
    """A POST with one thing odd."""
    return b"POST /x HTTP/%b\r\n" % version + HOST + fields + END + body


CHUNKED = b"Transfer-Encoding: chunked\r\n"
WHOLE = b"3\r\nabc\r\n0\r\n\r\n"


def chunk(line: bytes, data: bytes = b"abc", end: bytes = b"\r\n0\r\n\r\n") -> bytes:
    return post(CHUNKED, line + data + end)


FRAMING = [
    Case("TE then CL", post(CHUNKED + b"Content-Length: 3\r\n", WHOLE)),
    Case("CL then TE", post(b"Content-Length: 3\r\n" + CHUNKED, WHOLE)),
    Case("CL 0 then TE", post(b"Content-Length: 0\r\n" + CHUNKED, WHOLE)),
    Case("TE ,chunked", post(b"Transfer-Encoding: ,chunked\r\n", WHOLE), (400, 501)),
    Case("TE chunked,", post(b"Transfer-Encoding: chunked,\r\n", WHOLE), (400, 501)),
    Case("TE gzip, chunked", post(b"Transfer-Encoding: gzip, chunked\r\n", WHOLE), (400, 501)),
    Case("TE chunked, gzip", post(b"Transfer-Encoding: chunked, gzip\r\n", WHOLE), (400, 501)),
    Case("TE identity then chunked", post(b"Transfer-Encoding: identity\r\n" + CHUNKED, WHOLE), (400, 501)),
    Case("TE chunked then identity", post(CHUNKED + b"Transfer-Encoding: identity\r\n", WHOLE), (400, 501)),
    Case("TE twice", post(CHUNKED + CHUNKED, WHOLE)),
    Case("TE chunked, chunked", post(b"Transfer-Encoding: chunked, chunked\r\n", WHOLE), (400, 501)),
    Case("TE identity", post(b"Transfer-Encoding: identity\r\n", b"abc"), (400, 501)),
    Case("TE gzip", post(b"Transfer-Encoding: gzip\r\n", b"abc"), (400, 501)),
    Case("TE xchunked", post(b"Transfer-Encoding: xchunked\r\n", WHOLE), (400, 501)),
    Case("TE quoted", post(b'Transfer-Encoding: "chunked"\r\n', WHOLE), (400, 501)),
    Case("TE with parameter", post(b"Transfer-Encoding: chunked;q=1\r\n", WHOLE), (400, 501)),
    Case("TE empty", post(b"Transfer-Encoding:\r\n", WHOLE), (400, 501)),
    Case("TE vertical tab", post(b"Transfer-Encoding: \x0bchunked\r\n", WHOLE), (400, 501)),
    Case("TE nbsp", post(b"Transfer-Encoding: \xa0chunked\r\n", WHOLE), (400, 501)),
    Case("TE nbsp behind", post(b"Transfer-Encoding: chunked\xa0\r\n", WHOLE), (400, 501)),
    Case("TE in 1.0", post(CHUNKED, WHOLE, b"1.0")),
    Case("TE with GET", b"GET /x HTTP/1.1\r\n" + HOST + CHUNKED + END + WHOLE),
    Case("CL with GET", get(b"Content-Length: 3\r\n") + b"abc"),
    Case("CL empty", post(b"Content-Length:\r\n")),
    Case("CL blank", post(b"Content-Length:  \r\n")),
    Case("CL plus", post(b"Content-Length: +3\r\n", b"abc")),
    Case("CL minus", post(b"Content-Length: -3\r\n", b"abc")),
    Case("CL minus zero", post(b"Content-Length: -0\r\n")),
    Case("CL hexadecimal", post(b"Content-Length: 0x3\r\n", b"abc")),
    Case("CL underscore", post(b"Content-Length: 1_0\r\n", b"abcdefghij")),
    Case("CL fraction", post(b"Content-Length: 3.0\r\n", b"abc")),
    Case("CL exponent", post(b"Content-Length: 3e0\r\n", b"abc")),
    Case("CL words", post(b"Content-Length: 3 3\r\n", b"abc")),
    Case("CL list of equals", post(b"Content-Length: 3, 3\r\n", b"abc")),
    Case("CL list", post(b"Content-Length: 3, 4\r\n", b"abc")),
    Case("CL twice equal", post(b"Content-Length: 3\r\nContent-Length: 3\r\n", b"abc")),
    Case("CL twice", post(b"Content-Length: 3\r\nContent-Length: 4\r\n", b"abc")),
    Case("CL 2^64", post(b"Content-Length: 18446744073709551619\r\n", b"abc"), (400, 413)),
    Case("CL 2^63", post(b"Content-Length: 9223372036854775808\r\n", b"abc"), (400, 413)),
    Case("CL over the limit", post(b"Content-Length: 99999999999\r\n", b"abc"), (413,)),
    Case("CL nbsp", post(b"Content-Length: \xa03\r\n", b"abc")),
    Case("CL full-width digit", post(b"Content-Length: \xef\xbc\x93\r\n", b"abc")),
    Case("chunk 0x", chunk(b"0x3\r\n")),
    Case("chunk +", chunk(b"+3\r\n")),
    Case("chunk -", chunk(b"-3\r\n")),
    Case("chunk underscore", chunk(b"0_3\r\n")),
    Case("chunk space before", chunk(b" 3\r\n")),
    Case("chunk space behind", chunk(b"3 \r\n")),
    Case("chunk tab", chunk(b"\t3\r\n")),
    Case("chunk empty", chunk(b"\r\n")),
    Case("chunk g", chunk(b"g\r\n")),
    Case("chunk NUL", chunk(b"3\x00\r\n")),
    Case("chunk overflow", chunk(b"10000000000000003\r\n")),
    Case("chunk long overflow", chunk(b"f" * 40 + b"\r\n")),
    Case("chunk bare LF", chunk(b"3\n")),
    Case("chunk bare CR", chunk(b"3\rabc\r0\r\r", b"", b"")),
    Case("chunk extension bare LF", chunk(b"3;a\nb\r\n")),
    Case("chunk extension NUL", chunk(b"3;a\x00\r\n")),
    Case("chunk data too long", chunk(b"3\r\n", b"abcXX")),
    Case("chunk data, two bytes for CRLF", chunk(b"3\r\n", b"abc", b"XX0\r\n\r\n")),
    Case("chunk data, LF for CRLF", chunk(b"3\r\n", b"abc", b"\n0\r\n\r\n")),
    Case("trailer bare LF", chunk(b"3\r\n", b"abc", b"\r\n0\r\nX: a\nY: b\r\n\r\n")),
    Case("trailer without colon", chunk(b"3\r\n", b"abc", b"\r\n0\r\nX\r\n\r\n")),
    Case("trailer CL", chunk(b"3\r\n", b"abc", b"\r\n0\r\nContent-Length: 9\r\n\r\n")),
    Case("trailer TE", chunk(b"3\r\n", b"abc", b"\r\n0\r\nTransfer-Encoding: chunked, gzip\r\n\r\n")),
    Case("last chunk bare LF", chunk(b"3\r\n", b"abc", b"\r\n0\n\n")),
]

FIELDS = [
    Case("bare LF smuggles a field", get(b"A: b\nX-User: evil\r\n")),
    Case("bare LF everywhere", get().replace(b"\r\n", b"\n")),
    Case("bare CR in a value", get(b"A: b\rX-User: evil\r\n")),
    Case("bare CR ends the head", b"GET /x HTTP/1.1\r\n" + HOST + b"A: b\r\n\r\rGET /smuggled HTTP/1.1\r\n\r\n"),
    Case("obs-fold", get(b"A: b\r\n c\r\n")),
    Case("obs-fold by tab", get(b"A: b\r\n\tc\r\n")),
    Case("fold in the first line", b"GET /x HTTP/1.1\r\n A: b\r\n" + HOST + END),
    Case("NUL in a name", get(b"A\x00: b\r\n")),
    Case("NUL in a value", get(b"A: b\x00c\r\n")),
    Case("control in a value", get(b"A: b\x01c\r\n")),
    Case("DEL in a value", get(b"A: b\x7fc\r\n")),
    Case("nbsp around a name", get(b"\xa0A: b\r\n")),
    Case("nbsp behind a name", get(b"A\xa0: b\r\n")),
    Case("high byte in a name", get(b"\xc3\xa9: b\r\n")),
    Case("space before the colon", get(b"A : b\r\n")),
    Case("tab before the colon", get(b"A\t: b\r\n")),
    Case("space in a name", get(b"A b: c\r\n")),
    Case("space before a name", b"GET /x HTTP/1.1\r\n" + HOST + b"A: b\r\n B: c\r\n\r\n"),
    Case("no colon", get(b"Acolonless\r\n")),
    Case("no name", get(b": b\r\n")),
    Case("brackets in a name", get(b"A(b): c\r\n")),
    Case("B1 underscore", get(b"X_Forwarded_User: evil\r\n")),
    Case("B1 underscore of ours", get(b"Herse_Assertion: evil\r\n")),
    Case("underscore CL", post(b"Content_Length: 3\r\n")),
    Case("Expect odd", post(b"Content-Length: 3\r\nExpect: 200-ok\r\n", b"abc"), (400, 417)),
    Case("Expect twice", post(b"Content-Length: 3\r\nExpect: 100-continue\r\nExpect: 100-continue\r\n", b"abc")),
    Case("200 fields", get(b"".join(b"A%d: b\r\n" % number for number in range(200))), (431,)),
    Case("70 kB field", get(b"A: " + b"b" * 70_000 + b"\r\n"), (431,)),
    Case("40 kB in fields", get(b"".join(b"A%d: %b\r\n" % (number, b"b" * 1000) for number in range(40))), (431,)),
]

_WEBSOCKET = b"Connection: Upgrade\r\nUpgrade: websocket\r\nOrigin: https://localhost:8443\r\n"

LINES = [
    Case("no Host", b"GET /x HTTP/1.1\r\n\r\n"),
    Case("two Hosts", get(b"Host: localhost:8443\r\n")),
    Case("two Hosts, other", get(b"Host: other\r\n")),
    Case("Host empty", b"GET /x HTTP/1.1\r\nHost:\r\n\r\n"),
    Case("Host with path", b"GET /x HTTP/1.1\r\nHost: localhost:8443/../b?x\r\n\r\n"),
    Case("Host with user", b"GET /x HTTP/1.1\r\nHost: a@localhost:8443\r\n\r\n"),
    Case("Host list", b"GET /x HTTP/1.1\r\nHost: localhost:8443, other\r\n\r\n"),
    Case("Host with query", b"GET /x HTTP/1.1\r\nHost: a/?x=\r\n\r\n"),
    Case("Host with nbsp", b"GET /x HTTP/1.1\r\nHost: localhost:8443\xa0\r\n\r\n"),
    Case("Host without port", b"GET /x HTTP/1.1\r\nHost: localhost\r\n\r\n", (421,)),
    Case("Host with a final dot", b"GET /x HTTP/1.1\r\nHost: localhost.:8443\r\n\r\n", (421,)),
    Case("Host unknown", b"GET /x HTTP/1.1\r\nHost: other.example\r\n\r\n", (421,)),
    Case("no Host in 1.0", b"GET /x HTTP/1.0\r\n\r\n"),
    Case("absolute-form, ours", get(target=b"http://localhost:8443/x")),
    Case("absolute-form, foreign", get(target=b"http://evil.example/x")),
    Case("absolute-form, https", get(target=b"https://localhost:8443/x")),
    Case("asterisk", get(target=b"*")),
    Case("OPTIONS asterisk", get(line=b"OPTIONS * HTTP/1.1")),
    Case("CONNECT", get(line=b"CONNECT localhost:8443 HTTP/1.1"), (400, 501)),
    Case("CONNECT path", get(line=b"CONNECT /x HTTP/1.1"), (400, 501)),
    Case("TRACE", get(line=b"TRACE /x HTTP/1.1"), (400, 501)),
    Case("lower-case method", get(line=b"get /x HTTP/1.1"), (400, 501)),
    Case("unknown method", get(line=b"FOO /x HTTP/1.1"), (400, 501)),
    Case("PROPFIND", get(line=b"PROPFIND /x HTTP/1.1"), (400, 501)),
    Case("method with NUL", get(line=b"GE\x00T /x HTTP/1.1"), (400, 501)),
    Case("HTTP/0.9", b"GET /x\r\n\r\n"),
    Case("HTTP/0.9 with version", get(line=b"GET /x HTTP/0.9")),
    Case("HTTP/2.0", get(line=b"GET /x HTTP/2.0")),
    Case("HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    Case("HTTP/1.2", get(line=b"GET /x HTTP/1.2")),
    Case("HTTP/1.10", get(line=b"GET /x HTTP/1.10")),
    Case("HTTP/11", get(line=b"GET /x HTTP/11")),
    Case("version in lower case", get(line=b"GET /x http/1.1")),
    Case("missing version", get(line=b"GET /x ")),
    Case("space behind the version", get(line=b"GET /x HTTP/1.1 ")),
    Case("tab in the line", get(line=b"GET\t/x\tHTTP/1.1")),
    Case("A2 fragment", get(target=b"/x#y")),
    Case("A2 fragment in the query", get(target=b"/x?y#z")),
    Case("no slash", get(target=b"x")),
    Case("empty target", get(line=b"GET  HTTP/1.1")),
    Case("NUL in the target", get(target=b"/x\x00y")),
    Case("high byte in the target", get(target=b"/\xc3\xa9")),
    Case("backslash", get(target=b"/\\x")),
    Case("A7 //", get(target=b"//x")),
    Case("A7 ///", get(target=b"///x")),
    Case("A7 / \\", get(target=b"/\\evil.example")),
    Case("double slash inside", get(target=b"/a//x")),
    Case("A4 ..", get(target=b"/public/../x")),
    Case("A4 .", get(target=b"/./x")),
    Case("A4 .. at the end", get(target=b"/x/..")),
    Case("A4 %2e%2e", get(target=b"/public/%2e%2e/x")),
    Case("A4 .%2E", get(target=b"/public/.%2E/x")),
    Case("A4 ..;", get(target=b"/public/..;/x")),
    Case("A9 ;", get(target=b"/x;a=1/y")),
    Case("A6 %2f", get(target=b"/a%2fx")),
    Case("A6 %5c", get(target=b"/a%5cx")),
    Case("A6 %2e", get(target=b"/a%2ex")),
    Case("A6 %00", get(target=b"/a%00x")),
    Case("A6 %25", get(target=b"/a%252fx")),
    Case("A6 encoded letter", get(target=b"/%61x")),
    Case("A6 broken escape", get(target=b"/a%2")),
    Case("A6 overlong", get(target=b"/a%c0%afx")),
    Case("long URL", get(target=b"/" + b"x" * 9_000), (414,)),
    Case("very long URL", get(target=b"/" + b"x" * 100_000), (414, 431)),
    Case(
        "h2c",
        get(b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQ\r\n"),
        (400, 501),
    ),
    Case("Upgrade of another protocol", get(b"Connection: Upgrade\r\nUpgrade: tls/1.0\r\n"), (400, 501)),
    Case("Upgrade of two", get(b"Connection: Upgrade\r\nUpgrade: websocket, h2c\r\n"), (400, 501)),
    Case("Upgrade with POST", post(_WEBSOCKET)),
    Case("Upgrade with a body", post(_WEBSOCKET + b"Content-Length: 3\r\n", b"abc")),
    Case("Upgrade with GET and CL", get(_WEBSOCKET + b"Content-Length: 3\r\n") + b"abc"),
    Case("Upgrade in 1.0", b"GET /x HTTP/1.0\r\n" + HOST + _WEBSOCKET + END),
    Case("Upgrade twice", get(_WEBSOCKET + b"Upgrade: websocket\r\n")),
    Case("TLS hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(50), (400, 501)),
    Case("PROXY protocol", b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n" + get(), (400, 501)),
]

REFUSED = FRAMING + FIELDS + LINES

PASSED_TARGETS = [
    b"/",
    b"/x",
    b"/x/",
    b"/a/b.c/d-e_f~g",
    b"/a!$&'()*+,=:@b",
    b"/x?",
    b"/x?a=b&c=%2F%2e%00%zz",
    b"/x?a=../../b//c;d\\e",
    b'/x?a[]={b}|c^`"<>',
    b"/%C3%A9t%C3%A9",
    b"/a%20b",
    b"/.hidden",
    b"/a..b",
    b"/x?" + b"y" * 8_000,
]
