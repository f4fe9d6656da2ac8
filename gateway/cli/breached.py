# SPDX-License-Identifier: EUPL-1.2
"""`herse account breached import | status`: the local list of breached passwords. It works on the state folder's file
alone, which a running server takes up by itself; no account is touched.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.cli.outcome import told
from gateway.errors import StartError
from gateway.identity.breached import BREACHED_FILE, Breached
from gateway.identity.breached_import import import_breached
from gateway.identity.common_passwords import COMMON
from gateway.settings import load_settings

if TYPE_CHECKING:
    import argparse

_BAR = 40
_TABLE_BITS = 48  # of each hash that are compared


def add_parser(acts: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `breached` and its two acts; each sets `run`."""
    parser = acts.add_parser("breached", help="the list of breached passwords that nobody may use")
    own = parser.add_subparsers(dest="list_act", required=True, metavar="ACT")
    take = own.add_parser("import", help="take a public list in place of the one before")
    take.add_argument("file", type=Path, metavar="FILE", help="lines SHA1HEX:count, sorted or not, any size")
    take.set_defaults(run=take_list)
    status = own.add_parser("status", help="how many passwords are known, since when")
    status.set_defaults(run=show_status)
    for one in (take, status):
        one.add_argument("--config", type=Path, required=True, metavar="FILE", help="the settings of the gateway")


def take_list(arguments: argparse.Namespace) -> int:
    """Import. 0: in force; 1: refused, and the list before stands; 2: settings or state not usable."""
    return told(lambda: _take(arguments.config, arguments.file))


def show_status(arguments: argparse.Namespace) -> int:
    """What is in force. 0, or 2 if it cannot be read."""
    return told(lambda: _status(_folder(arguments.config)))


def _folder(config: Path) -> Path:
    folder = load_settings(config).state.folder
    if not folder.is_dir():
        raise StartError(f"no state folder at {folder}; expected the one of the gateway. Check state.folder.")
    return folder


def _take(config: Path, file: Path) -> str:
    folder = _folder(config)
    bar = _bar if sys.stderr.isatty() else _silent
    entries = import_breached(file, folder / BREACHED_FILE, datetime.now(UTC), bar)
    bar(1.0)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    return f"{entries:,} breached passwords are in force.\n{_status(folder)}"


def _bar(share: float) -> None:
    done = int(share * _BAR)
    print(f"\r[{'#' * done}{'.' * (_BAR - done)}] {share:4.0%}", end="", file=sys.stderr, flush=True)


def _silent(share: float) -> None:
    """Nobody watches."""


def _status(folder: Path) -> str:
    shipped = f"Shipped with Herse: {len(COMMON)} common passwords."
    found = Breached(folder / BREACHED_FILE).status()
    if found is None:
        return f"{shipped}\nNo list is imported; to import one: herse account breached import FILE"
    wrong = found.entries / 2**_TABLE_BITS
    return (
        f"{shipped}\nImported {found.imported_at:%Y-%m-%d %H:%M} UTC: {found.entries:,} passwords, "
        f"{found.size / 1e6:,.1f} MB. A password that is in no list is taken for one with a chance of {wrong:.1e}."
    )
