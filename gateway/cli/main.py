# SPDX-License-Identifier: EUPL-1.2
"""The one parser of the command line; each noun adds its own part."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Final

from gateway.errors import HerseError

if TYPE_CHECKING:
    from collections.abc import Sequence

NOUNS: Final = (
    "serve",
    "demo",
    "policy",
    "drill",
    "account",
    "agent",
    "teleservice",
    "portal",
    "notice",
    "ledger",
    "incident",
    "certs",
)
"""Each is a file here."""


def build_parser(nouns: Sequence[str] = NOUNS) -> argparse.ArgumentParser:
    """Build the parser with these commands."""
    parser = argparse.ArgumentParser(
        prog="herse", description="Hardened authentication gateway for French health-professional portals."
    )
    subparsers = parser.add_subparsers(dest="noun", required=True, metavar="COMMAND")
    for noun in nouns:
        import_module(f"gateway.cli.{noun}").add_parser(subparsers)
    return parser


def main(words: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code."""
    words = sys.argv[1:] if words is None else words
    asked = [noun for noun in NOUNS if noun == next(iter(words), None)]  # nobody waits for what the others need
    arguments = build_parser(asked or NOUNS).parse_args(words)
    try:
        return int(arguments.run(arguments))
    except HerseError as error:
        print(f"herse: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
