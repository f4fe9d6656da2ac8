# SPDX-License-Identifier: EUPL-1.2
"""`herse serve --config FILE`: the real thing. Everything that can be wrong is looked at before the port opens.

One process, or several (`supervisor`), each of which serves by `serving`.
"""

from __future__ import annotations

from argparse import ArgumentTypeError
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.cli.nouns import NOUNS
from gateway.cli.serving import serve_on, start_log
from gateway.cli.supervisor import WORKERS_AT_MOST, supervise
from gateway.listener.host import listening_socket
from gateway.settings import parse_settings, read_settings, split_address
from gateway.settings_redis import demand_redis

if TYPE_CHECKING:
    import argparse

    from gateway.settings import Settings


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `serve`."""
    parser = subparsers.add_parser("serve", help=NOUNS["serve"])
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="the settings of the gateway")
    parser.add_argument("--workers", type=_workers, default=1, metavar="N", help="processes that share the work (1)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Serve until SIGINT or SIGTERM."""
    text = read_settings(arguments.config)
    settings = parse_settings(text, str(arguments.config), arguments.config.resolve().parent)
    start_log(settings.log.level)
    demand_redis(settings.redis, arguments.workers)
    if arguments.workers > 1:
        return supervise(settings, text, arguments.config, arguments.workers)
    serve(settings)
    return 0


def _workers(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= WORKERS_AT_MOST):
        raise ArgumentTypeError(f"found {text}; expected 1 to {WORKERS_AT_MOST}")
    return int(text)


def serve(settings: Settings, *, test_cost: bool = False) -> None:
    """Build the gateway and serve it. HerseError says what keeps it from starting. `test_cost`: see Gateway."""
    from gateway.app import Gateway  # noqa: PLC0415  # who supervises serves nothing, and shall not wait for it

    listening = listening_socket(*split_address(settings.public.listen))
    serve_on(settings, listening, lambda: Gateway(settings, test_cost=test_cost))
