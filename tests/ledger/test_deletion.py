# SPDX-License-Identifier: EUPL-1.2
"""deletion: what an event tells is read again as it was, and what a tile remembers of its leaves."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ledger.deletion import (
    MARK_BYTES,
    WHOLE_DAY,
    Batch,
    NotDeleted,
    Told,
    day_of,
    marked,
    marks_of,
    offsets,
    read_told,
    told_text,
)
from gateway.ledger.event import DETAILS_LIMIT, microseconds
from gateway.ledger.verify_deletion import Deletions

MIDNIGHT = datetime(2025, 11, 23, tzinfo=UTC)
numbers = st.integers(0, 2**63 - 1)
bits = st.sets(st.integers(0, 255), min_size=1)


def test_a_batch_tells_what_is_in_it():
    batch = Batch()
    for number, at in ((3, 20), (255, 10), (256, 30)):
        batch.add(number, b"%032d" % number, at)
    assert (batch.marks, batch.since, batch.until) == ({0: 1 << 3 | 1 << 255, 1: 1}, 10, 30)
    digest = sha256(b"".join(number.to_bytes(8, "big") + b"%032d" % number for number in (3, 255, 256))).digest()
    assert batch.told("security", microseconds(MIDNIGHT), 17) == Told("security", MIDNIGHT, 3, 256, 3, digest, 17)


@given(numbers, numbers, numbers, numbers, st.binary(min_size=32, max_size=32))
def test_what_is_told_is_read_again(first, last, count, following, digest):
    told = Told("proof", MIDNIGHT, first, last, count, digest, following)
    text = told_text(told)
    assert read_told("proof", text) == told
    assert read_told("proof", f"{text}; asked by root: room") == told
    assert len(text) < DETAILS_LIMIT / 2


def test_a_whole_day_is_told_by_its_end():
    told = Told(WHOLE_DAY, MIDNIGHT, 0, 1, 2, bytes(32), 0)
    assert day_of(told) == (datetime(2025, 11, 22, tzinfo=UTC), MIDNIGHT)


@pytest.mark.parametrize(
    ("keep", "old", "new"),
    [
        ("always", "", ""),
        ("None", "", ""),
        ("security", "2025-11-23", "2025-11-31"),
        ("security", "count", "counts"),
        ("security", "digest ", "digest f"),
    ],
)
def test_what_is_none_of_ours_is_not_read(keep, old, new):
    text = told_text(Told("security", MIDNIGHT, 0, 1, 2, bytes(32), 0))
    assert read_told(keep, text.replace(old, new)) is None


@given(st.lists(bits, min_size=1, max_size=4))
def test_a_tile_remembers_by_which_event_each_leaf_went(sets):
    gone, left, due = None, set(range(256)), {}
    for by, chosen in enumerate(sets, 40):
        if chosen := chosen & left:
            left -= chosen
            due[by] = sum(1 << one for one in chosen)
            gone = marked(gone, by, due[by])
            assert offsets(due[by]) == sorted(chosen)
    assert marks_of(gone) == due
    assert len(gone) == MARK_BYTES * len(due)
    # The second reader reads the same.
    reader = Deletions({7: gone}.get)
    for offset in range(256):
        by = [event for event, one in due.items() if one >> offset & 1]
        assert reader.event_of(7 * 256 + offset) == (by[0] if by else None)


def test_no_leaf_goes_twice():
    gone = marked(None, 40, 0b110)
    with pytest.raises(NotDeleted, match="are gone already"):
        marked(gone, 41, 0b11)
    assert marks_of(None) == {}
