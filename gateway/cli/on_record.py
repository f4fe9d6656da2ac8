# SPDX-License-Identifier: EUPL-1.2
"""The one place through which commands come to read people's events of a gateway's ledger: the question goes on record
there, and where it cannot, the command ends with that sentence and has read nothing.

`tests/ground/test_on_record.py` holds every command that opens a ledger to it. A copy of a ledger is read without: no
gateway is there to record it, and its making was recorded.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from gateway.cli.performing import perform
from gateway.console.reading_operations import OWNERS_AT_MOST
from gateway.errors import StartError
from gateway.identity.database import DATABASE_FILE
from gateway.incident.incident import Incident, from_plain
from gateway.incident.kept import INCIDENTS_FOLDER, Incidents
from gateway.ledger.lock import LOCK_NAME
from gateway.settings import load_settings

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from pathlib import Path

    from gateway.settings import Settings


class Recorded(NamedTuple):
    """A question that is on record: about which account, as the gateway spells it, and since when."""

    account: str | None
    at: datetime


def on_record(
    settings: Settings,
    what: str,
    reason: str,
    *,
    account: str | None = None,
    owners: Sequence[str] = (),
    person: bytes | None = None,
) -> Recorded:
    """Put on record that somebody asks the ledger. HerseError if it is not, or if there is no such account.

    `account` as it was typed; `owners` as the ledger has them; `person` a pseudonym; none of them: the whole ledger.
    """
    values = {"what": what, "reason": reason, "account": account, "person": None if person is None else person.hex()}
    found = perform(settings, "ledger.read", values | {"owners": list(owners[:OWNERS_AT_MOST])})
    for first in range(OWNERS_AT_MOST, len(owners), OWNERS_AT_MOST):
        rest = list(owners[first : first + OWNERS_AT_MOST])
        perform(settings, "ledger.read", {"what": what, "reason": reason, "owners": rest})
    return Recorded(found["account"], datetime.fromisoformat(found["at"]))


def noted(settings: Settings, number: str, what: str, note: str) -> Incident:
    """Put on record what somebody asks about an incident: in its file, and for each of its accounts; the incident."""
    Incidents(settings.state.folder / INCIDENTS_FOLDER).find(number)
    values = {"id": number, "what": what, "note": note}
    return from_plain(perform(settings, "incident.note", values))


def gateway_asked(arguments: argparse.Namespace) -> Settings | None:
    """The settings of the gateway whose own ledger is asked; None: a copy of one is. StartError unless a reason goes
    with the one, and none with the other.
    """
    if (arguments.reason is None) == (arguments.config is not None):
        raise StartError(
            "--reason goes with --config, and not with --file: a question to a gateway's ledger is on record"
        )
    if arguments.config is None:
        demand_copy(arguments.file)
        return None
    return load_settings(arguments.config)


def demand_copy(file: Path) -> None:
    """StartError for the very ledger of a gateway, which is asked by its settings, on record."""
    beside = [name for name in (LOCK_NAME, DATABASE_FILE) if (file.absolute().parent / name).exists()]
    if beside:
        raise StartError(
            f"{file} is the ledger of a gateway ({beside[0]} lies beside it); expected a copy of one: ask with "
            "--config and --reason, which goes on record, or make a copy with `herse ledger backup`"
        )
