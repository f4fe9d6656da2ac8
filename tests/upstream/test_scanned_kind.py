# SPDX-License-Identifier: EUPL-1.2
"""scanned_kind: which answers can be read at all."""

from __future__ import annotations

import pytest

from gateway.model.unread import Unread
from gateway.upstream.scanned_kind import says_json, unread_kind


def lines(*fields: str) -> bytes:
    return b"".join(b"\r\n" + field.encode() for field in fields)


TYPE = "content-type: "


def test_what_says_once_that_it_is_json_is_json():
    assert says_json(lines("x: y", TYPE + "Application/JSON; charset=utf-8"))
    assert says_json(lines("Content-Type:application/fhir+json"))
    for fields in ((), (TYPE + "text/html",), (TYPE + "application/json", TYPE + "application/json")):
        assert not says_json(lines(*fields))


@pytest.mark.parametrize(
    "kind",
    [
        "text/html",
        "text/csv; charset=utf-8",
        "TEXT/HTML;Charset=UTF-8",
        'text/plain; charset="iso-8859-1"; format=flowed',
        "text/html; charset=windows-1252",
        "application/xhtml+xml",
        "application/x-ndjson",
        "application/json",
        "application/fhir+json; charset=utf-8",
    ],
)
def test_texts_are_read(kind):
    assert unread_kind(lines("x: y", TYPE + kind, "content-encoding: identity"), as_json=False) is None


@pytest.mark.parametrize("kind", ["application/json", "application/fhir+json", "application/json; charset=UTF-8"])
def test_json_is_read_as_json(kind):
    assert unread_kind(lines(TYPE + kind), as_json=True) is None


@pytest.mark.parametrize(
    ("fields", "as_json", "why"),
    [
        ((), False, Unread.KIND),
        ((TYPE + "text/html", TYPE + "text/html"), False, Unread.KIND),
        ((TYPE,), False, Unread.KIND),
        ((TYPE + "application/pdf",), False, Unread.KIND),
        ((TYPE + "image/png",), False, Unread.KIND),
        ((TYPE + "application/octet-stream",), False, Unread.KIND),
        ((TYPE + "multipart/mixed; boundary=x",), False, Unread.KIND),
        ((TYPE + "text/event-stream",), False, Unread.KIND),
        ((TYPE + "text/rtf",), False, Unread.KIND),
        ((TYPE + "text/html",), True, Unread.KIND),
        ((TYPE + "text/json",), True, Unread.KIND),
        ((TYPE + "text/html; charset=utf-16",), False, Unread.CHARSET),
        ((TYPE + "text/html; charset=utf-7",), False, Unread.CHARSET),
        ((TYPE + "text/html; charset=shift_jis",), False, Unread.CHARSET),
        ((TYPE + "text/html; charset=",), False, Unread.CHARSET),
        ((TYPE + "text/html; charset=utf-8; charset=utf-8",), False, Unread.CHARSET),
        ((TYPE + "text/html; charset = utf-16",), False, Unread.CHARSET),
        ((TYPE + "application/json; charset=iso-8859-1",), True, Unread.CHARSET),
        ((TYPE + "text/html", "content-encoding: gzip"), False, Unread.CODED),
        ((TYPE + "text/html", "Content-Encoding: br"), False, Unread.CODED),
        ((TYPE + "text/html", "content-encoding: identity, zstd"), False, Unread.CODED),
        ((TYPE + "text/html", "content-encoding: identity", "content-encoding: gzip"), False, Unread.CODED),
    ],
)
def test_what_cannot_be_read_says_why(fields, as_json, why):
    assert unread_kind(lines(*fields), as_json=as_json) is why
