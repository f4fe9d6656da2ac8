# SPDX-License-Identifier: EUPL-1.2
"""What `herse teleservice` and `herse portal` share: the words of close and open, and what is printed after them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gateway.cli.moments import TIME_HELP, moment, written

if TYPE_CHECKING:
    import argparse

AT_ONCE: Final = "In force within a second; what is under way ends by itself."


def add_closing(acts: argparse._SubParsersAction[argparse.ArgumentParser], what: str) -> list[argparse.ArgumentParser]:
    """Add `close` and `open`; gives both, so that a noun can ask for more."""
    close = acts.add_parser("close", help=f"close {what}; everybody is told so by a page")
    close.add_argument("--until", type=moment, metavar="TIME", help=f"it opens again by itself: {TIME_HELP}")
    open_ = acts.add_parser("open", help=f"open {what} again")
    for parser in (close, open_):
        parser.add_argument("--reason", required=True, help="kept with the event; no professional is shown it")
        add_config(parser)
    return [close, open_]


def add_config(parser: argparse.ArgumentParser) -> None:
    """Add the settings file."""
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="the settings of the gateway")


def closing_values(arguments: argparse.Namespace) -> dict[str, Any]:
    """What the server is told."""
    values = {"reason": arguments.reason}
    until = getattr(arguments, "until", None)
    return values if until is None else values | {"until": until.isoformat()}


def closed_text(closed: dict[str, Any]) -> str:
    """`closed since … until … (reason, by whom)`."""
    until = "until it is opened" if closed["until"] is None else f"until {written(closed['until'])}"
    by = f", by {closed['by']}" if closed["by"] else ""
    return f"closed since {written(closed['since'])}, {until} ({closed['reason']}{by})"


def done_text(what: str, act: str, result: dict[str, Any]) -> str:
    """What is printed once it is done."""
    if act == "open":
        return f"{what} is open again."
    until = "until it is opened" if result["until"] is None else f"until {written(result['until'])}"
    return f"{what} is closed since {written(result['since'])}, {until}. {AT_ONCE}"
