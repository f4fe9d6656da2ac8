# SPDX-License-Identifier: EUPL-1.2
"""verify_tree: the second reader's tree is the slow one's too, and its proofs take what the other side makes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.ledger.verify_tree import NOTHING, Climb, above, consistent, folded, included, of_line, peaks_of
from gateway.ledger.wrong import Finding, Wrong
from support.slow_tree import CT_CONSISTENCIES, CT_INCLUSIONS, CT_LEAVES, CT_ROOTS, slow_path, slow_proof, slow_root

LEAVES = [of_line(str(number).encode()) for number in range(1_030)]
sizes = st.one_of(st.integers(1, 40), st.sampled_from([255, 256, 257, 511, 512, 513, 1_023, 1_024, 1_025]))


def climbed(leaves):
    climb = Climb()
    for leaf in leaves:
        climb.add(leaf)
    return climb


@pytest.mark.parametrize("size", range(9))
def test_the_roots_of_certificate_transparency(size):
    assert climbed(map(of_line, CT_LEAVES[:size])).root().hex() == CT_ROOTS[size]


@pytest.mark.parametrize("size", [0, 1, 2, 3, 4, 5, 7, 8, 9, 255, 256, 257, 511, 512, 513, 1_023, 1_024, 1_025])
def test_the_root_is_the_slow_one(size):
    climb = climbed(LEAVES[:size])
    assert (climb.count, climb.root()) == (size, slow_root(LEAVES[:size]))
    assert folded(peaks_of(b"".join(LEAVES[: min(size, 256)]))) == slow_root(LEAVES[: min(size, 256)])


def test_roots_of_full_tiles_come_out_as_they_end():
    climb, ended = Climb(), {}
    for number in range(65_537):
        for level, root in enumerate(climb.add(LEAVES[number % 1_000]), 1):
            ended[level, number] = root
    assert [place for place in ended if place[0] == 1] == [(1, 256 * end - 1) for end in range(1, 257)]
    assert [place for place in ended if place[0] > 1] == [(2, 65_535)]
    assert ended[1, 511] == slow_root(LEAVES[256:512])
    assert ended[2, 65_535] == slow_root([LEAVES[number % 1_000] for number in range(65_536)])


def test_nothing_has_its_own_root():
    assert NOTHING == Climb().root() == folded([])
    assert above(b"a" * 32, b"b" * 32) != above(b"b" * 32, b"a" * 32)


@given(sizes, st.data())
def test_inclusion(size, data):
    number = data.draw(st.integers(0, size - 1))
    root, path = slow_root(LEAVES[:size]), slow_path(number, LEAVES[:size])
    assert included(number, size, LEAVES[number], path) == root
    assert included(number, size, LEAVES[number - 1], path) != root or size == 1
    for wrong in (path[:-1], [*path, bytes(32)]):
        if len(wrong) != len(path):
            with pytest.raises(Wrong, match="too") as found:
                included(number, size, LEAVES[number], wrong)
            assert found.value.finding is Finding.PROOF


@given(sizes, st.data())
def test_consistency(size, data):
    old = data.draw(st.integers(1, size))
    then, now = slow_root(LEAVES[:old]), slow_root(LEAVES[:size])
    path = slow_proof(old, LEAVES[:size])
    assert consistent(old, size, then, path) == (then, now)
    for place in range(len(path)):
        assert consistent(old, size, then, [*path[:place], bytes(32), *path[place + 1 :]]) != (then, now)
    for wrong in (path[:-1], [*path, bytes(32)], [bytes(32), *path]):
        if len(wrong) != len(path):
            with pytest.raises(Wrong, match="too") as found:
                consistent(old, size, then, wrong)
            assert found.value.finding is Finding.PROOF


@pytest.mark.parametrize(("number", "size"), CT_INCLUSIONS)
def test_inclusions_of_certificate_transparency(number, size):
    path = [bytes.fromhex(one) for one in CT_INCLUSIONS[number, size]]
    assert included(number, size, of_line(CT_LEAVES[number]), path).hex() == CT_ROOTS[size]


@pytest.mark.parametrize(("old", "size"), CT_CONSISTENCIES)
def test_consistencies_of_certificate_transparency(old, size):
    path = [bytes.fromhex(one) for one in CT_CONSISTENCIES[old, size]]
    roots = consistent(old, size, bytes.fromhex(CT_ROOTS[old]), path)
    assert [root.hex() for root in roots] == [CT_ROOTS[old], CT_ROOTS[size]]


@pytest.mark.parametrize("number", [-1, 5])
def test_a_leaf_outside_is_not_included(number):
    with pytest.raises(Wrong, match=f"of leaf {number}; expected 0 to 4"):
        included(number, 5, bytes(32), [])


@pytest.mark.parametrize("old", [0, 6])
def test_an_older_tree_is_there_and_not_larger(old):
    with pytest.raises(Wrong, match=f"begins with {old} leaves; expected 1 to 5"):
        consistent(old, 5, bytes(32), [])
