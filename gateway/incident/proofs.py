# SPDX-License-Identifier: EUPL-1.2
"""The ledger's proofs of an incident's events, as a folder for the complaint: whoever gets it checks it with the public
key alone (`herse ledger check`), without the gateway and without its ledger.

In it are the lines of these events as they were signed (patient numbers sealed), the hashes of the rest of the tree,
and the signed checkpoint. It is checked before it is handed out. Memory grows by eight bytes for an event.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from hashlib import file_digest
from itertools import tee
from typing import TYPE_CHECKING, Final

from gateway.incident.incident import IncidentError
from gateway.ledger.batch_proof import CHECKPOINT_FILE, HASHES_FILE, LEAVES_FILE, batch_hashes
from gateway.ledger.leaf import leaf_data
from gateway.ledger.note import good_signature
from gateway.ledger.sealed_rows import leaf_numbers, sealed_tiles
from gateway.ledger.verify_batch import check_batch
from gateway.whole_file import sync

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime
    from pathlib import Path

    from gateway.ledger.event import Row
    from gateway.ledger.tree_store import Head, TreeStore
    from gateway.ledger.verify_batch import Batch

FILES: Final = (LEAVES_FILE, HASHES_FILE, CHECKPOINT_FILE)
_TOLD_EVERY: Final = 4_096


@dataclass(frozen=True, slots=True)
class Proved:
    """What a folder proves: so many events, numbered from `first` to `last`, under a checkpoint of `size` leaves.

    `unsigned`: how many more there are that came after it. `digests`: SHA-256 in hex of each file.
    """

    events: int
    first: int
    last: int
    unsigned: int
    size: int
    root: str
    signed_at: datetime
    key: str
    digests: Mapping[str, str]


def write_proofs(
    folder: Path,
    rows: Iterable[tuple[int, Row]],
    store: TreeStore,
    key: str,
    told: Callable[[int], None] | None = None,
) -> Proved:
    """Make the folder; `rows` are the events by rising number, `key` the public key of the ledger.

    IncidentError: none of them is signed yet. Wrong, TreeError: the ledger is not what was signed.
    """
    head = store.head()
    folder.mkdir(mode=0o700)
    numbers, unsigned = (
        (array("q"), 0) if head is None else _write_leaves(folder / LEAVES_FILE, rows, store, head, told)
    )
    if head is None or not numbers:
        raise IncidentError("no event of the incident is signed in the ledger yet")
    read = sealed_tiles(store, head.size)
    with (folder / HASHES_FILE).open("x", encoding="ascii", newline="") as file:
        file.writelines(f"{one.hex()}\n" for one in batch_hashes(numbers, head.size, read))
    (folder / CHECKPOINT_FILE).write_text(head.note, encoding="utf-8", newline="")
    for name in FILES:
        sync(folder / name)
    found, digests = check_folder(folder, [key]), {name: _digest(folder / name) for name in FILES}
    seen = found.checkpoint
    return Proved(
        found.events, found.first, found.last, unsigned, seen.size, seen.root.hex(), seen.at, seen.key, digests
    )


def check_folder(folder: Path, keys: Sequence[str], told: Callable[[int], None] | None = None) -> Batch:
    """What such a folder proves; Wrong if it does not. OSError, UnicodeDecodeError: a file is not there, or no text."""
    note = (folder / CHECKPOINT_FILE).read_bytes().decode()  # as it stands: no line end is another
    origin = keys[0].partition("+")[0]
    with (folder / LEAVES_FILE).open("rb") as leaves, (folder / HASHES_FILE).open("rb") as hashes:
        return check_batch(leaves, hashes, note, keys, good_signature, origin=origin, told=told)


def _write_leaves(
    path: Path, rows: Iterable[tuple[int, Row]], store: TreeStore, head: Head, told: Callable[[int], None] | None
) -> tuple[array[int], int]:
    """The numbers of the leaves written, and how many events are no leaf yet."""
    numbers, unsigned = array("q"), 0
    written, asked = tee(rows)
    found = leaf_numbers(store, head.size, (sequence for sequence, _ in asked))
    with path.open("xb") as file:
        for number, (sequence, row) in zip(found, written, strict=True):
            if number is None:
                unsigned += 1
                continue
            file.write(b"%d %b\n" % (number, leaf_data(sequence, row)))
            numbers.append(number)
            if told is not None and len(numbers) % _TOLD_EVERY == 0:
                told(len(numbers))
    return numbers, unsigned


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
