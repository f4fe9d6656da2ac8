# SPDX-License-Identifier: EUPL-1.2
"""The one parser of the command line; each noun adds its own part."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from typing import TYPE_CHECKING

from gateway.cli.nouns import NOUNS
from gateway.errors import HerseError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence


def build_parser(nouns: Collection[str] = NOUNS.keys()) -> argparse.ArgumentParser:
    """Build the parser with these commands whole; of the others it knows that they are there."""
    parser = argparse.ArgumentParser(
        prog="herse", description="Hardened authentication gateway for French health-professional portals."
    )
    subparsers = parser.add_subparsers(dest="noun", required=True, metavar="COMMAND")
    for noun, told in NOUNS.items():
        if noun in nouns:
            import_module(f"gateway.cli.{noun}").add_parser(subparsers)
        else:
            subparsers.add_parser(noun, help=told)
    return parser


def main(words: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code."""
    words = sys.argv[1:] if words is None else words
    arguments = build_parser(words[:1]).parse_args(words)  # nobody waits for what the others need
    try:
        return int(arguments.run(arguments))
    except HerseError as error:
        print(f"herse: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
