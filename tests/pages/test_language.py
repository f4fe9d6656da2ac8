# SPDX-License-Identifier: EUPL-1.2
"""Language and form of an answer, out of what the client says it prefers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.pages.accept import prefers_json, qualities
from gateway.pages.language import language


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (b"", "fr"),
        (b"fr", "fr"),
        (b"en", "en"),
        (b"EN-gb", "en"),
        (b"fr-FR,fr;q=0.9,en;q=0.8", "fr"),
        (b"en-US,en;q=0.9,fr;q=0.8", "en"),
        (b"de-DE,de;q=0.9,en;q=0.7", "en"),
        (b"de", "fr"),
        (b"en;q=0.5, *", "fr"),
        (b"en;q=0", "fr"),
        (b"en,fr", "fr"),
        (b"en;q=abc", "fr"),
        (b"eng", "fr"),
        (b"fr;q=0.2,en;q=0.3", "en"),
        (b"\xff\xfe,en", "en"),
    ],
)
def test_French_unless_English_is_preferred(header, expected):
    assert language(header) == expected


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (b"", False),
        (b"*/*", False),
        (b"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", False),
        (b"application/json", True),
        (b"application/problem+json", True),
        (b"application/json, text/html", False),
        (b"application/json, text/html;q=0.9", True),
        (b"application/json;q=0.5, text/html;q=0.9", False),
        (b"application/json;charset=utf-8", True),
        (b"application/json;q=0", False),
        (b"Application/JSON", True),
    ],
)
def test_JSON_only_if_it_is_named_and_liked_more(accept, expected):
    assert prefers_json(accept) is expected


@given(st.binary(max_size=3000))
def test_no_header_is_an_error(header):
    assert language(header) in {"fr", "en"}
    assert prefers_json(header) in {True, False}
    assert all(0.0 <= quality <= 1.0 for quality in qualities(header).values())
