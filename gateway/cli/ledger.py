# SPDX-License-Identifier: EUPL-1.2
"""`herse ledger keygen`: the data-protection officer's key pair, made off line. The other acts: `ledger_check`,
`ledger_proof`, `ledger_trace`, `ledger_copies`, `ledger_retention`.

This file reads the command line and writes files. What the keys are stands in `ledger.officer_key`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gateway.cli import ledger_check, ledger_copies, ledger_proof, ledger_retention, ledger_trace
from gateway.cli.nouns import NOUNS
from gateway.cli.typed import read_secret
from gateway.errors import HerseError, StartError
from gateway.ledger.officer_key import MEMORY_KIB, new_officer_key
from gateway.state_files import OFFICER_FILE
from gateway.whole_file import appearing

if TYPE_CHECKING:
    import argparse

OFFICER_KEY_FILE: Final = "officer.key"
PASSWORD_AT_LEAST: Final = 12


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `ledger` and its acts; each sets `run`: the parsed arguments in, the exit code out."""
    parser = subparsers.add_parser("ledger", help=NOUNS["ledger"])
    acts = parser.add_subparsers(dest="act", required=True, metavar="ACT")
    keygen = acts.add_parser("keygen", help="make the data-protection officer's key pair, off line")
    keygen.add_argument("--dir", type=Path, default=Path(), help="folder for the two files (default: this one)")
    keygen.set_defaults(run=_keygen)
    ledger_check.add_acts(acts)
    ledger_proof.add_acts(acts)
    ledger_trace.add_act(acts)
    ledger_copies.add_acts(acts)
    ledger_retention.add_act(acts)


def make_officer_pair(folder: Path, password: str, *, memory_kib: int = MEMORY_KIB) -> tuple[Path, Path, str]:
    """Make `officer.key` and `officer.pub` in a folder, over no other file; both paths, and the key's id in hex."""
    key = new_officer_key()
    private, public = folder / OFFICER_KEY_FILE, folder / OFFICER_FILE
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with appearing(public) as draft_public:
            with appearing(private) as draft_private:
                draft_private.write_text(key.text(password, memory_kib=memory_kib), encoding="ascii")
            draft_public.write_text(key.public.text(), encoding="ascii")
    except FileExistsError as error:
        raise StartError(
            f"{error.filename} exists already; expected none: a key that opens a ledger is never written over. Choose "
            "another folder with --dir"
        ) from None
    except OSError as error:
        raise StartError(f"{folder}: {error.strerror}; expected a folder this user may write to (--dir)") from None
    return private, public, key.public.id.hex()


def _keygen(arguments: argparse.Namespace) -> int:
    password = read_secret("Password of the officer's key")
    if len(password) < PASSWORD_AT_LEAST:
        raise HerseError(
            f"the password has {len(password)} characters; expected {PASSWORD_AT_LEAST} or more, since whoever has the "
            "file may try as long as he likes. Nothing is made."
        )
    if sys.stdin.isatty() and read_secret("The same once more") != password:
        raise HerseError("the two passwords are not the same. Nothing is made.")
    private, public, name = make_officer_pair(arguments.dir, password)
    print(
        f"Made {private}: keep it off line, with a copy elsewhere. Without it and its password nobody reads the ledger."
    )
    print(f"Made {public} (key {name}): it goes into the gateway's key folder.")
    return 0
