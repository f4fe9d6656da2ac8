# SPDX-License-Identifier: EUPL-1.2
"""`herse ledger key | verify | export | prove | check`: whether the ledger is what was signed, and how others see it.

All but `key` need the public key alone: they work on a copy, on an export, on another machine. This file reads the
command line, opens files and prints; what is judged stands in `ledger.verify`.
"""

from __future__ import annotations

import sys
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gateway.cli.ledger_files import made, text_of
from gateway.cli.on_record import demand_copy, on_record
from gateway.cli.outcome import told
from gateway.cli.progress import Progress
from gateway.errors import HerseError, StartError
from gateway.ledger.checkpoint import parse_checkpoint
from gateway.ledger.event import COLUMNS
from gateway.ledger.leaf import gone_data, leaf_data
from gateway.ledger.note import good_signature
from gateway.ledger.note_file import notes_in
from gateway.ledger.proof import Signed, make_consistency, make_inclusion
from gateway.ledger.sealed_rows import gone_leaf, gone_marks, leaf_number, sealed_rows, sealed_tiles
from gateway.ledger.verify import verify
from gateway.ledger.verify_line import from_export, from_rows
from gateway.ledger.verify_proof import Included, check_proof
from gateway.ledger_key import signing_key
from gateway.settings import load_settings

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable

    from gateway.ledger.event import Row
    from gateway.ledger.place import Place
    from gateway.ledger.tree_rows import TreeRows
    from gateway.ledger.verify import Verified
    from gateway.ledger.verify_deletion import GoneReader
    from gateway.ledger.verify_line import Entry
    from gateway.ledger.verify_tiles import TileReader

_TOLD_EVERY: Final = 4_096
_ACCOUNT: Final = COLUMNS.index("account")
CHECKPOINT_SUFFIX: Final = ".checkpoint"
"""Beside an export lies the checkpoint it ends with."""


def add_acts(acts: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the acts; each sets `run`."""
    key = acts.add_parser("key", help="print the public key that checkpoints are verified with")
    key.add_argument("--config", type=Path, required=True, metavar="FILE", help="the settings of the gateway")
    check = acts.add_parser(
        "verify", help="read the whole ledger, and name the first thing that is not as it was signed"
    )
    _add_source(check).add_argument("--export", type=Path, metavar="FILE", help="what `herse ledger export` wrote")
    _add_keys(check)
    check.add_argument(
        "--checkpoint",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="checkpoints kept outside, repeated",
    )
    export = acts.add_parser("export", help="write the leaves, one a line, and the checkpoint over them")
    prove = acts.add_parser("prove", help="prove one event, or that the ledger goes on from an older checkpoint")
    for one in (export, prove):
        _add_source(one)
        one.add_argument("--out", type=Path, required=True, metavar="FILE", help="a new file")
        one.add_argument("--reason", help="with --config: kept with the event that tells who asked")
    what = prove.add_mutually_exclusive_group(required=True)
    what.add_argument("--event", type=int, metavar="N", help="the number of an event")
    what.add_argument("--since", type=Path, metavar="FILE", help="an older checkpoint")
    proof = acts.add_parser("check", help="check a proof, with the public key alone")
    proof.add_argument("proof", type=Path, metavar="PROOF", help="what `herse ledger prove` wrote")
    _add_keys(proof)
    for parser, act in ((key, _key), (check, _verify), (export, _export), (prove, _prove), (proof, _check)):
        parser.set_defaults(run=partial(_run, act))


def _run(act: Callable[[argparse.Namespace], str], arguments: argparse.Namespace) -> int:
    return told(lambda: act(arguments))


def _add_source(parser: argparse.ArgumentParser) -> argparse._MutuallyExclusiveGroup:
    where = parser.add_mutually_exclusive_group(required=True)
    where.add_argument("--config", type=Path, metavar="FILE", help="the settings of the gateway")
    where.add_argument("--file", type=Path, metavar="FILE", help="a copy of ledger.db")
    parser.set_defaults(export=None)
    return where


def _add_keys(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--key",
        action="append",
        default=[],
        metavar="KEY",
        help="public key, or a file with it, repeated after a change",
    )


def _key(arguments: argparse.Namespace) -> str:
    return signing_key(load_settings(arguments.config)).verifier().text()


def _verify(arguments: argparse.Namespace) -> str:
    keys = _keys(arguments)
    kept = [note for path in arguments.checkpoint for note in notes_in(text_of(path), str(path))]
    progress = Progress(sys.stderr.isatty())
    try:
        if arguments.export is not None:
            exported = text_of(_checkpoint_of(arguments.export))
            with arguments.export.open("rb") as file:
                found = _judged(from_export(file), exported, keys, kept, progress)
        else:
            with closing(_store(arguments)) as store:
                found = judged(store, keys, kept, progress)
    finally:
        progress.end()
    newest = "never signed" if found.newest is None else f"signed {found.newest.at:%Y-%m-%d %H:%M:%S} UTC"
    return (
        f"The ledger is what was signed: {found.size} events under {found.root.hex()}, {newest}; {found.unsealed} more "
        f"came since and are not signed yet; {found.kept} checkpoints kept outside agree."
        + (
            f" {found.deleted} rows are gone, their time being over, as {found.deletions} events of the ledger tell."
            if found.deletions
            else ""
        )
        + (f" {found.waiting} more deletions were told and not carried out." if found.waiting else "")
        + ("" if kept else " Without one (--checkpoint) a tail that was cut before it was signed anew cannot show.")
    )


def judged(store: TreeRows, keys: list[str], kept: list[str], progress: Progress) -> Verified:
    """What the second reader says of a ledger or a copy of one, by rows and tiles; Wrong for what is not as signed."""
    note, size = _head(store)
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


def _export(arguments: argparse.Namespace) -> str:
    out, progress = arguments.out, Progress(sys.stderr.isatty())
    _on_record(arguments, "export of the whole ledger")
    with closing(_store(arguments)) as store, made(out) as draft, made(_checkpoint_of(out)) as draft_note:
        note, size = _head(store)
        if note is None:
            raise HerseError(
                "nothing was signed yet; expected a ledger that a gateway has served with. Nothing is made."
            )
        passed = progress.part("export", max(1, size))
        with draft.open("wb") as file:
            for number, sequence, row in sealed_rows(store, size):
                if number is None:
                    continue
                file.write(_line(store, number, sequence, row) + b"\n")
                if passed is not None and number % _TOLD_EVERY == 0:
                    passed(number)
        draft_note.write_text(note, encoding="utf-8")
    progress.end()
    return f"Made {out}: {size} events, one a line; and {_checkpoint_of(out)}, the checkpoint over them."


def _line(store: TreeRows, number: int, sequence: int, row: Row | None) -> bytes:
    if row is not None:
        return leaf_data(sequence, row)
    gone = gone_leaf(store, number)
    if gone is None:
        raise HerseError(f"the row of event {sequence} is missing: verify the ledger. Nothing is made.")
    return gone_data(number, *gone)


def _prove(arguments: argparse.Namespace) -> str:
    with closing(_store(arguments)) as store, made(arguments.out) as draft:
        note, size = _head(store)
        if note is None:
            raise HerseError(
                "nothing was signed yet; expected a ledger that a gateway has served with. Nothing is made."
            )
        newest, read = parse_checkpoint(note), sealed_tiles(store, size)
        signed = Signed(note, newest.size, newest.root)
        if arguments.event is not None:
            number = leaf_number(store, size, arguments.event)
            rows = store.rows(arguments.event - 1, arguments.event, 1, 0)
            gone = None if number is None else gone_leaf(store, number)
            if gone is not None:
                raise HerseError(
                    f"event {arguments.event} was deleted when its time was over, as event {gone[1]} tells; expected "
                    "one that is there: prove that one. Nothing is made."
                )
            if number is None or not rows:
                raise HerseError(
                    f"event {arguments.event} is not there, or not signed yet; expected the number of an event, at "
                    "most the last one that was signed. Nothing is made."
                )
            _on_record(arguments, f"proof of event {arguments.event}", str(rows[0][1][_ACCOUNT]))
            proof = make_inclusion(number, leaf_data(*rows[0]), signed, read)
        else:
            (kept,) = notes_in(text_of(arguments.since), str(arguments.since))[-1:] or [""]
            older = parse_checkpoint(kept)
            proof = make_consistency(Signed(kept, older.size, older.root), signed, read)
        draft.write_text(proof, encoding="utf-8")
    return f"Made {arguments.out}; whoever gets it checks it with: herse ledger check {arguments.out.name} --key KEY"


def _check(arguments: argparse.Namespace) -> str:
    keys = _keys(arguments)
    found = check_proof(text_of(arguments.proof), keys, good_signature, origin=keys[0].partition("+")[0])
    if isinstance(found, Included):
        at = f"{found.checkpoint.at:%Y-%m-%d %H:%M:%S} UTC"
        told = f"Proved: event {found.sequence} is leaf {found.number} of the ledger signed at {at}."
        return f"{told}\n{found.line.decode()}"
    return (
        f"Proved: the ledger of {found.checkpoint.size} leaves goes on from the older checkpoint of {found.older.size}."
    )


def _on_record(arguments: argparse.Namespace, what: str, owner: str = "") -> None:
    """A gateway's own ledger is asked on record; a copy of one, where no gateway is, without."""
    if (arguments.reason is None) == (arguments.config is not None):
        raise StartError(
            "--reason goes with --config, and not with --file: what shows events of a gateway's ledger is on record"
        )
    if arguments.config is None:
        demand_copy(arguments.file)
    else:
        on_record(load_settings(arguments.config), what, arguments.reason, owners=[owner] if owner else [])


def _keys(arguments: argparse.Namespace) -> list[str]:
    """The public keys that were given; without one, that of the gateway whose settings were."""
    found = [line for key in arguments.key for line in _key_lines(key)]
    if found:
        return found
    config = getattr(arguments, "config", None)
    if config is None:
        raise StartError("no --key; expected the public key that `herse ledger key` prints on the gateway")
    return [signing_key(load_settings(config)).verifier().text()]


def _key_lines(text: str) -> list[str]:
    path = Path(text)
    if "+" in text and not path.exists():
        return [text]
    return [line for line in text_of(path).splitlines() if line.strip()]


def _store(arguments: argparse.Namespace) -> TreeRows:
    place: Place = arguments.file if arguments.file is not None else load_settings(arguments.config).ledger_place()
    if isinstance(place, Path) and not place.is_file():
        raise StartError(f"no ledger at {place}; expected the file ledger.db of a gateway, or a copy of it")
    from gateway.ledger.tree_rows import open_tree_store  # noqa: PLC0415  # its databases, where one is asked for

    return open_tree_store(place, writes=False)


def _head(store: TreeRows) -> tuple[str | None, int]:
    head = store.head()
    return (None, 0) if head is None else (head.note, head.size)


def _checkpoint_of(export: Path) -> Path:
    return export.with_name(export.name + CHECKPOINT_SUFFIX)
