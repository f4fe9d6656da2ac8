# SPDX-License-Identifier: EUPL-1.2
"""Why a row is not what was signed at its place: changed, missing, doubled, moved or slipped in. Pure.

Told from the signed leaf hashes around the place and the rows that come next, 256 either way: what lies further is told
as changed, which is no less wrong. Never here: whether anything is wrong (verify).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.ledger.wrong import Finding, Wrong

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.ledger.verify_tiles import Tiles

AROUND: Final = 256


class Row(NamedTuple):
    """A row that was found, and the leaf hash it gives."""

    number: int | None
    sequence: int | None
    leaf: bytes


def cause(found: Row, number: int, tiles: Tiles, coming: Sequence[Row]) -> Wrong:
    """The finding for a row whose hash is not the signed one of leaf `number`; `coming` are those after it."""
    due, *after = tiles.leaves(number, number + AROUND)
    before = tiles.leaves(number - AROUND, number)
    if found.leaf in before:
        return doubled(found, number, number - len(before) + before.index(found.leaf))
    if found.leaf in after:
        last = number + after.index(found.leaf)
        if any(row.leaf == due for row in coming):
            return Wrong(
                Finding.REORDERED,
                f"the row of leaf {last + 1} stands here, and this leaf's further on; expected them in order",
                number=number,
                sequence=found.sequence,
            )
        return missing(number, last, found.sequence)
    if coming and coming[0].leaf == due:
        return Wrong(
            Finding.INSERTED,
            "a row that was never sealed stands before this leaf's; expected none: it was slipped in",
            number=number,
            sequence=found.sequence,
        )
    return Wrong(
        Finding.CHANGED,
        f"the row was changed: it gives the leaf hash {found.leaf.hex()}; expected {due.hex()}, which was signed. "
        "Keep this copy, and compare the row with a backup",
        number=number,
        sequence=found.sequence,
    )


def misplaced(found: int, number: int, sequence: int | None, coming: Sequence[int | None]) -> Wrong:
    """The finding for a row that says to be another leaf than the one that is due."""
    if found < number:
        return doubled(Row(found, sequence, b""), number, found)
    if number in coming:
        return Wrong(
            Finding.REORDERED,
            f"leaf {found} stands here, and this one further on; expected them in order",
            number=number,
        )
    return missing(number, found - 1, sequence)


def out_of_order(found: Row, number: int, last: int, tiles: Tiles | None) -> Wrong:
    """The finding for a row whose sequence is not above that of the row before."""
    before = [] if tiles is None else tiles.leaves(number - AROUND, number)
    if found.sequence == last:
        return doubled(found, number, number - 1)
    if found.leaf in before:
        return doubled(found, number, number - len(before) + before.index(found.leaf))
    return Wrong(
        Finding.REORDERED,
        f"it comes after sequence {last}; expected rising sequences",
        number=number,
        sequence=found.sequence,
    )


def unheld(sequence: int, last: int | None) -> Wrong:
    """The finding for a row that no leaf holds, where later ones are sealed."""
    if sequence == last:
        return Wrong(Finding.DOUBLED, "the row comes again; expected each once", sequence=sequence)
    return Wrong(
        Finding.INSERTED,
        "no leaf holds this row, while later ones are sealed; expected it at the end: it was slipped in",
        sequence=sequence,
    )


def cut(number: int, size: int, *, sure: bool) -> Wrong:
    """The rows end before the signed leaves do; not `sure`: without tiles, what is missing may be anywhere."""
    where = "at the end" if sure else "at the end, or somewhere before, which only tiles can tell"
    return Wrong(
        Finding.TAIL_CUT,
        f"the tail is cut: {number} leaves are there; expected {size}, as were signed. {size - number} are missing "
        f"{where}. Keep this copy, and restore a backup",
        number=number,
    )


def doubled(found: Row, number: int, first: int) -> Wrong:
    """A row that is there twice."""
    return Wrong(
        Finding.DOUBLED,
        f"the row of leaf {first} comes again; expected each once",
        number=number,
        sequence=found.sequence,
    )


def missing(first: int, last: int, sequence: int | None) -> Wrong:
    """Rows that are not there, while those after them are."""
    what = "its row is" if first == last else f"the rows from here to leaf {last} are"
    told = "" if sequence is None else f"; what is there next has sequence {sequence}"
    return Wrong(Finding.MISSING, f"{what} missing{told}. Keep this copy, and restore a backup", number=first)
