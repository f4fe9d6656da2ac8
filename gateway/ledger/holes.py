# SPDX-License-Identifier: EUPL-1.2
"""Whether an event that is not in a file any more was deleted as it should: the tiles say so.

Asked at a start of both ends of each hole among the newest events, by the connection that will append. What lies
between is the second reader's business (`verify`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.ledger.deletion import marks_of
from gateway.ledger.tree_store import SEQUENCE_BYTES

if TYPE_CHECKING:
    import sqlite3

_PLACES: Final = "select coalesce(max(place), -1) from tile where level = 0"
_TILE: Final = "select sequences, gone from tile where level = 0 and place = ?"


def went(connection: sqlite3.Connection, sequence: int) -> bool:
    """Whether the leaf of this event is marked gone. Sequences rise with leaves."""
    low, (high,) = 0, connection.execute(_PLACES).fetchone()
    wanted = sequence.to_bytes(SEQUENCE_BYTES, "big")
    while low <= high:
        place = (low + high) // 2
        sequences, gone = connection.execute(_TILE, (place,)).fetchone() or (b"", None)
        if not sequences or wanted < sequences[:SEQUENCE_BYTES]:
            high = place - 1
        elif wanted > sequences[-SEQUENCE_BYTES:]:
            low = place + 1
        else:
            return _marked(sequences, gone, wanted)
    return False


def _marked(sequences: bytes, gone: bytes | None, wanted: bytes) -> bool:
    starts = range(0, len(sequences), SEQUENCE_BYTES)
    found = (place for place, start in enumerate(starts) if sequences[start : start + SEQUENCE_BYTES] == wanted)
    offset = next(found, None)
    return offset is not None and any(bits >> offset & 1 for bits in marks_of(gone).values())
