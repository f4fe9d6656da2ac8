# SPDX-License-Identifier: EUPL-1.2
"""Where a person goes after signing in: always our own origin, forms to their session only (faults G1, G2)."""

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
FORM = (("nir", "185057800608491"), ("nir", "2"))


def kept(path):
    returns = Returns()
    return returns.find(returns.keep(path, None, None, T0), None, T0).path


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


def test_a_form_goes_back_to_its_own_session_only():
    returns = Returns()
    reference = returns.keep("/aat", FORM, "ours", T0)
    found = returns.find(reference, "ours", T0)
    assert (found.path, found.form) == ("/aat", FORM)
    assert returns.find(reference, "theirs", T0) is None
    assert returns.find(reference, None, T0) is None
    with pytest.raises(ValueError, match="for a session only"):
        returns.keep("/aat", FORM, None, T0)


def test_a_path_without_form_survives_a_new_session():
    returns = Returns()
    reference = returns.keep("/a", None, "old", T0)
    assert returns.find(reference, "new", T0).path == "/a"


def test_fifteen_minutes_exactly():
    returns = Returns()
    reference = returns.keep("/a", None, None, T0)
    assert returns.find(reference, None, T0 + LIFETIME - INSTANT).path == "/a"
    assert returns.find(reference, None, T0 + LIFETIME) is None
    assert returns.find("unknown", None, T0) is None


def test_the_oldest_make_room_and_strangers_never_push_out_the_signed_in():
    returns = Returns(most=3)
    form = returns.keep("/form", FORM, "ours", T0)
    references = [returns.keep(f"/{number}", None, None, T0) for number in range(5)]
    assert [returns.find(one, None, T0) is not None for one in references] == [False, False, True, True, True]
    assert returns.find(form, "ours", T0) is not None


def test_bytes_are_bounded_too_and_given_back():
    returns = Returns(most_bytes=1000, largest=600)
    first = returns.keep("/" + "a" * 399, None, None, T0)
    second = returns.keep("/" + "b" * 399, None, None, T0)
    assert returns.find(first, None, T0) is not None
    returns.keep("/c", None, None, T0)
    assert returns.find(first, None, T0) is None
    assert returns.find(second, None, T0) is not None
    later = T0 + LIFETIME
    fresh = [returns.keep("/" + "d" * 399, None, None, later) for _ in range(2)]
    assert all(returns.find(one, None, later) for one in fresh)


def test_too_much_to_keep_is_refused():
    returns = Returns(largest=600)
    for path, form in (("/" + "a" * 600, None), ("/a", (("field", "x" * 600),))):
        with pytest.raises(Refused) as refused:
            returns.keep(path, form, "ours", T0)
        assert refused.value.reason is Reason.BODY_TOO_LARGE


def test_nothing_kept_is_printed():
    returns = Returns()
    found = returns.find(returns.keep("/infopatient/185057800608491", FORM, "ours", T0), "ours", T0)
    assert "185057800608491" not in repr(found)
