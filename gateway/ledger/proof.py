# SPDX-License-Identifier: EUPL-1.2
"""A proof as a text that can be sent: JSON that holds all that is needed but the public key. Pure.

    {"format": "herse-inclusion/1", "number": 12, "line": the leaf's line, "path": [base64, …], "checkpoint": the note}
    {"format": "herse-consistency/1", "older": a note, "path": [base64, …], "checkpoint": the newer note}

`path` is that of RFC 9162, lowest hash first. Each is checked before it is handed out. Never here: its check by who
gets it (verify_proof), signatures.
"""

from __future__ import annotations

import json
from base64 import b64encode
from typing import TYPE_CHECKING, NamedTuple

from gateway.ledger.tree import leaf_hash
from gateway.ledger.tree_proof import consistency_proof, inclusion_proof, verify_consistency, verify_inclusion

if TYPE_CHECKING:
    from gateway.ledger.tree import Reader


class Signed(NamedTuple):
    """A signed checkpoint, and what it says of the tree (`checkpoint.parse_checkpoint` tells)."""

    note: str
    size: int
    root: bytes


def make_inclusion(number: int, line: bytes, signed: Signed, read: Reader) -> str:
    """The proof that a line is a leaf under a checkpoint; ProofError or TreeError if the tiles do not say so."""
    path = inclusion_proof(number, signed.size, read)
    verify_inclusion(number, signed.size, leaf_hash(line), path, signed.root)
    return _text(
        {
            "format": "herse-inclusion/1",
            "number": number,
            "line": line.decode(),
            "path": [b64encode(one).decode() for one in path],
            "checkpoint": signed.note,
        }
    )


def make_consistency(older: Signed, signed: Signed, read: Reader) -> str:
    """The proof that a checkpoint's tree begins with an older one's; ProofError or TreeError if it does not."""
    path = consistency_proof(older.size, signed.size, read)
    verify_consistency(older.size, signed.size, older.root, signed.root, path)
    return _text(
        {
            "format": "herse-consistency/1",
            "older": older.note,
            "path": [b64encode(one).decode() for one in path],
            "checkpoint": signed.note,
        }
    )


def _text(members: dict[str, object]) -> str:
    return json.dumps(members, ensure_ascii=False, indent=2) + "\n"
