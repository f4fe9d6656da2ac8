# SPDX-License-Identifier: EUPL-1.2
"""`herse account report`: what a professional reports by telephone or letter (« Ce n'était pas moi »), put on record.

This file reads the command line and prints. What is done stands in `console.account_operations`.
"""

from __future__ import annotations

from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gateway.cli.outcome import told
from gateway.cli.performing import perform
from gateway.errors import HerseError
from gateway.identity.identifiers import parse_identifier
from gateway.ledger.exposure import open_exposure
from gateway.ledger.span import Span
from gateway.model import EventKind
from gateway.settings import load_settings

if TYPE_CHECKING:
    import argparse

    from gateway.settings import Settings

_MOMENT: Final = timedelta(minutes=1)


def add_parser(acts: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `report` to the acts on accounts."""
    parser = acts.add_parser("report", help="put on record that the professional says: that was not me")
    parser.add_argument("identifier", metavar="IDENTIFIER", help="the account, after a check of who reports")
    parser.add_argument(
        "--event", type=int, metavar="N", help="the event that was not him, by its number in the ledger"
    )
    parser.add_argument("--reason", required=True, help="what he says; kept with the event")
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="the settings of the gateway")
    parser.set_defaults(run=lambda arguments: told(lambda: _report(arguments, load_settings(arguments.config))))


def _report(arguments: argparse.Namespace, settings: Settings) -> str:
    if arguments.event is not None:
        _check_own(settings, parse_identifier(arguments.identifier), arguments.event)
    values = {"identifier": arguments.identifier, "event": arguments.event, "reason": arguments.reason}
    result = perform(settings, "account.report", values)
    name, at = result["identifier"], datetime.fromisoformat(result["at"])
    with closing(open_exposure(settings.ledger_place())) as reader:
        found = reader.told(Span((name,), at, at + _MOMENT), {EventKind.REPORTED})
    return (
        f"The report of account {name} is on record as event {found[0].sequence}. Nothing is locked by it.\n"
        f"To begin an incident with it: herse incident open --from-report {found[0].sequence} --freeze --reason …"
    )


def _check_own(settings: Settings, name: str, sequence: int) -> None:
    with closing(open_exposure(settings.ledger_place())) as reader:
        found = reader.event(sequence)
    if found is None or found.event.account != name:
        raise HerseError(
            f"event {sequence} is not one of account {name}; expected the number of one of its own events "
            "(/.herse/account/events as JSON tells them), or no --event. Nothing is done."
        )
