# SPDX-License-Identifier: EUPL-1.2
"""`herse ledger key | verify | export | prove | check`: whether the ledger is what was signed, and how others see it.

All but `key` need the public key alone: they work on a copy, on an export, on another machine. This file reads the
command line, opens files and prints; what is judged stands in `ledger.verify`.
"""

from __future__ import annotations

import sys
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gateway.cli.outcome import told
from gateway.cli.progress import Progress
from gateway.errors import HerseError, StartError
from gateway.incident.proofs import FILES, check_folder
from gateway.ledger.batch_proof import LEAVES_FILE
from gateway.ledger.checkpoint import parse_checkpoint
from gateway.ledger.leaf import leaf_data
from gateway.ledger.note import good_signature
from gateway.ledger.note_file import notes_in
from gateway.ledger.proof import Signed, make_consistency, make_inclusion
from gateway.ledger.sealed_rows import leaf_number, sealed_rows, sealed_tiles
from gateway.ledger.tree_rows import open_tree_store
from gateway.ledger.verify import verify
from gateway.ledger.verify_line import from_export, from_rows
from gateway.ledger.verify_proof import Included, check_proof
from gateway.ledger_gate import signing_key
from gateway.settings import load_settings
from gateway.whole_file import appearing

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Iterator

    from gateway.ledger.place import Place
    from gateway.ledger.tree_rows import TreeRows
    from gateway.ledger.verify import Verified
    from gateway.ledger.verify_line import Entry
    from gateway.ledger.verify_tiles import TileReader

_TOLD_EVERY: Final = 4_096
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
    what = prove.add_mutually_exclusive_group(required=True)
    what.add_argument("--event", type=int, metavar="N", help="the number of an event")
    what.add_argument("--since", type=Path, metavar="FILE", help="an older checkpoint")
    proof = acts.add_parser("check", help="check a proof, with the public key alone")
    proof.add_argument(
        "proof",
        type=Path,
        metavar="PROOF",
        help="what `herse ledger prove` wrote, or a folder of proofs for a complaint",
    )
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
    kept = [note for path in arguments.checkpoint for note in notes_in(_read(path), str(path))]
    progress = Progress(sys.stderr.isatty())
    try:
        if arguments.export is not None:
            exported = _read(_checkpoint_of(arguments.export))
            with arguments.export.open("rb") as file:
                found = _judged(from_export(file), exported, keys, kept, progress)
        else:
            with closing(_store(arguments)) as store:
                note, size = _head(store)
                tiles = sealed_tiles(store, size)
                found = _judged(from_rows(sealed_rows(store, size)), note, keys, kept, progress, tiles)
    finally:
        progress.end()
    newest = "never signed" if found.newest is None else f"signed {found.newest.at:%Y-%m-%d %H:%M:%S} UTC"
    return (
        f"The ledger is what was signed: {found.size} events under {found.root.hex()}, {newest}; {found.unsealed} more "
        f"came since and are not signed yet; {found.kept} checkpoints kept outside agree."
        + ("" if kept else " Without one (--checkpoint) a tail that was cut before it was signed anew cannot show.")
    )


def _judged(  # noqa: PLR0917  # what the second reader asks for, handed on
    entries: Iterable[Entry],
    note: str | None,
    keys: list[str],
    kept: list[str],
    progress: Progress,
    tiles: TileReader | None = None,
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
        progress=None if passed is None else lambda done, whole: passed(done / max(1, whole)),
    )


def _export(arguments: argparse.Namespace) -> str:
    out, progress = arguments.out, Progress(sys.stderr.isatty())
    with closing(_store(arguments)) as store, _made(out) as draft, _made(_checkpoint_of(out)) as draft_note:
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
                if row is None:
                    raise HerseError(f"the row of event {sequence} is missing: verify the ledger. Nothing is made.")
                file.write(leaf_data(sequence, row) + b"\n")
                if passed is not None and number % _TOLD_EVERY == 0:
                    passed(number)
        draft_note.write_text(note, encoding="utf-8")
    progress.end()
    return f"Made {out}: {size} events, one a line; and {_checkpoint_of(out)}, the checkpoint over them."


def _prove(arguments: argparse.Namespace) -> str:
    with closing(_store(arguments)) as store, _made(arguments.out) as draft:
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
            if number is None or not rows:
                raise HerseError(
                    f"event {arguments.event} is not there, or not signed yet; expected the number of an event, at "
                    "most the last one that was signed. Nothing is made."
                )
            proof = make_inclusion(number, leaf_data(*rows[0]), signed, read)
        else:
            (kept,) = notes_in(_read(arguments.since), str(arguments.since))[-1:] or [""]
            older = parse_checkpoint(kept)
            proof = make_consistency(Signed(kept, older.size, older.root), signed, read)
        draft.write_text(proof, encoding="utf-8")
    return f"Made {arguments.out}; whoever gets it checks it with: herse ledger check {arguments.out.name} --key KEY"


def _check(arguments: argparse.Namespace) -> str:
    keys = _keys(arguments)
    if arguments.proof.is_dir():
        return _check_folder(arguments.proof, keys)
    found = check_proof(_read(arguments.proof), keys, good_signature, origin=keys[0].partition("+")[0])
    if isinstance(found, Included):
        at = f"{found.checkpoint.at:%Y-%m-%d %H:%M:%S} UTC"
        told = f"Proved: event {found.sequence} is leaf {found.number} of the ledger signed at {at}."
        return f"{told}\n{found.line.decode()}"
    return (
        f"Proved: the ledger of {found.checkpoint.size} leaves goes on from the older checkpoint of {found.older.size}."
    )


def _check_folder(folder: Path, keys: list[str]) -> str:
    """A folder of `herse incident notify`."""
    try:
        found = check_folder(folder, keys)
    except (OSError, UnicodeDecodeError) as error:
        raise StartError(
            f"{folder} cannot be read ({error}); expected the folder that herse incident notify made, with "
            f"{', '.join(FILES)}"
        ) from None
    return (
        f"Proved: {found.events:,} events, from number {found.first} to {found.last}, are leaves of the ledger of "
        f"{found.checkpoint.size:,} signed at {found.checkpoint.at:%Y-%m-%d %H:%M:%S} UTC, as {LEAVES_FILE} has them."
    )


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
    return [line for line in _read(path).splitlines() if line.strip()]


def _store(arguments: argparse.Namespace) -> TreeRows:
    place: Place = arguments.file if arguments.file is not None else load_settings(arguments.config).ledger_place()
    if isinstance(place, Path) and not place.is_file():
        raise StartError(f"no ledger at {place}; expected the file ledger.db of a gateway, or a copy of it")
    return open_tree_store(place, writes=False)


def _head(store: TreeRows) -> tuple[str | None, int]:
    head = store.head()
    return (None, 0) if head is None else (head.note, head.size)


def _checkpoint_of(export: Path) -> Path:
    return export.with_name(export.name + CHECKPOINT_SUFFIX)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        found = error.strerror if isinstance(error, OSError) else "bytes that are not UTF-8"
        raise StartError(f"{path} cannot be read ({found}); expected a text file of the ledger's") from None


@contextmanager
def _made(path: Path) -> Iterator[Path]:
    """A new file, whole or not at all."""
    try:
        with appearing(path) as draft:
            yield draft
    except FileExistsError:
        raise StartError(f"{path} exists already; expected a new name: nothing is written over") from None
    except OSError as error:
        raise StartError(f"{path}: {error.strerror}; expected a place this user may write to, with room") from None
