# SPDX-License-Identifier: EUPL-1.2
"""`herse agent create | remove | list`: the support agents, two of whom may end a quarantine (`herse account release`).

This file reads the command line and prints. What is done stands in `console.agent_operations`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway.cli.nouns import NOUNS
from gateway.cli.outcome import told
from gateway.cli.performing import perform
from gateway.cli.typed import read_secret
from gateway.settings import load_settings

if TYPE_CHECKING:
    import argparse


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `agent` and its acts; each sets `run`, called with the parsed arguments, which returns the exit code."""
    agent = subparsers.add_parser("agent", help=NOUNS["agent"])
    acts = agent.add_subparsers(dest="act", required=True, metavar="ACT")
    for act, text in (
        ("create", "create a support agent; a password is asked for, the secret for the code application printed once"),
        ("remove", "take a support agent away; what it has agreed to is void"),
        ("list", "who the support agents are"),
    ):
        parser = acts.add_parser(act, help=text)
        if act != "list":
            parser.add_argument("name", metavar="NAME", help="2 to 32 small letters, digits and hyphens")
        parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="the settings of the gateway")
        parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Do one act and print its outcome. 0: done; 1: refused, with a sentence; 2: settings or state not usable."""
    return told(lambda: _act(arguments))


def _act(arguments: argparse.Namespace) -> str:
    settings = load_settings(arguments.config)
    values: dict[str, Any] = {} if arguments.act == "list" else {"name": arguments.name}
    if arguments.act == "create":
        values["password"] = read_secret("Password of the new agent")
    result = perform(settings, f"agent.{arguments.act}", values)
    match arguments.act:
        case "create":
            return (
                f"Agent {result['name']} is created. For the code application, shown this once:\n\n"
                f"    secret: {result['secret']}\n    as a QR code: {result['uri']}\n\n"
                "Nobody but the agent may see it. Two agents must be two persons."
            )
        case "remove":
            return f"Agent {result['name']} is removed; what it has agreed to and is not done is void."
        case _:
            lines = [f"{one['name']}, since {one['since']}" for one in result["agents"]]
            return "\n".join(lines) or "There is no agent; to create one: herse agent create NAME"
