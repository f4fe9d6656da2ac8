# SPDX-License-Identifier: EUPL-1.2
"""`herse ledger trace`: all that one account did and all that was disclosed to it in a period, for the professional or
an auditor who asks; or, by a patient's number, which accounts that person was shown to (GDPR art. 15).

The question is on record before the first line is shown; a patient's number is typed and never an argument, where
others of the machine would read it. This file reads the command line and writes; what a line says is `trace_lines`.
"""

from __future__ import annotations

import os
import secrets
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.cli.intervals import beginning, ending
from gateway.cli.ledger_source import add_source
from gateway.cli.on_record import gateway_asked, on_record
from gateway.cli.outcome import told
from gateway.cli.progress import Progress
from gateway.cli.trace_lines import FORMATS, TraceLines
from gateway.cli.trace_writing import watched, write
from gateway.cli.typed import read_secret
from gateway.errors import ConfigurationError, HerseError, Refused, StartError
from gateway.identity.identifiers import parse_identifier
from gateway.ledger.trace import open_trace
from gateway.metering.patient import parse_patient_number
from gateway.metering.pseudonym import Pseudonymizer
from gateway.policy_in_force import load_tested_policy, titles_of
from gateway.settings import read_key
from gateway.state_files import PSEUDONYM_KEY_FILE

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable, Iterator

    from gateway.ledger.event import StoredEvent
    from gateway.ledger.place import Place
    from gateway.ledger.trace import Summary, TraceReader
    from gateway.settings import Settings

_NOW: Final = "now"


class TraceError(HerseError):
    """Nothing is traced; the sentence says why and what to do."""


class _Asked(NamedTuple):
    """What is traced: whom, from when to before when; `where`, and for a person the gateway's settings."""

    place: Place
    account: str
    since: datetime
    until: datetime


def add_act(acts: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the act; it sets `run`."""
    parser = acts.add_parser("trace", help="all that one account did and was shown in a period, or who saw one person")
    whom = parser.add_mutually_exclusive_group(required=True)
    whom.add_argument("account", metavar="ACCOUNT", nargs="?", help="AM or FINESS number, or the account's name")
    whom.add_argument("--patient", action="store_true", help="who saw one person: the number is asked for")
    add_source(parser)
    parser.add_argument("--from", dest="since", type=beginning, required=True, metavar="TIME", help="a day or a time")
    parser.add_argument("--to", dest="until", type=_ending, default=_NOW, metavar="TIME", help="end (default: now)")
    parser.add_argument("--reason", help="kept with the event, which the account's owner sees; not with --file")
    parser.add_argument("--format", choices=FORMATS, help="default: by the name of --out, else a table")
    parser.add_argument("--out", type=Path, metavar="FILE", help="a new file (default: the terminal)")
    parser.add_argument("--language", choices=("fr", "en"), default="fr", help="of words (default: fr)")
    parser.add_argument("--whole", action="store_true", help="also what the professional's page does not tell")
    parser.set_defaults(run=run)


def _ending(text: str) -> datetime:
    if text == _NOW:
        return datetime.now(UTC)
    return ending(text)


def run(arguments: argparse.Namespace) -> int:
    """Write the trace. 0: written; 1: refused or nothing to tell, with a sentence; 2: settings or state not usable."""
    try:
        code = told(lambda: _trace(arguments))
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read it has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code


def _trace(arguments: argparse.Namespace) -> str:
    form = _form(arguments.format, arguments.out)
    _check_span(arguments.since, arguments.until)
    if arguments.patient:
        return _of_person(arguments, form)
    return _of_account(arguments, form)


def _form(given: str | None, out: Path | None) -> str:
    named = None if out is None else out.suffix.removeprefix(".").lower()
    if out is not None and os.path.lexists(out):
        raise StartError(f"{out} exists already; expected a new name: nothing is written over")
    form = given or named or "table"
    if form not in FORMATS:
        raise TraceError(f"found {out} as the file to write; expected a name in .csv or .jsonl, or a --format")
    return form


def _check_span(since: datetime, until: datetime) -> None:
    if since >= datetime.now(UTC):
        raise TraceError(f"the period begins {since.isoformat()}, which is to come; expected a time that has been")
    if until <= since:
        raise TraceError(
            f"the period ends {until.isoformat()}, which is not after its beginning {since.isoformat()}; expected --to "
            "later than --from"
        )


def _of_account(arguments: argparse.Namespace, form: str) -> str:
    settings = gateway_asked(arguments)
    if settings is None:
        asked = _Asked(arguments.file, parse_identifier(arguments.account), arguments.since, arguments.until)
    else:
        what = f"trace from {arguments.since:%Y-%m-%dT%H:%M}Z to {arguments.until:%Y-%m-%dT%H:%M}Z"
        account, at = on_record(settings, what, arguments.reason, account=arguments.account)
        asked = _Asked(settings.ledger_place(), account or "", arguments.since, min(arguments.until, at))
    with closing(open_trace(asked.place)) as reader:
        summary = reader.summary(asked.account, asked.since, asked.until)
        if not summary.events:
            raise TraceError(
                f"the ledger has no event of account {asked.account} from {asked.since.isoformat()} to "
                f"{asked.until.isoformat()}; expected another period, or another account: days are those of Paris"
            )
        found = watched(reader.of_account(asked.account, asked.since, asked.until), summary.events, arguments.out)
        written = write(arguments.out, form, found, _lines(arguments, settings))
    return _outcome(arguments, form, written, summary)


def _of_person(arguments: argparse.Namespace, form: str) -> str:
    settings = gateway_asked(arguments)
    if settings is None:
        raise StartError("--patient goes with --config alone; expected the gateway's settings, for its pseudonym key")
    person = _pseudonym(settings)
    what = f"who saw one person, from {arguments.since:%Y-%m-%dT%H:%M}Z to {arguments.until:%Y-%m-%dT%H:%M}Z"
    at = on_record(settings, what, arguments.reason, person=person).at
    seen = _Seen(settings, what, arguments.reason)
    with closing(open_trace(settings.ledger_place())) as reader:
        found = seen.recorded(_of_one(reader, person, arguments, min(arguments.until, at)))
        written = write(arguments.out, form, found, _lines(arguments, settings))
    return _outcome(arguments, form, written, None, seen.accounts)


class _Seen:
    """The accounts in an answer about a person: each has its event before its first line is shown."""

    def __init__(self, settings: Settings, what: str, reason: str) -> None:
        self._settings, self._what, self._reason = settings, what, reason
        self.accounts: set[str] = set()

    def recorded(self, found: Iterable[StoredEvent]) -> Iterator[StoredEvent]:
        for stored in found:
            name = stored.event.account
            if name and name not in self.accounts:
                on_record(self._settings, self._what, self._reason, owners=[name])
                self.accounts.add(name)
            yield stored


def _of_one(
    reader: TraceReader, person: bytes, arguments: argparse.Namespace, until: datetime
) -> Iterator[StoredEvent]:
    progress = Progress(sys.stderr.isatty() and arguments.out is not None)
    found = None
    try:
        for found in reader.of_person(person, arguments.since, until, progress.part("reading", 1.0)):
            yield found
    finally:
        progress.end()
    if found is None:
        raise TraceError(
            "the ledger has no event of this person in this period: nobody asked for that number. Compare number and "
            "period; look-ups under an earlier pseudonym key are not found"
        )


def _pseudonym(settings: Settings) -> bytes:
    key = read_key(settings.keys.folder / PSEUDONYM_KEY_FILE)
    try:
        return Pseudonymizer(key)(parse_patient_number(read_secret("Number of the patient")))
    except Refused:
        raise TraceError(
            "what was typed is no patient number; expected the 13 or 15 characters of a NIR with its right key, or a "
            "provisional number. Nothing was read."
        ) from None


def _lines(arguments: argparse.Namespace, settings: Settings | None) -> TraceLines:
    titles: dict[str, str] = {}
    provider = None
    if settings is not None:
        provider = None if settings.sso is None else settings.sso.name
        try:
            titles = titles_of(load_tested_policy(settings.policy.file))
        except ConfigurationError as error:
            print(f"herse: teleservices are told by their names, for the policy is refused: {error}", file=sys.stderr)
    return TraceLines(arguments.language, titles, secrets.token_bytes(32), provider=provider, whole=arguments.whole)


def _outcome(
    arguments: argparse.Namespace,
    form: str,
    written: int,
    summary: Summary | None,
    accounts: Iterable[str] = (),
) -> str:
    if summary is None:
        text = f"{written:,} events of this person, at {len(set(accounts))} accounts: {', '.join(sorted(accounts))}"
    else:
        text = f"{summary.events:,} events; {summary.looks:,} look-ups of {summary.people:,} different people"
    if arguments.out is not None:
        return f"Made {arguments.out}: {text}."
    if form != "table":
        print(f"herse: {text}", file=sys.stderr)
        return ""
    return f"\n{text}."
