# SPDX-License-Identifier: EUPL-1.2
"""Whether a ledger goes on from the newest checkpoint that was kept of it in files: an older copy that was put back
must not be written and signed on, or one name would stand for two histories (RFC 6962: a fork).

The files are the state's own, replaced every few seconds, and those checkpoints are appended to. They guard against a
restore, and against a server that lost its end; who can write to them and to the ledger is found by an auditor's own.
Never here: which files there are, what is done about a loss.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.errors import HerseError
from gateway.ledger.checkpoint import parse_checkpoint, verify_checkpoint
from gateway.ledger.note import NoteError, SigningKey
from gateway.ledger.tree import EMPTY_ROOT, TreeError, restored

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from gateway.ledger.checkpoint import Checkpoint
    from gateway.ledger.tree_store import TreeStore

TAIL_BYTES: Final = 65_536
"""How much of a file's end is looked at: some hundred checkpoints."""
_NOTE: Final = re.compile(r"(?:\A|(?<=\n))[^\n]+\n[0-9]+\n[^\n]+\nat [^\n]+\n\n(?:\u2014 [^\n]+\n)+")


class NotGoingOn(HerseError):
    """The ledger is not one that goes on from what was kept of it. The message says what to do."""


class Kept(NamedTuple):
    """A checkpoint of ours, and where it was found."""

    checkpoint: Checkpoint
    path: Path


def signer_of(store: TreeStore, key: SigningKey) -> SigningKey:
    """Our key under the name that the ledger is signed with as it lies there; the settings may name another by now."""
    head = store.head()
    try:
        return key if head is None else SigningKey(parse_checkpoint(head.note).origin, key.secret)
    except NoteError:
        return key  # what is stored is no checkpoint: the sealer says so


def newest_kept(paths: Iterable[Path], key: SigningKey) -> Kept | None:
    """The one with the most leaves among the last that this key signed in each file; None if there is none.

    What others signed, or nobody, is passed over: it must neither be believed nor keep a gateway from starting. OSError
    for a file that is there and cannot be read.
    """
    found = [Kept(one, path) for path in paths if (one := _last(_tail(path), key)) is not None]
    return max(found, key=lambda kept: kept.checkpoint.size, default=None)


def demand_going_on(store: TreeStore, kept: Kept | None) -> None:
    """NotGoingOn unless the stored tree has all that the kept checkpoint has, under the same root."""
    if kept is None:
        return
    head, (checkpoint, path) = store.head(), kept
    size, at = 0 if head is None else head.size, f"{checkpoint.at:%Y-%m-%d %H:%M:%S} UTC"
    what_next = (
        "put a newer copy back. Only if there is none, go on without what is lost, on record: herse ledger accept-loss"
    )
    if size < checkpoint.size:
        raise NotGoingOn(
            f"it has {size} signed events, and the checkpoint of {at} in {path} has {checkpoint.size}: an older copy "
            f"was put back, or its end was cut. Expected all that was signed: {what_next}"
        )
    if root_of(store, checkpoint.size) != checkpoint.root:
        raise NotGoingOn(
            f"its first {checkpoint.size} events are not those of the checkpoint of {at} in {path}: another ledger was "
            f"put back, or this one was changed. Expected the one that was signed: verify it with that file "
            f"(herse ledger verify --checkpoint), and {what_next}"
        )


def root_of(store: TreeStore, size: int) -> bytes:
    """The root over the first leaves, from the tiles; of nothing if these fall short."""

    def read(level: int, place: int) -> bytes | None:
        tile = store.tile(level, place)
        return None if tile is None else tile.hashes

    try:
        return restored(size, read).root() if size else EMPTY_ROOT
    except TreeError:
        return b""


def _tail(path: Path) -> str:
    try:
        with path.open("rb") as file:
            length = file.seek(0, os.SEEK_END)
            file.seek(max(0, length - TAIL_BYTES))
            return file.read(TAIL_BYTES).decode("utf-8", "replace")
    except FileNotFoundError:
        return ""


def _last(text: str, key: SigningKey) -> Checkpoint | None:
    for note in reversed(_NOTE.findall(text)):
        try:
            return verify_checkpoint(note, [key.verifier()], key.name)
        except NoteError:
            continue
    return None
