# SPDX-License-Identifier: EUPL-1.2
"""What the gateway signs of its ledger: how many leaves, under which root, and when (C2SP tlog-checkpoint).

    portail.example/ledger                          the origin: which ledger, also the name of the key
    20852163                                        how many leaves
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=    the root over them
    at 2026-11-23T14:00:00.000000Z                  one extension line: when it was signed

    — portail.example/ledger Az3grlgt…

An auditor keeps these outside the gateway's reach; nothing below one can be changed or cut unseen. Only what would be
printed again is parsed. Never here: when one is due and where it goes, keys and signatures (note).
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from gateway.ledger.note import NoteError, parse_note, verify_note
from gateway.ledger.tree import HASH_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gateway.ledger.note import SigningKey, VerifierKey

SIZE_AT_MOST: Final = (1 << 63) - 1
_TEXT: Final = re.compile(
    r"([^\n]+)\n([0-9]{1,19})\n([A-Za-z0-9+/]{43}=)\n"
    r"at ([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z)\n"
)


class CheckpointError(NoteError):
    """A note that is no checkpoint of this ledger."""


class OriginError(CheckpointError):
    """A checkpoint of another ledger."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The first `size` leaves of the ledger `origin` had this root at `at`."""

    origin: str
    size: int
    root: bytes
    at: datetime

    def text(self) -> str:
        """What is signed; ValueError for a time that is not UTC, or a root that is no hash."""
        if self.at.tzinfo is not UTC or len(self.root) != HASH_BYTES or not 0 <= self.size <= SIZE_AT_MOST:
            raise ValueError(f"no checkpoint: {self.size} leaves, root {self.root.hex()}, at {self.at}")
        at = self.at.replace(tzinfo=None).isoformat(timespec="microseconds")
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\nat {at}Z\n"


def sign_checkpoint(checkpoint: Checkpoint, key: SigningKey) -> str:
    """The note to store and send. The key bears the origin's name: CheckpointError if it does not."""
    if checkpoint.origin != key.name:
        raise CheckpointError(
            f"the key {key.name} was to sign for {checkpoint.origin}; expected the key of that name: two ledgers never "
            "share one"
        )
    return key.sign(checkpoint.text())


def parse_checkpoint(note: str) -> Checkpoint:
    """What a note says; nobody has looked at its signatures."""
    return _read(parse_note(note)[0])


def verify_checkpoint(note: str, keys: Iterable[VerifierKey], origin: str) -> Checkpoint:
    """What a note says, once one of the keys has signed it and it is of this ledger."""
    checkpoint = _read(verify_note(note, keys))
    if checkpoint.origin != origin:
        raise OriginError(
            f"the checkpoint is of {checkpoint.origin!r}; expected {origin!r}: it belongs to another ledger"
        )
    return checkpoint


def _read(text: str) -> Checkpoint:
    found = _TEXT.fullmatch(text)
    if found is not None:
        origin, size, root, at = found.groups()
        try:
            made = Checkpoint(origin, int(size), b64decode(root, validate=True), datetime.fromisoformat(at))
            if made.text() == text:
                return made
        except ValueError:
            pass  # a day that does not exist, or more leaves than can be: told below
    raise CheckpointError(
        f"{text[:200]!r} is signed, but no checkpoint; expected four lines: origin, size, root, and when it was signed"
    )
