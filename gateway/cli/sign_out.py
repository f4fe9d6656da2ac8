# SPDX-License-Identifier: EUPL-1.2
"""`herse account sign-out`: end the sessions of some accounts, of those of a list, or of all.

This file reads the command line and prints. What is done, and recorded, stands in `console.sign_out_operations`.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gateway.cli.outcome import told
from gateway.cli.performing import perform
from gateway.errors import HerseError, StartError
from gateway.settings import load_settings

if TYPE_CHECKING:
    import argparse

    from gateway.settings import Settings

_AT_ONCE: Final = 1_000
"""Names in one command to the server, which reads lines of 64 KiB."""


def add_parser(acts: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `sign-out` to the acts on accounts."""
    parser = acts.add_parser("sign-out", help="end the sessions of accounts, at once; they may sign in again")
    parser.add_argument("identifiers", nargs="*", metavar="IDENTIFIER", help="these accounts")
    parser.add_argument("--all", action="store_true", help="everybody")
    parser.add_argument("--file", type=Path, metavar="LIST", help="the accounts of a text file, one a line")
    parser.add_argument("--reason", required=True, help="kept with each event")
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="the settings of the gateway")
    parser.set_defaults(run=lambda arguments: told(lambda: _sign_out(arguments)))


def _sign_out(arguments: argparse.Namespace) -> str:
    if sum((bool(arguments.identifiers), arguments.all, arguments.file is not None)) != 1:
        raise StartError("expected one of: accounts by name, --file, --all; nobody is signed out")
    settings = load_settings(arguments.config)
    if arguments.all:
        found = perform(settings, "account.sign-out", {"all": True, "reason": arguments.reason})
        return f"Everybody is signed out: sessions ended: {found['sessions_ended']}, of accounts: {found['accounts']}."
    names = arguments.identifiers or _names_in(arguments.file)
    done, unknown = _of(settings, names, arguments.reason)
    sentence = f"Signed out: sessions ended: {done['sessions_ended']}, of accounts: {done['accounts']}."
    if unknown:
        raise HerseError(f"{sentence} These are no accounts, and nothing was done about them: {', '.join(unknown)}")
    return sentence


def _of(settings: Settings, names: list[str], reason: str) -> tuple[Counter[str], list[str]]:
    done: Counter[str] = Counter()
    unknown: list[str] = []
    for first in range(0, len(names), _AT_ONCE):
        values: dict[str, Any] = {"accounts": names[first : first + _AT_ONCE], "reason": reason}
        found = perform(settings, "account.sign-out", values)
        unknown += found.pop("unknown")
        done.update(found)
    return done, unknown


def _names_in(path: Path) -> list[str]:
    """The names of a list; empty lines and what follows a `#` are left out."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        found = error.strerror if isinstance(error, OSError) else "bytes that are not UTF-8"
        raise StartError(f"{path}: found {found}; expected a text file with one account a line") from None
    names = [name for line in text.splitlines() if (name := line.partition("#")[0].strip())]
    if not names:
        raise StartError(f"{path}: found no name; expected one account a line. Nobody is signed out.")
    return names
