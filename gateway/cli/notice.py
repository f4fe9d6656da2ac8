# SPDX-License-Identifier: EUPL-1.2
"""`herse notice set | clear | list`: dated messages to all professionals, on the pages of sign-in and account.

This file reads the command line and prints. What is done, and recorded, stands in `console.switch_operations`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gateway.cli.closing_words import add_config
from gateway.cli.moments import TIME_HELP, moment, written
from gateway.cli.nouns import NOUNS
from gateway.cli.outcome import told
from gateway.cli.performing import perform
from gateway.errors import StartError
from gateway.pages.announcement_words import READY_MADE
from gateway.settings import load_settings

if TYPE_CHECKING:
    import argparse


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `notice` and its acts; each sets `run`, which returns the exit code."""
    noun = subparsers.add_parser("notice", help=NOUNS["notice"])
    acts = noun.add_subparsers(dest="act", required=True, metavar="ACT")
    announce = acts.add_parser("set", help="show a message on the pages of sign-in and account")
    announce.add_argument("--from", dest="since", type=moment, metavar="TIME", help=f"default: now; {TIME_HELP}")
    announce.add_argument("--until", type=moment, required=True, metavar="TIME", help=TIME_HELP)
    announce.add_argument("--about", choices=sorted(READY_MADE), help="a ready-made message")
    announce.add_argument("--fr", metavar="TEXT", help="or one's own: French, in one line")
    announce.add_argument("--en", metavar="TEXT", help="and English")
    clear = acts.add_parser("clear", help="take a message away")
    which = clear.add_mutually_exclusive_group(required=True)
    which.add_argument("number", type=int, nargs="?", metavar="NUMBER", help="as `list` and `set` tell it")
    which.add_argument("--all", action="store_true", help="all of them")
    listing = acts.add_parser("list", help="the messages that are shown, and those to come")
    for parser in (announce, clear, listing):
        if parser is not listing:
            parser.add_argument("--reason", required=True, help="kept with the event; no professional is shown it")
        add_config(parser)
        parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Do one act and print its outcome. 0: done; 1: refused, with a sentence; 2: settings or state not usable."""
    return told(lambda: _act(arguments))


def _act(arguments: argparse.Namespace) -> str:
    values = {} if arguments.act == "list" else _values(arguments)
    result = perform(load_settings(arguments.config), f"notice.{arguments.act}", values)
    match arguments.act:
        case "set":
            return f"Notice {result['number']} is set:\n\n    {result['fr']}\n    {result['en']}"
        case "clear":
            return f"Notices taken away: {result['cleared']}."
        case _:
            return "\n".join(map(_listed, result["notices"])) or "There is no notice."


def _values(arguments: argparse.Namespace) -> dict[str, Any]:
    if arguments.act == "clear":
        return {"reason": arguments.reason, "number": arguments.number}
    own = (arguments.fr is not None, arguments.en is not None)
    if any(own) == (arguments.about is not None) or (any(own) and not all(own)):
        raise StartError("expected either --about, or both --fr and --en; nothing is shown")
    values = {name: getattr(arguments, name) for name in ("about", "fr", "en", "reason")}
    values |= {"until": arguments.until.isoformat()}
    return values if arguments.since is None else values | {"since": arguments.since.isoformat()}


def _listed(one: dict[str, Any]) -> str:
    state = "shown" if one["shown"] else "to come"
    return (
        f"{one['number']}: {state}, {written(one['since'])} to {written(one['until'])} ({one['reason']})\n"
        f"    {one['fr']}\n    {one['en']}"
    )
