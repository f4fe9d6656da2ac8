# SPDX-License-Identifier: EUPL-1.2
"""What is hashed of an event: one line of JSON that no other row gives. Pure.

    ["herse-event/1",42,null,1764000000000000,"sign-in","dr-lune",…]

First the version of this form, then the sequence, then the columns in the order of `event.COLUMNS`; bytes as lower-case
hex, nothing as null; no blank between, text as UTF-8 with only the quotation mark, the backslash and controls escaped.
So a line feed never stands inside, and an export of the ledger is these lines, one for each leaf. Never here: hashes
(tree), or reading a line back (verify_line, which shares no code with this file).
"""

from __future__ import annotations

import json
from functools import lru_cache
from typing import TYPE_CHECKING, Final, TypeAlias

from gateway.errors import HerseError
from gateway.ledger.event import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Sequence

RECORD: Final = "herse-event/1"
"""The version of the form. A ledger that gets a column gets a new one; old rows keep theirs."""
GONE: Final = "herse-gone/1"

Value: TypeAlias = int | str | bytes | None

_WHOLE: Final = frozenset({"at", "status"})
_BYTES: Final = frozenset({"request", "pseudonym", "sealed"})
_NEEDED: Final = frozenset({"at", "kind", "account"})

# `check_circular` costs a third, and a row of plain values has no circles.
_encode = json.JSONEncoder(ensure_ascii=False, check_circular=False, allow_nan=False, separators=(",", ":")).encode


class LeafError(HerseError):
    """A row is none that an event can give: it must not be sealed. The message names sequence and column."""


def leaf_data(sequence: int, row: Sequence[Value]) -> bytes:
    """The line of a row, without its line feed. LeafError if a value has not the type of its column."""
    values: list[Value] = [RECORD, sequence, *row]
    try:
        for place in _places_of_bytes(tuple(map(type, values))):
            values[place] = values[place].hex()  # type: ignore[union-attr]  # the types were just looked at
        return _encode(values).encode()
    except ValueError as error:  # a column's, or a half surrogate, which is no character
        raise LeafError(
            f"the row of sequence {sequence} cannot be sealed ({error}); expected a row as Herse writes it: look for "
            "who else wrote to the ledger, and restore a copy"
        ) from error


def gone_data(number: int, leaf: bytes, by: int) -> bytes:
    """What an export has in the place of the line of a row that is gone: its hash, and the event that told of it."""
    return f'["{GONE}",{number},"{leaf.hex()}",{by}]'.encode()


# Rows come in a few dozen shapes; each is judged once, so that the strictness costs a look-up.
@lru_cache(maxsize=4096)
def _places_of_bytes(shape: tuple[type, ...]) -> tuple[int, ...]:
    """Which values are bytes; ValueError if a type is not that of its column: bytes and their hex look the same."""
    if len(shape) != 2 + len(COLUMNS) or shape[1] is not int:
        raise ValueError(f"{len(shape) - 2} columns; expected {len(COLUMNS)} after a whole number")
    for column, found in zip(COLUMNS, shape[2:], strict=True):
        due = int if column in _WHOLE else bytes if column in _BYTES else str
        if found is not due and (found is not type(None) or column in _NEEDED):
            raise ValueError(f"column {column} holds {found.__name__}; expected {due.__name__}")
    return tuple(place for place, found in enumerate(shape) if found is bytes)
