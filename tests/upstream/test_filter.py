# SPDX-License-Identifier: EUPL-1.2
"""Answers read at once: what is taken is what llhttp would have read, to the byte; all else is left to llhttp."""

from __future__ import annotations

import httptools
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from upstream.test_answers import BAD

from gateway.upstream.filter import _KNOWN_AT_MOST, AnswerFilter

OURS = b"__Host-herse"
OK = b"HTTP/1.1 200 OK\r\n"


class Kept:
    """Stands where the client stands."""

    def start(self, status, lines, length, first, complete):
        self.status, self.lines, self.body, self.complete = status, lines, first, complete


class Reader:
    """llhttp's reading of the same bytes: status, fields and body of an answer that is whole and ends there."""

    def __init__(self, data: bytes) -> None:
        self.fields, self.body, self.messages, self.whole = [], b"", 0, False
        self.keep, self.version = False, ""
        parser = self.parser = httptools.HttpResponseParser(self)
        parser.feed_data(data)
        self.status = parser.get_status_code()

    def on_message_begin(self):
        self.messages += 1

    def on_header(self, name, value):
        self.fields.append((name, value))

    def on_headers_complete(self):
        self.keep, self.version = self.parser.should_keep_alive(), self.parser.get_http_version()

    def on_body(self, data):
        self.body += data

    def on_message_complete(self):
        self.whole = True


def relayed(data: bytes, *, private: bool = False, metered: bool = False) -> Kept | None:
    answer = AnswerFilter(OURS, private=private, metered=metered).whole(data)
    if answer is None:
        return None
    client = Kept()
    answer.relay(client, answer.lines)
    return client


def plain(*fields: bytes, body: bytes = b"abc", status: bytes = OK) -> bytes:
    lines = b"".join(field + b"\r\n" for field in fields)
    return status + lines + b"Content-Length: %d\r\n\r\n" % len(body) + body


def test_a_plain_answer_is_read_at_once():
    found = relayed(plain(b"Server: x", b"Content-Type: text/html", b"Connection: keep-alive", b"Date: now"))
    assert (found.status, found.body, found.complete) == (200, b"abc", True)
    assert found.lines == b"\r\nserver: x\r\ncontent-type: text/html"


def test_what_a_line_is_worth_is_known_the_second_time_too():
    answers = AnswerFilter(OURS, private=True, metered=True)
    data = plain(b"Server: x", b"Set-Cookie: __Host-herse=y", b"Set-Cookie: a=b", b"ETag: z", b"Accept-Ranges: bytes")
    first, second = answers.whole(data), answers.whole(data)
    assert first.lines == second.lines == b"\r\nserver: x\r\nset-cookie: a=b\r\ncache-control: no-store"


def test_what_is_stored_nowhere_and_offered_in_no_parts_depends_on_the_kind_of_request():
    data = plain(b"ETag: z", b"Accept-Ranges: bytes")
    assert relayed(data).lines == b"\r\netag: z\r\naccept-ranges: bytes"
    assert relayed(data, private=True).lines == b"\r\naccept-ranges: bytes\r\ncache-control: no-store"
    assert relayed(data, metered=True).lines == b"\r\netag: z"


@pytest.mark.parametrize("name", BAD)
def test_C2_what_has_two_readings_is_never_read_here(name):
    assert relayed(BAD[name]) is None


@pytest.mark.parametrize(
    "data",
    {
        "cut head": plain(b"Server: x")[:20],
        "cut body": plain(body=b"abcdef")[:-1],
        "a byte too many": plain() + b"x",
        "another answer behind": plain() + plain(),
        "no length": OK + b"Server: x\r\n\r\n",
        "no fields": OK + b"\r\n",
        "length with zeros": OK + b"Content-Length: 03\r\n\r\nabc",
        "length in a value": OK + b"A: content-length: 3\r\n\r\nabc",
        "closing": plain(b"Connection: close"),
        "names a field": plain(b"Connection: keep-alive, a", b"A: b"),
        "upgrade": plain(b"Upgrade: h2c"),
        "coding": plain(b"Transfer-Encoding: chunked"),
        "trailer": plain(b"Trailer: a"),
        "HTTP/1.0": plain(status=b"HTTP/1.0 200 OK\r\n"),
        "no content": plain(status=b"HTTP/1.1 204 No Content\r\n", body=b""),
        "not modified": plain(status=b"HTTP/1.1 304 Not Modified\r\n"),
        "interim": plain(status=b"HTTP/1.1 103 Early Hints\r\n"),
        "words of its own": plain(status=b"HTTP/1.1 200 Fine\r\n"),
        "line feed before": b"\r\n" + plain(),
        "space before": plain(b"A:  b"),
        "space behind": plain(b"A: b "),
        "no space": plain(b"A:b"),
        "empty value": plain(b"A: "),
        "huge": plain(*(b"A%d: b" % n for n in range(9_000))),
    }.values(),
)
def test_the_rest_is_left_to_the_parser(data):
    assert relayed(data) is None


def test_a_field_that_looks_like_a_length_is_none():
    assert relayed(plain(b"A: content-length: 4")).lines == b"\r\na: content-length: 4"
    assert relayed(plain(b"X-Content-Length: 4")).lines == b"\r\nx-content-length: 4"


def test_lines_are_kept_up_to_a_number_and_none_that_is_long():
    answers = AnswerFilter(OURS, private=False, metered=False)
    for number in range(_KNOWN_AT_MOST + 10):
        assert answers.whole(plain(b"ETag: %d" % number)).lines == b"\r\netag: %d" % number
    assert len(answers._known) < _KNOWN_AT_MOST
    long = b"A: " + b"b" * 600
    assert answers.whole(plain(long)).lines == b"\r\na: " + b"b" * 600
    assert long not in answers._known


def test_fields_that_the_parser_read_pass_the_same_way():
    answers = AnswerFilter(OURS, private=True, metered=False)
    fields = [(b"Server", b"x"), (b"Content-Length", b"3"), (b"ETag", b"y")]
    assert answers.lines(fields) == answers.whole(plain(b"Server: x", b"ETag: y")).lines


PIECES = [
    b"HTTP/1.1 200 OK", b"HTTP/1.1 404 Not Found", b"HTTP/1.0 200 OK", b"HTTP/1.1 204 No Content", b"\r\n", b"\r\n\r\n",
    b"\n", b"\r", b"Content-Length: 3", b"content-length: 0", b"Content-Length: 30", b"Content-Length:3", b"Server: x",
    b"Set-Cookie: __Host-herse=a", b"Set-Cookie: b=c", b"Connection: close", b"Connection: keep-alive", b"A: b\x00",
    b"Transfer-Encoding: chunked", b" folded", b"\tfolded", b"A : b", b": b", b"abc", b"3\r\nabc\r\n0\r\n\r\n",
    b"\xe9: \xe9",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=12))
@example([b"HTTP/1.1 200 OK", b"\r\n", b"Content-Length: 3", b"\r\n\r\n", b"abc"])
def test_what_is_read_at_once_llhttp_reads_alike(pieces):
    data = b"".join(pieces)
    found = relayed(data)
    if found is None:
        return
    read = Reader(data)
    assert (read.status, read.body, read.messages, read.whole) == (found.status, found.body, 1, True)
    assert read.keep
    assert read.version == "1.1"
    told = AnswerFilter(OURS, private=False, metered=False).lines(read.fields)
    assert told == found.lines


@given(
    st.lists(st.tuples(st.sampled_from([b"A", b"set-cookie", b"ETag", b"Keep-Alive", b"Date"]), st.binary(max_size=6)))
)
def test_whatever_the_values(fields):
    data = plain(*(name + b": " + value for name, value in fields))
    found = relayed(data)
    if found is not None:
        read = Reader(data)
        assert read.messages == 1
        assert found.lines == AnswerFilter(OURS, private=False, metered=False).lines(read.fields)
