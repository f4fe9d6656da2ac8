# SPDX-License-Identifier: EUPL-1.2
"""tree_proof: the proofs the RFC asks for, each checked, and each refused once anything in it is changed."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ledger.tree import Frontier, TreeError, grown, leaf_hash, node_hash
from gateway.ledger.tree_proof import (
    ProofError,
    consistency_proof,
    inclusion_proof,
    verify_consistency,
    verify_inclusion,
)
from support.slow_tree import CT_CONSISTENCIES, CT_INCLUSIONS, CT_LEAVES, CT_ROOTS, slow_path, slow_proof, slow_root

LEAVES = [leaf_hash(str(number).encode()) for number in range(1_030)]
KEPT = {(tile.level, tile.place): tile.hashes for tile in grown(Frontier(), LEAVES)[1]}
CT_KEPT = {(0, 0): b"".join(map(leaf_hash, CT_LEAVES))}
SMALL = range(1, 20)
sizes = st.one_of(st.integers(1, 40), st.sampled_from([255, 256, 257, 511, 512, 513, 1_023, 1_024, 1_025, 1_030]))


def read(level, place):
    return KEPT.get((level, place))


@cache
def root(size):
    return slow_root(LEAVES[:size])


@pytest.mark.parametrize(("number", "size"), CT_INCLUSIONS)
def test_inclusions_of_certificate_transparency(number, size):
    path = inclusion_proof(number, size, lambda level, place: CT_KEPT.get((level, place)))
    assert tuple(one.hex() for one in path) == CT_INCLUSIONS[number, size]
    verify_inclusion(number, size, leaf_hash(CT_LEAVES[number]), path, bytes.fromhex(CT_ROOTS[size]))


@pytest.mark.parametrize(("old", "size"), CT_CONSISTENCIES)
def test_consistencies_of_certificate_transparency(old, size):
    path = consistency_proof(old, size, lambda level, place: CT_KEPT.get((level, place)))
    assert tuple(one.hex() for one in path) == CT_CONSISTENCIES[old, size]
    verify_consistency(old, size, bytes.fromhex(CT_ROOTS[old]), bytes.fromhex(CT_ROOTS[size]), path)


@pytest.mark.parametrize("size", SMALL)
def test_every_proof_of_a_small_tree(size):
    for number in range(size):
        path = inclusion_proof(number, size, read)
        assert path == slow_path(number, LEAVES[:size])
        verify_inclusion(number, size, LEAVES[number], path, root(size))
    for old in range(1, size + 1):
        path = consistency_proof(old, size, read)
        assert path == slow_proof(old, LEAVES[:size])
        verify_consistency(old, size, root(old), root(size), path)
    assert consistency_proof(0, size, read) == []
    verify_consistency(0, size, root(0), root(size), [])


@given(sizes, st.data())
def test_an_inclusion_proves_one_leaf_at_one_place_in_one_tree(size, data):
    number = data.draw(st.integers(0, size - 1))
    path = inclusion_proof(number, size, read)
    verify_inclusion(number, size, LEAVES[number], path, root(size))
    assert path == slow_path(number, LEAVES[:size])
    other = data.draw(st.integers(0, size - 1))
    if other != number:
        with pytest.raises(ProofError, match=r"leads from|levels"):
            verify_inclusion(other, size, LEAVES[number], path, root(size))
        with pytest.raises(ProofError, match="leads from"):
            verify_inclusion(number, size, LEAVES[other], path, root(size))
    for wrong in spoiled(path, data):
        with pytest.raises(ProofError, match=r"leads from|levels"):
            verify_inclusion(number, size, LEAVES[number], wrong, root(size))


@given(sizes, st.data())
def test_a_consistency_proves_two_roots(size, data):
    old = data.draw(st.integers(1, size))
    path = consistency_proof(old, size, read)
    assert path == slow_proof(old, LEAVES[:size])
    verify_consistency(old, size, root(old), root(size), path)
    for wrong in spoiled(path, data):
        with pytest.raises(ProofError):
            verify_consistency(old, size, root(old), root(size), wrong)
    with pytest.raises(ProofError, match="expected"):
        verify_consistency(old, size, bytes(32), root(size), path)
    with pytest.raises(ProofError, match="expected"):
        verify_consistency(old, size, root(old), bytes(32), path)


def spoiled(path, data):
    """The path one longer, one shorter, and with one bit changed."""
    yield [*path, bytes(32)]
    if path:
        yield path[:-1]
        yield path[1:]
        place, bit = data.draw(st.integers(0, len(path) - 1)), data.draw(st.integers(0, 255))
        changed = (int.from_bytes(path[place], "big") ^ (1 << bit)).to_bytes(32, "big")
        yield [*path[:place], changed, *path[place + 1 :]]


def test_an_older_tree_of_nothing_has_one_root():
    with pytest.raises(ProofError, match="0 leaves have the root"):
        verify_consistency(0, 5, bytes(32), root(5), [])


@pytest.mark.parametrize("number", [-1, 5, 6])
def test_a_leaf_outside_the_tree_is_not_proved(number):
    with pytest.raises(ProofError, match=f"leaf {number} was asked for; expected 0 to 4"):
        inclusion_proof(number, 5, read)
    with pytest.raises(ProofError, match=f"leaf {number} was asked for"):
        verify_inclusion(number, 5, bytes(32), [], root(5))


@pytest.mark.parametrize("old", [-1, 6])
def test_an_older_tree_is_not_larger(old):
    with pytest.raises(ProofError, match=f"an older tree of {old} leaves"):
        consistency_proof(old, 5, read)
    with pytest.raises(ProofError, match=f"an older tree of {old} leaves"):
        verify_consistency(old, 5, bytes(32), bytes(32), [])


def test_an_empty_path_proves_no_growth():
    with pytest.raises(ProofError):
        verify_consistency(3, 5, root(3), root(5), [])
    with pytest.raises(ProofError):
        verify_consistency(4, 5, root(4), root(5), [])


def test_a_tree_larger_than_its_tiles_is_not_proved():
    with pytest.raises(TreeError, match="hashes; expected at least"):
        inclusion_proof(0, 1_031, read)


def test_a_root_of_a_smaller_tree_is_none_of_a_larger():
    with pytest.raises(ProofError, match="leads from leaf 0"):
        verify_inclusion(0, 8, LEAVES[0], inclusion_proof(0, 4, read), root(4))
    with pytest.raises(ProofError, match="the proof gives 2 leaves"):
        verify_consistency(2, 8, root(2), root(4), consistency_proof(2, 4, read))


def test_a_path_ends_where_the_tree_does_even_if_the_roots_fit_the_longer_one():
    more = bytes(32)
    with pytest.raises(ProofError, match="more than a tree of 1 leaves has levels"):
        verify_inclusion(0, 1, LEAVES[0], [more], node_hash(more, LEAVES[0]))
    path = [*consistency_proof(3, 4, read), more]
    with pytest.raises(ProofError, match="more than a tree of 4 leaves has levels"):
        verify_consistency(3, 4, node_hash(more, root(3)), node_hash(more, root(4)), path)
