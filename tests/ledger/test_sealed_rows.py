# SPDX-License-Identifier: EUPL-1.2
"""sealed_rows: which leaf an event is, told for many at once as for one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ledger.sealed_rows import leaf_number, leaf_numbers
from gateway.ledger.tree_store import SEQUENCE_BYTES, Tile

SEQUENCES = [3 * number + 5 + number // 7 for number in range(1_300)]


class Stored:
    """Level 0 of a tree: one tile more than was signed, as after a sealing that was cut."""

    def __init__(self) -> None:
        self.asked = 0

    def tile(self, level: int, place: int) -> Tile | None:
        self.asked += 1
        own = SEQUENCES[place * 256 : (place + 1) * 256]
        if level or not own:
            return None
        return Tile(0, place, b"h" * 32 * len(own), b"".join(one.to_bytes(SEQUENCE_BYTES, "big") for one in own))


@given(st.integers(0, 1_100), st.sets(st.integers(0, 4_600)))
def test_many_are_told_as_one_is(size, sequences):
    chosen = sorted(sequences)
    assert list(leaf_numbers(Stored(), size, chosen)) == [leaf_number(Stored(), size, one) for one in chosen]


@pytest.mark.parametrize("size", [1_024, 1_100])
def test_each_tile_is_read_once_where_they_stand_together(size):
    store = Stored()
    assert list(leaf_numbers(store, size, SEQUENCES[:size])) == list(range(size))
    assert store.asked == -(-size // 256)
