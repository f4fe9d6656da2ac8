# SPDX-License-Identifier: EUPL-1.2
"""The proof of many leaves at once, for whoever has their lines and the signed checkpoint.

On the way down from the root, left before right, a branch with none of the leaves is told by its hash and gone into no
further; a leaf that is one of them is told by its line. What is left is one list of hashes, far shorter than a path for
each leaf, made and read as a stream. Its check by who gets it is `verify_batch`, which shares no code with this file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.ledger.tree import range_root, split
from gateway.ledger.tree_proof import ProofError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gateway.ledger.tree import Reader

LEAVES_FILE: Final = "leaves.txt"
"""`number line`, one leaf a line, numbers rising."""
HASHES_FILE: Final = "hashes.txt"
"""One hash a line, 64 hexadecimal digits."""
CHECKPOINT_FILE: Final = "checkpoint.txt"
"""The signed note they are all under."""


def batch_hashes(numbers: Iterable[int], size: int, read: Reader) -> Iterator[bytes]:
    """The hashes beside the leaves of these rising numbers in a tree of this size; ProofError for any that is not."""
    coming = iter(numbers)
    due = next(coming, None)
    down = [(0, size)]
    while down:
        begin, end = down.pop()
        if due is None or due >= end:
            yield range_root(begin, end, read)
        elif due < begin:
            break
        elif end - begin == 1:
            due = next(coming, None)
        else:
            middle = begin + split(end - begin)
            down += [(middle, end), (begin, middle)]
    if due is not None:
        raise ProofError(f"leaf {due} was asked for; expected numbers that rise, below the {size} leaves of the tree")
