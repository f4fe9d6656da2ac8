# SPDX-License-Identifier: EUPL-1.2
"""`herse portal close | open`: the whole portal taken off line, and put back. The gateway's own pages stay.

This file reads the command line and prints. What is done, and recorded, stands in `console.switch_operations`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.cli.closing_words import add_closing, closing_values, done_text
from gateway.cli.nouns import NOUNS
from gateway.cli.outcome import told
from gateway.cli.performing import perform
from gateway.settings import load_settings

if TYPE_CHECKING:
    import argparse


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `portal` and its acts; each sets `run`, which returns the exit code."""
    noun = subparsers.add_parser("portal", help=NOUNS["portal"])
    acts = noun.add_subparsers(dest="act", required=True, metavar="ACT")
    for parser in add_closing(acts, "the whole portal"):
        parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Do one act and print its outcome. 0: done; 1: refused, with a sentence; 2: settings or state not usable."""
    return told(lambda: _act(arguments))


def _act(arguments: argparse.Namespace) -> str:
    settings = load_settings(arguments.config)
    result = perform(settings, f"portal.{arguments.act}", closing_values(arguments))
    return done_text("The portal", arguments.act, result)
