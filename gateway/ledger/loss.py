# SPDX-License-Identifier: EUPL-1.2
"""Going on with a ledger whose end is lost: under another name, for the old one has signed another history.

What is there stays under its tree, and the tree grows on; but checkpoints of the old name and of the new are those of
two ledgers, so that nobody is ever shown two histories under one (faults L3). Never here: whether the loss is accepted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.ledger.checkpoint import Checkpoint, sign_checkpoint, verify_checkpoint
from gateway.ledger.kept import NotGoingOn, demand_going_on, newest_kept, root_of, signer_of
from gateway.ledger.tree_store import Head

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from pathlib import Path

    from gateway.ledger.kept import Kept
    from gateway.ledger.note import SigningKey
    from gateway.ledger.tree_store import TreeStore


def lost(store: TreeStore, key: SigningKey, files: Iterable[Path]) -> tuple[Checkpoint, Kept]:
    """What there is, and what was kept of more; NotGoingOn where nothing is lost, or where the new name is the old."""
    head = store.head()
    if head is None:
        raise NotGoingOn("nothing in this ledger is signed; expected a copy of one that a gateway has served with")
    old = signer_of(store, key)
    there = verify_checkpoint(head.note, [old.verifier()], old.name)
    kept = newest_kept(files, old)
    try:
        demand_going_on(store, kept)
    except NotGoingOn:
        pass
    else:
        raise NotGoingOn(
            f"nothing is lost of {old.name}: it has {there.size} signed events, and all that any kept checkpoint has. "
            "Nothing is changed; leave ledger.origin as it was, and start the gateway"
        )
    if kept is None or root_of(store, there.size) != there.root:
        raise NotGoingOn("the tree is not the one that was signed: verify the ledger, and put back a sound copy")
    if old.name == key.name:
        raise NotGoingOn(
            f"the ledger would go on under the name {key.name}, which has signed what is lost; expected another: set "
            f'origin in [ledger] of the settings, such as "{key.name}-2", then do this again'
        )
    return there, kept


def rename(store: TreeStore, key: SigningKey, at: datetime) -> Checkpoint:
    """Sign what is there under the new name, and no more of it."""
    head = store.head()
    if head is None:
        raise NotGoingOn("nothing in this ledger is signed; expected what was there a moment ago")
    checkpoint = Checkpoint(key.name, head.size, root_of(store, head.size), at)
    store.grow(head, (), Head(head.size, head.last_sequence, at, sign_checkpoint(checkpoint, key)))
    return checkpoint
