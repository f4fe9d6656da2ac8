# SPDX-License-Identifier: EUPL-1.2
"""What the second reader says when a ledger is not what was signed: one finding of a closed list, and where. Pure."""

from __future__ import annotations

from enum import StrEnum

from gateway.errors import HerseError


class Finding(StrEnum):
    """What is wrong, by its name in reports."""

    CHANGED = "changed"
    MISSING = "missing"
    DOUBLED = "doubled"
    REORDERED = "reordered"
    INSERTED = "inserted"
    TAIL_CUT = "tail-cut"
    REGROWN = "regrown"
    OLDER_COPY = "older-copy"
    FOREIGN_KEY = "foreign-key"
    BAD_SIGNATURE = "bad-signature"
    OTHER_ORIGIN = "other-origin"
    UNKNOWN_VERSION = "unknown-version"
    TRAILING_BYTES = "trailing-bytes"
    MALFORMED = "malformed"
    TILE = "tile"
    CHECKPOINT = "checkpoint"
    DELETION = "deletion"
    PROOF = "proof"


class Wrong(HerseError):
    """The first thing that is wrong. The message says which leaf and sequence, what was found, and what was due."""

    def __init__(
        self, finding: Finding, message: str, *, number: int | None = None, sequence: int | None = None
    ) -> None:
        place = "" if number is None else f"leaf {number}"
        if sequence is not None:
            place = f"{place} (sequence {sequence})" if place else f"sequence {sequence}"
        super().__init__(f"{place}: {message}" if place else message)
        self.finding = finding
        self.number = number
        self.sequence = sequence
