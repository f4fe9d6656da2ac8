# SPDX-License-Identifier: EUPL-1.2
"""Where a person goes after signing in: always our own origin (faults G1, G2)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import Refused
from gateway.identity.returns import LIFETIME, Returns
from gateway.model import Reason

T0 = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
INSTANT = timedelta(microseconds=1)


def kept(path):
    returns = Returns()
    return returns.find(returns.keep(path, T0), T0).path


@pytest.mark.parametrize(
    "path", ["/", "/a", "/a/b?c=d&e=%2f", "/infopatient/185057800608491", "/a//b", "/?next=//e.example"]
)
def test_G1_our_own_targets_are_kept_as_they_are(path):
    assert kept(path) == path


@pytest.mark.parametrize(
    "path",
    [
        "", "//evil.example", "/\\evil.example", "\\/evil.example", "///evil.example", "http://evil.example/",
        "http:/evil.example", "http:evil.example", "https:///evil.example", "evil.example", "javascript:alert(1)",
        "\t//evil.example", " /a", "/\t/evil.example", "/\n/evil.example", "/\r//evil.example", "/a\\b", "/a#b",
        "/\x00", "/é", "/a b", "*", "?a", "/\u2028", "/a\n",
    ],
)  # fmt: skip
def test_G1_everything_else_becomes_home(path):
    assert kept(path) == "/"


def as_a_browser_reads(path):
    """What WHATWG URL parsing removes and turns before it looks for an authority."""
    text = path.strip("".join(map(chr, range(33)))).translate(str.maketrans("", "", "\t\r\n"))
    return text.replace("\\", "/")


@given(st.text(st.sampled_from("/\\\t\n\r :#?@.%ae"), max_size=12) | st.text(max_size=12))
def test_G1_no_target_ever_leaves_the_origin(path):
    resolved = urlsplit(urljoin("https://portail.example/x", as_a_browser_reads(kept(path))))
    assert (resolved.scheme, resolved.netloc) == ("https", "portail.example")


def test_it_is_kept_whether_what_was_sent_there_is_lost():
    returns = Returns()
    assert returns.find(returns.keep("/a", T0, lost=True), T0).lost
    assert not returns.find(returns.keep("/a", T0), T0).lost


def test_fifteen_minutes_exactly():
    returns = Returns()
    reference = returns.keep("/a", T0)
    assert returns.find(reference, T0 + LIFETIME - INSTANT).path == "/a"
    assert returns.find(reference, T0 + LIFETIME) is None
    assert returns.find("unknown", T0) is None


def test_the_oldest_make_room_and_strangers_never_push_out_the_signed_in():
    returns = Returns(most=3)
    ours = returns.keep("/ours", T0, signed_in=True)
    references = [returns.keep(f"/{number}", T0) for number in range(5)]
    assert [returns.find(one, T0) is not None for one in references] == [False, False, True, True, True]
    assert returns.find(ours, T0) is not None


def test_bytes_are_bounded_too_and_given_back():
    returns = Returns(most_bytes=1000, largest=600)
    first = returns.keep("/" + "a" * 399, T0)
    second = returns.keep("/" + "b" * 399, T0)
    assert returns.find(first, T0) is not None
    returns.keep("/c", T0)
    assert returns.find(first, T0) is None
    assert returns.find(second, T0) is not None
    later = T0 + LIFETIME
    fresh = [returns.keep("/" + "d" * 399, later) for _ in range(2)]
    assert all(returns.find(one, later) for one in fresh)


def test_too_much_to_keep_is_refused():
    returns = Returns(largest=600)
    with pytest.raises(Refused) as refused:
        returns.keep("/" + "a" * 600, T0)
    assert refused.value.reason is Reason.BODY_TOO_LARGE


def test_nothing_kept_is_printed():
    returns = Returns()
    found = returns.find(returns.keep("/infopatient/185057800608491", T0), T0)
    assert "185057800608491" not in repr(found)
