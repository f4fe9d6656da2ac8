# SPDX-License-Identifier: EUPL-1.2
"""Proofs over the ledger's tree: that a leaf is in it, and that a later tree only added to an earlier one. Pure.

Made from tiles (RFC 9162, 2.1.3.1 and 2.1.4.1), checked by the letter of 2.1.3.2 and 2.1.4.2. This is the gateway's own
side; an auditor's is verify_proof. Never here: the form in which a proof is sent (proof).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.ledger.tree import EMPTY_ROOT, TreeError, node_hash, range_root, split

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.ledger.tree import Reader


class ProofError(TreeError):
    """A proof cannot be made for what was asked, or does not prove it."""


def inclusion_proof(number: int, size: int, read: Reader) -> list[bytes]:
    """The hashes beside the way from leaf `number` up to the root of the first `size` leaves, lowest first."""
    _demand_leaf(number, size)
    begin, end, path = 0, size, list[bytes]()
    while end - begin > 1:
        middle = begin + split(end - begin)
        if number < middle:
            path.append(range_root(middle, end, read))
            end = middle
        else:
            path.append(range_root(begin, middle, read))
            begin = middle
    return path[::-1]


def consistency_proof(old: int, size: int, read: Reader) -> list[bytes]:
    """What shows that the first `old` of `size` leaves are those they were; empty if there is nothing to show."""
    _demand_sizes(old, size)
    begin, end, path = 0, size, list[bytes]()
    if old in {0, size}:
        return path
    while end != old:
        middle = begin + split(end - begin)
        if old <= middle:
            path.append(range_root(middle, end, read))
            end = middle
        else:
            path.append(range_root(begin, middle, read))
            begin = middle
    if begin:  # else the old root itself stands here, which the checker has
        path.append(range_root(begin, end, read))
    return path[::-1]


def verify_inclusion(number: int, size: int, leaf: bytes, path: Sequence[bytes], root: bytes) -> None:
    """ProofError unless the path leads from the leaf hash at `number` to the root of `size` leaves."""
    _demand_leaf(number, size)
    place, last, climbed = number, size - 1, leaf
    for beside in path:
        if last == 0:
            raise ProofError(f"the proof has {len(path)} hashes, more than a tree of {size} leaves has levels")
        if place & 1 or place == last:
            climbed = node_hash(beside, climbed)
            place, last = _past_the_edge(place, last)
        else:
            climbed = node_hash(climbed, beside)
        place, last = place >> 1, last >> 1
    if last or climbed != root:
        raise ProofError(
            f"the proof leads from leaf {number} to {climbed.hex()}; expected the root {root.hex()} of {size} leaves"
        )


def verify_consistency(old: int, size: int, old_root: bytes, root: bytes, path: Sequence[bytes]) -> None:
    """ProofError unless the path shows that the tree of `size` leaves begins with the `old` ones of the old root."""
    _demand_sizes(old, size)
    if old in {0, size}:
        if path or old_root != (root if old else EMPTY_ROOT):
            raise ProofError(f"{old} leaves have the root {old_root.hex()}; expected {root.hex()}, and no path")
        return
    hashes = [old_root, *path] if old & (old - 1) == 0 else list(path)
    place, last = old - 1, size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    then = now = hashes[0] if hashes else b""
    for beside in hashes[1:]:
        if last == 0:
            raise ProofError(f"the proof has {len(path)} hashes, more than a tree of {size} leaves has levels")
        if place & 1 or place == last:
            then, now = node_hash(beside, then), node_hash(beside, now)
            place, last = _past_the_edge(place, last)
        else:
            now = node_hash(now, beside)
        place, last = place >> 1, last >> 1
    if last or then != old_root or now != root:
        raise ProofError(
            f"the proof gives {old} leaves the root {then.hex()}, and {size} leaves {now.hex()}; "
            f"expected {old_root.hex()} and {root.hex()}"
        )


def _past_the_edge(place: int, last: int) -> tuple[int, int]:
    """Up to where the node has a sibling on its left again: on the ragged right edge levels are skipped."""
    while place and not place & 1:
        place, last = place >> 1, last >> 1
    return place, last


def _demand_leaf(number: int, size: int) -> None:
    if not 0 <= number < size:
        raise ProofError(f"leaf {number} was asked for; expected 0 to {size - 1}, as the tree has {size} leaves")


def _demand_sizes(old: int, size: int) -> None:
    if not 0 <= old <= size:
        raise ProofError(f"an older tree of {old} leaves was asked for; expected 0 to {size}, as the newer one has")
