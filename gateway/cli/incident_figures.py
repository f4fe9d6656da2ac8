# SPDX-License-Identifier: EUPL-1.2
"""`herse incident exposed | notify`: the figures of an incident, and the drafts that tell them. Who asks is on record
before anything is read; nothing is sent.
"""

from __future__ import annotations

import os
import sys
from argparse import ArgumentTypeError
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gateway.cli.on_record import noted
from gateway.cli.outcome import told
from gateway.cli.progress import Progress
from gateway.errors import StartError
from gateway.incident.drafts import MEASURES, Facts, write_drafts
from gateway.incident.exposed import exposed
from gateway.incident.incident import IncidentError
from gateway.incident.plot import draw
from gateway.incident.proofs import write_proofs
from gateway.incident.report import as_json, exposure_json, exposure_text
from gateway.ledger.exposure import open_exposure
from gateway.ledger.span import Span
from gateway.ledger.tree_rows import open_tree_store
from gateway.ledger_key import signing_key
from gateway.model import EventKind
from gateway.settings import load_settings

if TYPE_CHECKING:
    import argparse

    from gateway.incident.exposed import Exposure
    from gateway.incident.incident import Incident
    from gateway.incident.proofs import Proved
    from gateway.ledger.exposure import ExposureReader
    from gateway.settings import Settings


_DAYS: Final = 90
_DAYS_AT_MOST: Final = 3_650


def add_parsers(acts: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `exposed` and `notify` to the acts on incidents; each sets `run`."""
    parser = acts.add_parser("exposed", help="how many different people, which data, by whom, from where, when")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="draw how the number grew")
    parser.add_argument(
        "--minus-honest",
        type=_days,
        nargs="?",
        const=_DAYS,
        metavar="DAYS",
        help="leave out whom the same account had been shown so many days before (default: %(const)s)",
    )
    parser.set_defaults(run=run_exposed)
    notify = acts.add_parser("notify", help="write drafts of what is due to authorities, people and professionals")
    notify.add_argument("--out", type=Path, required=True, metavar="DIR", help="a new or empty folder")
    notify.set_defaults(run=run_notify)
    for one in (parser, notify):
        one.add_argument("id", metavar="ID", help="such as 2026-11-23-1: herse incident list")
        one.add_argument("--config", type=Path, required=True, metavar="FILE", help="the settings of the gateway")


def _days(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and 0 < int(text[:6]) <= _DAYS_AT_MOST):
        raise ArgumentTypeError(f"found {text!a}; expected a number of days from 1 to {_DAYS_AT_MOST:,}")
    return int(text)


def run_exposed(arguments: argparse.Namespace) -> int:
    """Print the figures. 0: somebody was exposed; 1: nobody, or refused, with a sentence; 2: state not usable."""
    return told(lambda: _exposed(arguments, load_settings(arguments.config)))


def _exposed(arguments: argparse.Namespace, settings: Settings) -> str:
    svg, days = arguments.svg, arguments.minus_honest
    if svg is not None and (svg.is_dir() or not os.access(svg if svg.exists() else svg.absolute().parent, os.W_OK)):
        raise StartError(f"{svg}: cannot be written; expected a file in a folder of yours")
    note = "figures" if days is None else f"figures minus {days} days of honest use"
    incident = noted(settings, arguments.id, "examined", note)
    reader = open_exposure(settings.ledger_place())
    try:
        found = _figures(reader, incident, days)
    finally:
        reader.close()
    if not found.whole.people:
        if arguments.json:
            print(as_json(exposure_json(incident, found, days)))
        raise IncidentError(_nobody(incident, found))
    if svg is not None:
        try:
            svg.write_text(draw(incident, found), encoding="utf-8")
        except OSError as error:
            raise StartError(f"{svg}: {error.strerror}; expected a file that can be written") from None
    return as_json(exposure_json(incident, found, days)) if arguments.json else exposure_text(incident, found, days)


def _nobody(incident: Incident, found: Exposure) -> str:
    besides = f" ({found.known:,} are left out as known)" if found.known else ""
    besides += f" ({found.unnamed:,} disclosures name nobody)" if found.unnamed else ""
    return (
        f"in incident {incident.id} nobody was exposed{besides}: no look-up of {', '.join(incident.accounts)} from "
        f"{incident.since.isoformat()} to {incident.until.isoformat()}. Compare accounts, times and teleservices."
    )


def _figures(reader: ExposureReader, incident: Incident, days: int | None) -> Exposure:
    since = None if days is None else incident.since - timedelta(days=days)
    progress = Progress(sys.stderr.isatty())
    read = progress.part("reading", reader.count(incident.span))
    try:
        return exposed(reader.looks(incident.span, known_since=since), incident.span, read)
    finally:
        progress.end()


def run_notify(arguments: argparse.Namespace) -> int:
    """Write the drafts. 0: written; 1: refused, with a sentence; 2: state not usable."""
    return told(lambda: _notify(arguments, load_settings(arguments.config)))


def _notify(arguments: argparse.Namespace, settings: Settings) -> str:
    incident = noted(settings, arguments.id, "drafted", f"drafts into {arguments.out.name}")
    reader = open_exposure(settings.ledger_place())
    now = datetime.now(UTC)
    try:
        found = _figures(reader, incident, None)
        after = Span(incident.accounts, incident.since, now)
        measures = reader.told(after, MEASURES)
        alerts = reader.told(incident.span, {EventKind.ALERTED})
    finally:
        reader.close()
    facts = Facts(incident, found, now, tuple(measures), tuple(alerts), settings.public.origin)
    written = write_drafts(arguments.out, facts, partial(_prove, settings, incident))
    names = "\n".join(f"  {name}" for name in written)
    return (
        f"Drafts in {arguments.out} (in French):\n{names}\n\nNothing is sent. What only a person can know is marked "
        "[À COMPLÉTER : …]; begin with the file LISEZ-MOI."
    )


def _prove(settings: Settings, incident: Incident, folder: Path) -> Proved:
    """The ledger's proofs of all events of the incident, for the complaint."""
    place, key = settings.ledger_place(), signing_key(settings).verifier().text()
    progress = Progress(sys.stderr.isatty())
    with closing(open_exposure(place)) as reader, closing(open_tree_store(place, writes=False)) as store:
        told = progress.part("proving", reader.count(incident.span))
        try:
            return write_proofs(folder, reader.rows(incident.span), store, key, told)
        finally:
            progress.end()
