# SPDX-License-Identifier: EUPL-1.2
"""`herse account release`: a support agent agrees that a quarantine ends; the second one gets the one-time code.

This file reads the command line and prints. What is done, and recorded, stands in `console.agent_operations`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gateway.cli.outcome import told
from gateway.cli.performing import perform
from gateway.cli.typed import read_secret
from gateway.settings import load_settings

if TYPE_CHECKING:
    import argparse


def add_parser(acts: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `release` to the acts on accounts."""
    parser = acts.add_parser("release", help="end a quarantine, when two support agents agree")
    parser.add_argument("identifier", metavar="IDENTIFIER", help="the account, after a check of who its holder is")
    parser.add_argument("--agent", required=True, metavar="NAME", help="who agrees; password and code are asked for")
    parser.add_argument("--reason", required=True, help="kept with the event: how the holder was checked")
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="the settings of the gateway")
    parser.set_defaults(run=lambda arguments: told(lambda: _release(arguments)))


def _release(arguments: argparse.Namespace) -> str:
    settings = load_settings(arguments.config)
    values = {
        "identifier": arguments.identifier,
        "agent": arguments.agent,
        "reason": arguments.reason,
        "password": read_secret("Password of the agent"),
        "code": read_secret("6-digit code of the agent"),
    }
    result = perform(settings, "account.release", values)
    name, until = result["identifier"], result["until"]
    if result["code"] is None:
        return (
            f"Agent {arguments.agent} agrees for account {name}. Nothing is ended yet: a second agent has to agree\n"
            f"before {until}, with the same command."
        )
    return (
        f"Agents {result['first']} and {arguments.agent} agree: the quarantine of account {name} is over.\n"
        f"One-time code, valid until {until}:\n\n    {result['code']}\n\n"
        "It is shown this once and works once. Give it to the holder in person or by post, never by e-mail or to a\n"
        "number that was only just told. With it he chooses a password at /.herse/enrol, then adds a second factor."
    )
