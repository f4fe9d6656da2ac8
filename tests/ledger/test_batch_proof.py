# SPDX-License-Identifier: EUPL-1.2
"""batch_proof: the hashes beside many leaves are those an independent, slow walk finds, for any choice of leaves."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ledger.batch_proof import batch_hashes
from gateway.ledger.tree import Frontier, grown, leaf_hash
from gateway.ledger.tree_proof import ProofError, inclusion_proof
from support.slow_tree import slow_root

LEAVES = [leaf_hash(str(number).encode()) for number in range(600)]
KEPT = {(tile.level, tile.place): tile.hashes for tile in grown(Frontier(), LEAVES)[1]}


def read(level, place):
    return KEPT.get((level, place))


def slow(numbers: set[int], leaves: list[bytes], begin: int = 0) -> list[bytes]:
    """The recursion by the definition of the tree, over all leaves each time."""
    if not numbers & set(range(begin, begin + len(leaves))):
        return [slow_root(leaves)]
    if len(leaves) == 1:
        return []
    left = 1
    while left * 2 < len(leaves):
        left *= 2
    return slow(numbers, leaves[:left], begin) + slow(numbers, leaves[left:], begin + left)


@given(
    st.integers(1, 600).flatmap(lambda size: st.tuples(st.just(size), st.sets(st.integers(0, size - 1), min_size=1)))
)
def test_hashes_are_those_of_the_branches_without_a_leaf(chosen):
    size, numbers = chosen
    assert list(batch_hashes(sorted(numbers), size, read)) == slow(numbers, LEAVES[:size])


@pytest.mark.parametrize("number", [0, 255, 256, 599])
def test_for_one_leaf_they_are_its_path(number):
    assert sorted(batch_hashes([number], 600, read)) == sorted(inclusion_proof(number, 600, read))


def test_for_all_leaves_there_is_none_and_for_no_leaf_the_root():
    assert list(batch_hashes(range(600), 600, read)) == []
    assert list(batch_hashes([], 600, read)) == [slow_root(LEAVES)]


@pytest.mark.parametrize("numbers", [[5, 5], [5, 4], [400, 3], [600], [599, 600], [-1]])
def test_numbers_that_do_not_rise_or_are_no_leaves_are_told(numbers):
    with pytest.raises(ProofError, match="expected numbers that rise, below the 600 leaves"):
        list(batch_hashes(numbers, 600, read))
