# SPDX-License-Identifier: EUPL-1.2
"""`herse incident open | change | close | list | show`. `exposed`, `notify`, `export` and `unseal` have files of their
own.

This file reads the command line and prints. What is done, and recorded, stands in `console.incident_operations`.
"""

from __future__ import annotations

import re
from argparse import ArgumentTypeError
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gateway.cli import incident_figures, incident_list
from gateway.cli.intervals import beginning, ending
from gateway.cli.nouns import NOUNS
from gateway.cli.outcome import told
from gateway.cli.performing import perform
from gateway.incident.incident import IncidentError, from_plain
from gateway.incident.kept import INCIDENTS_FOLDER, Incidents
from gateway.incident.report import as_json, incident_line, incident_text
from gateway.ledger.exposure import open_exposure
from gateway.model import EventKind
from gateway.settings import load_settings

if TYPE_CHECKING:
    import argparse

    from gateway.ledger.event import StoredEvent
    from gateway.ledger.exposure import ExposureReader
    from gateway.settings import Settings


_BEFORE: Final = timedelta(days=1)
"""Where an interval begins that is taken from an event outside any session."""
_NAMED: Final = re.compile(r"event ([1-9][0-9]{0,17})\b")
"""What a report names in its details."""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `incident` and its acts; each sets `run`, called with the parsed arguments, which returns the exit code."""
    incident = subparsers.add_parser("incident", help=NOUNS["incident"])
    acts = incident.add_subparsers(dest="act", required=True, metavar="ACT")
    _add_open(acts)
    _add_change(acts)
    close = _act(acts, "close", "say that it is over; everything is kept")
    close.add_argument("--reason", required=True, help="kept with the event")
    show = _act(acts, "show", "what it is about, what was done, how much of the 72 hours is left")
    show.add_argument("--json", action="store_true", help="print one JSON document")
    listed = acts.add_parser("list", help="all incidents, oldest first")
    listed.add_argument("--config", type=Path, required=True, metavar="FILE", help="the settings of the gateway")
    for parser in (close, show, listed):
        parser.set_defaults(run=run)
    incident_figures.add_parsers(acts)
    incident_list.add_parsers(acts)


def _add_open(acts: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = acts.add_parser("open", help="begin an incident: its 72 hours run from now, or from --aware-at")
    _add_span(parser)
    begun = parser.add_mutually_exclusive_group()
    for name, text in (
        ("report", "a report of its owner (herse account report), or any event he reports"),
        ("alert", "an alert"),
    ):
        begun.add_argument(
            f"--from-{name}", type=_sequence, metavar="SEQUENCE", help=f"account and interval from {text} in the ledger"
        )
    parser.add_argument("--aware-at", type=beginning, metavar="TIME", help="when somebody first knew, if it was before")
    parser.set_defaults(run=run)


def _add_change(acts: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = _act(acts, "change", "add accounts or teleservices, move the interval; the clock goes on")
    _add_span(parser, config=False)
    parser.set_defaults(run=run)


def _add_span(parser: argparse.ArgumentParser, *, config: bool = True) -> None:
    for name, text in (("account", "an account it is about"), ("teleservice", "only look-ups in it")):
        parser.add_argument(f"--{name}", action="append", default=[], dest=f"{name}s", help=f"{text}; may be repeated")
    parser.add_argument(
        "--address", action="append", default=[], dest="networks", help="only look-ups from it; may be repeated"
    )
    parser.add_argument(
        "--from", dest="since", type=beginning, metavar="TIME", help="beginning: a day or time of Paris"
    )
    parser.add_argument("--to", dest="until", type=ending, metavar="TIME", help="end: a whole day, or a time")
    parser.add_argument("--freeze", action="store_true", help="lock its accounts at once, and end their sessions")
    parser.add_argument("--reason", required=True, help="kept with the events")
    if config:
        parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="the settings of the gateway")


def _act(acts: argparse._SubParsersAction[argparse.ArgumentParser], name: str, text: str) -> argparse.ArgumentParser:
    parser = acts.add_parser(name, help=text)
    parser.add_argument("id", metavar="ID", help="such as 2026-11-23-1: herse incident list")
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="the settings of the gateway")
    return parser


def _sequence(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 0 < int(text[:18]) == int(text)):
        raise ArgumentTypeError(f"found {text!a}; expected the number of an event in the ledger")
    return int(text)


def run(arguments: argparse.Namespace) -> int:
    """Do one act and print its outcome. 0: done; 1: refused, with a sentence; 2: settings or state not usable."""
    return told(lambda: _done(arguments, load_settings(arguments.config)))


def _done(arguments: argparse.Namespace, settings: Settings) -> str:
    now = datetime.now(UTC)
    incidents = Incidents(settings.state.folder / INCIDENTS_FOLDER)
    match arguments.act:
        case "open":
            return _opened(arguments, settings, now)
        case "change":
            return _asked(settings, "incident.change", {"id": arguments.id, **_span(arguments)})
        case "close":
            values = {"id": arguments.id, "reason": arguments.reason}
            incident = from_plain(perform(settings, "incident.close", values))
            return f"Incident {incident.id} is closed. It and all its events are kept, and may still be asked."
        case "show":
            incident = incidents.find(arguments.id)
            return as_json(incident.plain()) if arguments.json else incident_text(incident, now)
        case _:
            lines = [_line(incidents, number, now) for number in incidents.numbers()]
            return "\n".join(lines) or "There is no incident; to begin one: herse incident open"


def _line(incidents: Incidents, number: str, now: datetime) -> str:
    """One that cannot be read does not hide the others."""
    try:
        return incident_line(incidents.find(number), now)
    except IncidentError as error:
        return f"{number}  {error}"


def _opened(arguments: argparse.Namespace, settings: Settings, now: datetime) -> str:
    values = _span(arguments)
    sequence = arguments.from_report or arguments.from_alert
    if sequence is not None:
        begun = _begun_with(settings, sequence, alert=arguments.from_alert is not None)
        values["accounts"] = [begun.account, *values["accounts"]]
        values["since"] = values["since"] or begun.since.isoformat()
        values["until"] = values["until"] or now.isoformat()
        values["source"] = sequence
    if values["since"] is None or values["until"] is None:
        raise IncidentError(
            "the interval is missing; expected --from and --to, or --from-alert or --from-report with the number of an "
            "event"
        )
    if arguments.aware_at is not None:
        values["aware_at"] = arguments.aware_at.isoformat()
    return _asked(settings, "incident.open", values)


def _asked(settings: Settings, command: str, values: dict[str, Any]) -> str:
    """The incident as it is now, how many look-ups are in it, and what is next."""
    incident = from_plain(perform(settings, command, values))
    reader = open_exposure(settings.ledger_place())
    try:
        looks = reader.count(incident.span)
    finally:
        reader.close()
    found = (
        f"In it are {looks:,} look-ups. Who they were: herse incident exposed {incident.id}"
        if looks
        else "In it is no look-up: compare accounts, times and teleservices (herse incident change adds to it)."
    )
    return f"{incident_text(incident, datetime.now(UTC))}\n\n{found}"


def _span(arguments: argparse.Namespace) -> dict[str, Any]:
    return {
        "accounts": arguments.accounts,
        "teleservices": arguments.teleservices,
        "networks": arguments.networks,
        "since": arguments.since and arguments.since.isoformat(),
        "until": arguments.until and arguments.until.isoformat(),
        "freeze": arguments.freeze,
        "reason": arguments.reason,
    }


@dataclass(frozen=True)
class _Begun:
    account: str
    since: datetime


def _begun_with(settings: Settings, sequence: int, *, alert: bool) -> _Begun:
    """Whose account an event is about, and when the session began in which it, or what is complained of, happened."""
    reader = open_exposure(settings.ledger_place())
    try:
        found = reader.event(sequence)
        if found is None or not found.event.account:
            raise IncidentError(f"the ledger has no event {sequence} of an account; expected the number of one")
        if alert and found.event.kind is not EventKind.ALERTED:
            raise IncidentError(
                f"event {sequence} is {found.event.kind}, and no alert; expected one that is, or --from-report"
            )
        return _Begun(found.event.account, _session_began(reader, _complained_of(reader, found)))
    finally:
        reader.close()


def _complained_of(reader: ExposureReader, found: StoredEvent) -> StoredEvent:
    """The event that a report names, or what was given."""
    named = _NAMED.match(found.event.details or "") if found.event.kind is EventKind.REPORTED else None
    event = None if named is None else reader.event(int(named[1]))
    return found if event is None or event.event.account != found.event.account else event


def _session_began(reader: ExposureReader, found: StoredEvent) -> datetime:
    event = found.event
    if event.session is None:
        return event.at - _BEFORE
    return reader.session_began(event.account, event.session, event.at) or event.at
