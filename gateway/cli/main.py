# SPDX-License-Identifier: EUPL-1.2
"""The one parser of the command line; each noun adds its own part."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from gateway.cli import account, agent, certs, demo, drill, policy, serve
from gateway.errors import HerseError

if TYPE_CHECKING:
    from collections.abc import Sequence

_NOUNS = (serve, demo, policy, drill, account, agent, certs)


def build_parser() -> argparse.ArgumentParser:
    """Build the parser with all commands."""
    parser = argparse.ArgumentParser(
        prog="herse", description="Hardened authentication gateway for French health-professional portals."
    )
    subparsers = parser.add_subparsers(dest="noun", required=True, metavar="COMMAND")
    for noun in _NOUNS:
        noun.add_parser(subparsers)
    return parser


def main(words: Sequence[str] | None = None) -> int:
    """Run one command and give its exit code."""
    arguments = build_parser().parse_args(words)
    try:
        return int(arguments.run(arguments))
    except HerseError as error:
        print(f"herse: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
