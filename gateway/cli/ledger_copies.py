# SPDX-License-Identifier: EUPL-1.2
"""`herse ledger backup | accept-loss`: a verified copy of the ledger's file while the gateway writes, and the way on
after an older copy had to be put back.

A backup shows nobody, and saves what a failing disk still has: it is put on record where it can be, and made anyway.
"""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.cli.ledger_check import judged, size_and_root
from gateway.cli.ledger_files import made
from gateway.cli.on_record import on_record
from gateway.cli.outcome import told
from gateway.cli.progress import Progress
from gateway.console.asker import asked_by, unix_user
from gateway.console.record import signed
from gateway.errors import HerseError, StartError
from gateway.identity.identifiers import parse_label
from gateway.ledger.copy import copy_ledger
from gateway.ledger.lock import hold
from gateway.ledger.loss import lost, rename
from gateway.ledger.store import open_ledger_at
from gateway.ledger.tree_rows import open_tree_store
from gateway.ledger.wrong import Wrong
from gateway.ledger_gate import kept_files
from gateway.ledger_key import signing_key
from gateway.model import Event, EventKind
from gateway.settings import load_settings

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from gateway.ledger.verify import Verified
    from gateway.settings import Settings


def add_acts(acts: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the acts; each sets `run`."""
    backup = acts.add_parser("backup", help="copy the ledger's file while the gateway writes, and verify the copy")
    backup.add_argument("to", type=Path, metavar="TO", help="a new file")
    backup.add_argument("--reason", default="backup", help="kept with the event (default: backup)")
    loss = acts.add_parser("accept-loss", help="go on with an older copy, under another name, its end being lost")
    loss.add_argument("--reason", required=True, help="kept with the event")
    for parser, act in ((backup, _backup), (loss, _accept_loss)):
        parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="the settings of the gateway")
        parser.set_defaults(run=partial(_run, act))


def _run(act: Callable[[argparse.Namespace], str], arguments: argparse.Namespace) -> int:
    return told(lambda: act(arguments))


def _backup(arguments: argparse.Namespace) -> str:
    settings = load_settings(arguments.config)
    place, to = settings.ledger_place(), arguments.to
    if not isinstance(place, Path):
        raise StartError(
            f"the ledger is {place}; expected one in a file: copy a database with pg_dump, as the README's Backup says"
        )
    if not place.is_file():
        raise StartError(f"no ledger at {place}; expected the file ledger.db of a gateway: check state.folder")
    if os.path.lexists(to):
        raise StartError(f"{to} exists already; expected a new name: nothing is written over")
    unrecorded = _recorded(settings, arguments.reason)
    progress = Progress(sys.stderr.isatty())
    progress.parts = 2
    try:
        with made(to) as draft:
            copy_ledger(place, draft, progress.part("copying", 1.0))
            found = _verified(settings, draft, progress)
    finally:
        progress.end()
    return (
        f"Made {to}: {size_and_root(found)}, and {found.unsealed} that came since. The copy was read through: it is "
        f"what was signed.{unrecorded}"
    )


def _recorded(settings: Settings, reason: str) -> str:
    """Nothing, or that the making of the copy could not be put on record."""
    parse_label(reason, "reason")
    try:
        on_record(settings, "copy of the whole ledger", reason)
    except HerseError as error:
        return f"\nIts making is not on record: {error}"
    return ""


def _verified(settings: Settings, draft: Path, progress: Progress) -> Verified:
    with closing(open_tree_store(draft, writes=False)) as store:
        try:
            return judged(store, [signing_key(settings).verifier().text()], [], progress)
        except Wrong as error:
            raise HerseError(
                f"the copy is not what was signed ({error}); the ledger itself may not be, either: verify it. Nothing "
                "is made."
            ) from error


def _accept_loss(arguments: argparse.Namespace) -> str:
    settings = load_settings(arguments.config)
    why, at, key = parse_label(arguments.reason, "reason"), datetime.now(UTC), signing_key(settings)
    with ExitStack() as stack:
        stack.enter_context(closing(hold(settings.state.folder)))
        ledger = stack.enter_context(closing(open_ledger_at(settings.ledger_place())))
        store = stack.enter_context(closing(open_tree_store(settings.ledger_place())))
        there, kept = lost(store, key, kept_files(settings))
        gone = kept.checkpoint
        details = (
            f"{there.origin} had {gone.size} signed events at {gone.at:%Y-%m-%dT%H:%M:%SZ} under {gone.root.hex()}; "
            f"{there.size} are left; goes on as {key.name}"
        )
        with asked_by(unix_user(os.getpid(), os.geteuid())):
            event = signed(Event(EventKind.LEDGER_RESTORED, "", at, reason=why, details=details))
        ledger.append_now([event])
        after = rename(store, key, at)
    return (
        f"{there.origin} ends: of {gone.size} signed events {there.size} are left, and go on as {after.origin}. That "
        "is on record in it.\nHand out its public key (herse ledger key), keep the old checkpoints and the copy that "
        "was put back, and start the gateway."
    )
