# SPDX-License-Identifier: EUPL-1.2
"""The second reader's check of a proof that somebody was sent (the form is told in proof). Pure.

Who has the gateway's public key needs nothing else: neither the ledger nor the gateway.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from gateway.ledger.verify_line import read_line
from gateway.ledger.verify_note import read_checkpoint, read_key
from gateway.ledger.verify_tree import NOTHING, consistent, included, of_line
from gateway.ledger.wrong import Finding, Wrong

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gateway.ledger.verify_note import Fits, Key, Seen

PROOF_CHARACTERS_AT_MOST: Final = 4 << 20
_INCLUSION: Final = {"format": str, "number": int, "line": str, "path": list, "checkpoint": str}
_CONSISTENCY: Final = {"format": str, "older": str, "path": list, "checkpoint": str}
_HASH: Final = re.compile(r"[A-Za-z0-9+/]{43}=")
_HASHES_AT_MOST: Final = 128


@dataclass(frozen=True, slots=True)
class Included:
    """This line is leaf `number` of the ledger as it was signed."""

    number: int
    sequence: int
    line: bytes
    checkpoint: Seen


@dataclass(frozen=True, slots=True)
class Consistent:
    """The ledger of the newer checkpoint begins with that of the older one, unchanged."""

    older: Seen
    checkpoint: Seen


def check_proof(text: str, keys: Sequence[str], fits: Fits, *, origin: str) -> Included | Consistent:
    """What a proof proves; Wrong if it does not."""
    found, known = _parsed(text), [read_key(key) for key in keys]
    checkpoint = read_checkpoint(found["checkpoint"], "the proof's checkpoint", known, fits, origin)
    path = [_hash(one) for one in found["path"]]
    if "older" in found:
        return _consistent(found["older"], checkpoint, path, known, fits)
    entry = read_line(found["line"].encode("utf-8", "surrogatepass"), found["number"])
    if entry.line is None or entry.sequence is None:
        raise Wrong(Finding.PROOF, "the proof is of a deleted row; expected the line of an event")
    root = included(found["number"], checkpoint.size, of_line(entry.line), path)
    if root != checkpoint.root:
        raise Wrong(
            Finding.PROOF,
            f"the proof leads to {root.hex()}; expected {checkpoint.root.hex()}, which was signed: the line, its place "
            "or the path was changed",
            number=found["number"],
            sequence=entry.sequence,
        )
    return Included(found["number"], entry.sequence, entry.line, checkpoint)


def _consistent(note: str, checkpoint: Seen, path: list[bytes], keys: Sequence[Key], fits: Fits) -> Consistent:
    older = read_checkpoint(note, "the proof's older checkpoint", keys, fits, checkpoint.origin)
    if older.size or path:
        then, now = consistent(older.size, checkpoint.size, older.root, path)
    else:
        then, now = NOTHING, checkpoint.root  # every ledger begins with nothing
    if (then, now) != (older.root, checkpoint.root):
        raise Wrong(
            Finding.PROOF,
            f"the proof gives the roots {then.hex()} and {now.hex()}; expected {older.root.hex()} and "
            f"{checkpoint.root.hex()}, which were signed: the ledger was rewritten in between, or the path was changed",
        )
    return Consistent(older, checkpoint)


def _parsed(text: str) -> dict[str, Any]:
    """The members of a proof; Wrong unless they are exactly those of its format."""
    try:
        found = json.loads(text[:PROOF_CHARACTERS_AT_MOST], object_pairs_hook=_once)
    except (ValueError, RecursionError):
        found = None
    due = {"herse-inclusion/1": _INCLUSION, "herse-consistency/1": _CONSISTENCY}
    form = due.get(str(found.get("format"))) if isinstance(found, dict) else None
    if form is None or {name: type(value) for name, value in found.items()} != form:
        raise Wrong(
            Finding.MALFORMED,
            f"{text[:120]!r}… is no proof; expected one JSON object of the format herse-inclusion/1 or "
            "herse-consistency/1, and nothing after it",
        )
    if len(found["path"]) > _HASHES_AT_MOST:
        raise Wrong(Finding.PROOF, f"a path of {len(found['path'])} hashes; expected at most {_HASHES_AT_MOST}")
    return dict(found)


def _once(members: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(members)
    if len(found) != len(members):
        raise ValueError("a member comes twice")
    return found


def _hash(text: object) -> bytes:
    if isinstance(text, str) and _HASH.fullmatch(text):
        return b64decode(text)
    raise Wrong(Finding.MALFORMED, f"{str(text)[:60]!r} is no hash of a path; expected 44 characters of base64")
