# SPDX-License-Identifier: EUPL-1.2
"""`herse ledger key | verify`: whether the ledger is what was signed.

`verify` needs the public key alone: it works on a copy, on an export, on another machine. This file reads the command
line, opens files and prints; what is judged stands in `ledger.verify`.
"""

from __future__ import annotations

import sys
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.cli.ledger_files import text_of
from gateway.cli.ledger_source import add_keys, add_source, checkpoint_of, head_of, keys_of, store_of
from gateway.cli.outcome import told
from gateway.cli.progress import Progress
from gateway.ledger.note import good_signature
from gateway.ledger.note_file import notes_in
from gateway.ledger.sealed_rows import gone_marks, sealed_rows, sealed_tiles
from gateway.ledger.verify import verify
from gateway.ledger.verify_line import from_export, from_rows
from gateway.ledger_key import signing_key
from gateway.settings import load_settings

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable

    from gateway.ledger.tree_rows import TreeRows
    from gateway.ledger.verify import Verified
    from gateway.ledger.verify_deletion import GoneReader
    from gateway.ledger.verify_line import Entry
    from gateway.ledger.verify_tiles import TileReader


def add_acts(acts: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the acts; each sets `run`."""
    key = acts.add_parser("key", help="print the public key that checkpoints are verified with")
    key.add_argument("--config", type=Path, required=True, metavar="FILE", help="the settings of the gateway")
    check = acts.add_parser(
        "verify", help="read the whole ledger, and name the first thing that is not as it was signed"
    )
    add_source(check).add_argument("--export", type=Path, metavar="FILE", help="what `herse ledger export` wrote")
    add_keys(check)
    check.add_argument(
        "--checkpoint",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="checkpoints kept outside, repeated",
    )
    for parser, act in ((key, _key), (check, _verify)):
        parser.set_defaults(run=partial(_run, act))


def _run(act: Callable[[argparse.Namespace], str], arguments: argparse.Namespace) -> int:
    return told(lambda: act(arguments))


def _key(arguments: argparse.Namespace) -> str:
    return signing_key(load_settings(arguments.config)).verifier().text()


def _verify(arguments: argparse.Namespace) -> str:
    keys = keys_of(arguments)
    kept = [note for path in arguments.checkpoint for note in notes_in(text_of(path), str(path))]
    progress = Progress(sys.stderr.isatty())
    try:
        if arguments.export is not None:
            exported = text_of(checkpoint_of(arguments.export))
            with arguments.export.open("rb") as file:
                found = _judged(from_export(file), exported, keys, kept, progress)
        else:
            with closing(store_of(arguments)) as store:
                found = judged(store, keys, kept, progress)
    finally:
        progress.end()
    return (
        f"The ledger is what was signed: {size_and_root(found)}; {found.unsealed} more "
        f"came since and are not signed yet; {found.kept} checkpoints kept outside agree."
        + (
            f" {found.deleted} rows are gone, their time being over, as {found.deletions} events of the ledger tell."
            if found.deletions
            else ""
        )
        + (f" {found.waiting} more deletions were told and not carried out." if found.waiting else "")
        + ("" if kept else " Without one (--checkpoint) a tail that was cut before it was signed anew cannot show.")
    )


def size_and_root(found: Verified) -> str:
    """What a ledger that was read through is known by."""
    newest = "never signed" if found.newest is None else f"signed {found.newest.at:%Y-%m-%d %H:%M:%S} UTC"
    return f"{found.size} events under {found.root.hex()}, {newest}"


def judged(store: TreeRows, keys: list[str], kept: list[str], progress: Progress) -> Verified:
    """What the second reader says of a ledger or a copy of one, by rows and tiles; Wrong for what is not as signed."""
    note, size = head_of(store)
    stored = sealed_tiles(store, size), gone_marks(store)
    return _judged(from_rows(sealed_rows(store, size)), note, keys, kept, progress, *stored)


def _judged(  # noqa: PLR0917  # what the second reader asks for, handed on
    entries: Iterable[Entry],
    note: str | None,
    keys: list[str],
    kept: list[str],
    progress: Progress,
    tiles: TileReader | None = None,
    gone: GoneReader | None = None,
) -> Verified:
    passed = progress.part("verify", 1.0)
    return verify(
        entries,
        note,
        keys,
        good_signature,
        origin=keys[0].partition("+")[0],
        kept=kept,
        tiles=tiles,
        gone=gone,
        progress=None if passed is None else lambda done, whole: passed(done / max(1, whole)),
    )
