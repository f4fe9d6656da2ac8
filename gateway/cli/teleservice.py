# SPDX-License-Identifier: EUPL-1.2
"""`herse teleservice close | open | list`: one teleservice taken off line, and put back.

This file reads the command line and prints. What is done, and recorded, stands in `console.switch_operations`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.cli.closing_words import add_closing, add_config, closed_text, closing_values, done_text
from gateway.cli.nouns import NOUNS
from gateway.cli.outcome import told
from gateway.cli.performing import perform
from gateway.settings import load_settings

if TYPE_CHECKING:
    import argparse


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `teleservice` and its acts; each sets `run`, which returns the exit code."""
    noun = subparsers.add_parser("teleservice", help=NOUNS["teleservice"])
    acts = noun.add_subparsers(dest="act", required=True, metavar="ACT")
    for parser in add_closing(acts, "a teleservice"):
        parser.add_argument("name", metavar="NAME", help="as the policy file calls it")
        parser.set_defaults(run=run)
    listing = acts.add_parser("list", help="the teleservices of the policy in force, and what is closed")
    add_config(listing)
    listing.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Do one act and print its outcome. 0: done; 1: refused, with a sentence; 2: settings or state not usable."""
    return told(lambda: _act(arguments))


def _act(arguments: argparse.Namespace) -> str:
    settings = load_settings(arguments.config)
    if arguments.act == "list":
        return _listing(perform(settings, "teleservice.list", {}))
    values = closing_values(arguments) | {"teleservice": arguments.name}
    result = perform(settings, f"teleservice.{arguments.act}", values)
    return done_text(f"Teleservice {arguments.name}", arguments.act, result)


def _listing(result: dict[str, Any]) -> str:
    found = result["teleservices"]
    lines = [] if result["portal"] is None else [f"The whole portal is {closed_text(result['portal'])}."]
    width = max((len(one["name"]) for one in found), default=0)
    for one in found:
        state = "open" if one["closed"] is None else closed_text(one["closed"])
        gone = "" if one["title"] is not None else "; the policy in force has no such teleservice (any more)"
        lines.append(f"{one['name']:<{width}}  {state}{gone}")
    return "\n".join(lines)
