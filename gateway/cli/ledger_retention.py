# SPDX-License-Identifier: EUPL-1.2
"""`herse ledger retention`: how long which events are kept, and why; what would go next; and `--now`, at once.

This file reads the command line and prints. What goes stands in `ledger.sweep`, how in `retention_gate`.
"""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gateway.cli.outcome import told
from gateway.cli.performing import perform
from gateway.errors import HerseError
from gateway.incident.kept import INCIDENTS_FOLDER, Incidents
from gateway.ledger.event import EPOCH, MICROSECOND
from gateway.ledger.retention import ORDER, Keep
from gateway.ledger.tree_rows import open_tree_store
from gateway.policy_in_force import load_tested_policy
from gateway.retention_gate import due, rules_of
from gateway.settings import load_settings

if TYPE_CHECKING:
    import argparse

    from gateway.ledger.retention import Rules
    from gateway.settings import Settings

_ABOUT: Final = {
    Keep.SECURITY: "sign-ins, refusals, alerts, accounts",
    Keep.DISCLOSURES: "whose data were disclosed to whom",
    Keep.PROOF: "data keys, incidents, switches: as long as the longer of the two",
}


def add_act(acts: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the act; it sets `run`."""
    parser = acts.add_parser("retention", help="how long events are kept, and what goes next; --now: at once")
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="the settings of the gateway")
    parser.add_argument("--now", action="store_true", help="delete what is due, at once (needs --reason)")
    parser.add_argument("--reason", metavar="TEXT", help="why now; it stands in every deletion event")
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    return told(lambda: _act(arguments))


def _act(arguments: argparse.Namespace) -> str:
    if arguments.now != (arguments.reason is not None):
        raise HerseError("expected --now and --reason together, or neither of them. Nothing is deleted.")
    settings = load_settings(arguments.config)
    if not arguments.now:
        return _kept(settings, datetime.now(UTC))
    answer = perform(settings, "ledger.retention", {"reason": arguments.reason})
    if not answer["done"]:
        return "It was begun, and goes on in the server; what is deleted stands in the ledger (events-deleted)."
    gone = ", ".join(f"{count} of {keep}" for keep, count in sorted(answer["gone"].items())) or "none was due"
    return f"Deleted: {gone}. The ledger tells of each batch (events-deleted)."


def _kept(settings: Settings, at: datetime) -> str:
    incidents = Incidents(settings.state.folder / INCIDENTS_FOLDER)
    rules = rules_of(settings.ledger.periods, incidents, lambda: load_tested_policy(settings.policy.file))(at)
    with closing(open_tree_store(settings.ledger_place(), writes=False)) as store:
        head = store.head()
        waiting = {} if head is None else due(store, head, rules)
    lines = [_line(keep, settings, rules, waiting.get(keep, 0)) for keep in ORDER]
    lines.append(f"{Keep.ALWAYS:<12} for ever: events that tell of deletions")
    if settings.ledger.longer_because is not None:
        lines.append(f"Longer, because: {settings.ledger.longer_because}")
    if rules.holds:
        lines.append(f"Open incidents hold what they are about: {len(rules.holds)}.")
    return "\n".join(lines)


def _line(keep: Keep, settings: Settings, rules: Rules, waiting: int) -> str:
    months = settings.ledger.periods.months(keep)
    since = EPOCH + rules.before[keep] * MICROSECOND
    goes = f"{waiting} would go now" if waiting else "nothing would go now"
    return f"{keep:<12} {months} months, from {since:%Y-%m-%d} on ({_ABOUT[keep]}); {goes}"
