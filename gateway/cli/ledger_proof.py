# SPDX-License-Identifier: EUPL-1.2
"""`herse ledger export | prove | check`: how others, who need not trust the gateway, see the ledger or a part of it.

What shows events of a gateway's own ledger is on record first; `check` needs the public key alone. This file reads the
command line, opens files and prints; proofs stand in `ledger.proof`, what is judged in `ledger.verify_proof`.
"""

from __future__ import annotations

import sys
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gateway.cli.ledger_files import made, text_of
from gateway.cli.ledger_source import add_keys, add_source, checkpoint_of, head_of, keys_of, store_of
from gateway.cli.on_record import gateway_asked, on_record
from gateway.cli.outcome import told
from gateway.cli.progress import Progress
from gateway.errors import HerseError, StartError
from gateway.incident.proofs import FILES, check_folder
from gateway.ledger.batch_proof import LEAVES_FILE
from gateway.ledger.checkpoint import parse_checkpoint
from gateway.ledger.event import COLUMNS
from gateway.ledger.leaf import gone_data, leaf_data
from gateway.ledger.note import good_signature
from gateway.ledger.note_file import notes_in
from gateway.ledger.proof import Signed, make_consistency, make_inclusion
from gateway.ledger.sealed_rows import gone_leaf, leaf_number, sealed_rows, sealed_tiles
from gateway.ledger.verify_proof import Included, check_proof

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from gateway.ledger.event import Row
    from gateway.ledger.tree_rows import TreeRows

_TOLD_EVERY: Final = 4_096
_ACCOUNT: Final = COLUMNS.index("account")


def add_acts(acts: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the acts; each sets `run`."""
    export = acts.add_parser("export", help="write the leaves, one a line, and the checkpoint over them")
    prove = acts.add_parser("prove", help="prove one event, or that the ledger goes on from an older checkpoint")
    for one in (export, prove):
        add_source(one)
        one.add_argument("--out", type=Path, required=True, metavar="FILE", help="a new file")
        one.add_argument("--reason", help="with --config: kept with the event that tells who asked")
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
    add_keys(proof)
    for parser, act in ((export, _export), (prove, _prove), (proof, _check)):
        parser.set_defaults(run=partial(_run, act))


def _run(act: Callable[[argparse.Namespace], str], arguments: argparse.Namespace) -> int:
    return told(lambda: act(arguments))


def _export(arguments: argparse.Namespace) -> str:
    out, progress = arguments.out, Progress(sys.stderr.isatty())
    _on_record(arguments, "export of the whole ledger")
    with closing(store_of(arguments)) as store, made(out) as draft, made(checkpoint_of(out)) as draft_note:
        note, size = head_of(store)
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
    return f"Made {out}: {size} events, one a line; and {checkpoint_of(out)}, the checkpoint over them."


def _line(store: TreeRows, number: int, sequence: int, row: Row | None) -> bytes:
    if row is not None:
        return leaf_data(sequence, row)
    gone = gone_leaf(store, number)
    if gone is None:
        raise HerseError(f"the row of event {sequence} is missing: verify the ledger. Nothing is made.")
    return gone_data(number, *gone)


def _prove(arguments: argparse.Namespace) -> str:
    with closing(store_of(arguments)) as store, made(arguments.out) as draft:
        note, size = head_of(store)
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
    keys = keys_of(arguments)
    if arguments.proof.is_dir():
        return _check_folder(arguments.proof, keys)
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
    settings = gateway_asked(arguments)
    if settings is not None:
        on_record(settings, what, arguments.reason, owners=[owner] if owner else [])


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
