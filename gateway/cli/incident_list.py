# SPDX-License-Identifier: EUPL-1.2
"""`herse incident export | unseal`: the list to inform people one by one. With the officer's key it has their numbers;
without, it is sealed, and `unseal` opens it where the officer keeps his key, with no gateway and no settings.

The password of a key is typed, or the first line of a file; never an argument.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.cli.on_record import noted
from gateway.cli.outcome import told
from gateway.cli.progress import Progress
from gateway.cli.typed import read_secret
from gateway.errors import StartError
from gateway.incident.export import clear_left, write_opened, write_sealed
from gateway.incident.incident import IncidentError
from gateway.incident.listing import format_of
from gateway.incident.people import officers_of, people
from gateway.incident.sealed_list import SealedList
from gateway.incident.unsealing import Unsealing
from gateway.ledger.exposure import open_exposure
from gateway.ledger.officer_key import load_private
from gateway.ledger.seal import Unsealer
from gateway.settings import load_settings

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable
    from types import FrameType

    from gateway.incident.incident import Incident
    from gateway.ledger.exposure import ExposureReader
    from gateway.settings import Settings


_LARGEST_KEY_FILE = 65_536
_STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def add_parsers(acts: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `export` and `unseal` to the acts on incidents; each sets `run`."""
    export = acts.add_parser("export", help="write the list of the people to inform; without --key it is sealed")
    export.add_argument("id", metavar="ID", help="such as 2026-11-23-1: herse incident list")
    export.add_argument("--config", type=Path, required=True, metavar="FILE", help="the settings of the gateway")
    export.set_defaults(run=run_export)
    unseal = acts.add_parser("unseal", help="open a sealed list with the officer's key, on a machine of his own")
    unseal.add_argument("list", type=Path, metavar="LIST", help="what herse incident export wrote without --key")
    unseal.set_defaults(run=run_unseal)
    for parser in (export, unseal):
        parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="a new file: .csv or .jsonl")
        parser.add_argument(
            "--key",
            type=Path,
            action="append",
            default=[],
            dest="keys",
            metavar="FILE",
            required=parser is unseal,
            help="the officer's private key; repeated, for those of before a rotation",
        )
        parser.add_argument(
            "--password-file", type=Path, metavar="FILE", help="one line with the password of each key, in their order"
        )
        parser.add_argument(
            "--incomplete", action="store_true", help="also list, without number, whose number does not open"
        )


def run_export(arguments: argparse.Namespace) -> int:
    """Write the list. 0: written; 1: refused, with a sentence, and no file; 2: settings or state not usable."""
    return told(lambda: _stoppable(arguments.out, lambda: _export(arguments, load_settings(arguments.config))))


def run_unseal(arguments: argparse.Namespace) -> int:
    """Open a sealed list. 0: written; 1: refused, with a sentence, and no file; 2: a file cannot be read."""
    return told(lambda: _stoppable(arguments.out, lambda: _unseal(arguments)))


def _stoppable(out: Path, act: Callable[[], str]) -> str:
    """An act that whoever types Ctrl-C, or stops the machine, ends with a sentence, and with no draft left."""

    def stop(number: int, _frame: FrameType | None) -> None:
        raise IncidentError(
            f"stopped by {signal.Signals(number).name} before the list was whole; nothing is left under {out}. Do the "
            "same again: it begins anew, and gives the same list."
        )

    before = {number: signal.signal(number, stop) for number in _STOPS}
    try:
        return act()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _export(arguments: argparse.Namespace, settings: Settings) -> str:
    out: Path = arguments.out
    _check_out(out, sealed=not arguments.keys)
    unsealing = _unsealing(arguments) if arguments.keys else None
    how = "sealed" if unsealing is None else "opened with the officer's key"
    incident = noted(settings, arguments.id, "exported", f"list of people, {how}")
    reader = open_exposure(settings.ledger_place())
    progress = Progress(sys.stderr.isatty())
    try:
        written = _write(arguments, reader, incident, unsealing, progress)
    finally:
        progress.end()
        reader.close()
    if unsealing is None:
        return (
            f"{written:,} people are in {out}, their numbers still sealed. The officer opens it with:\n"
            f"  herse incident unseal {out.name} --key officer.key --out list.csv"
        )
    return _told(out, written, unsealing)


def _write(
    arguments: argparse.Namespace,
    reader: ExposureReader,
    incident: Incident,
    unsealing: Unsealing | None,
    progress: Progress,
) -> int:
    keys = list(reader.data_keys(incident.span))
    progress.parts = 2
    learning = progress.part("opening data keys", len(keys))
    if unsealing is not None:
        unsealing.learn(keys, learning)
    # Look-ups, not people, are known beforehand: the bar may end early, and never lies the other way.
    looks = reader.count(incident.span)
    told = progress.part("writing people", looks)
    found = people(reader.looks(incident.span, sealed=True), officers_of(keys))
    if unsealing is None:
        return write_sealed(arguments.out, incident.id, keys, found, looks=looks, told=told)
    return write_opened(arguments.out, found, unsealing, incomplete=arguments.incomplete, told=told)


def _unseal(arguments: argparse.Namespace) -> str:
    _check_out(arguments.out, sealed=False)
    source: Path = arguments.list
    try:
        with source.open(encoding="utf-8", newline="\n") as lines:
            sealed = SealedList(lines, str(source))
            keys = sealed.data_keys()
            unsealing = _unsealing(arguments)
            progress = Progress(sys.stderr.isatty())
            progress.parts = 2
            try:
                unsealing.learn(keys, progress.part("opening data keys", len(keys)))
                told = progress.part("writing people", sealed.looks)
                written = write_opened(
                    arguments.out, sealed.people(), unsealing, incomplete=arguments.incomplete, told=told
                )
            finally:
                progress.end()
    except OSError as error:
        raise StartError(f"{source} cannot be read ({error.strerror}); expected a sealed list") from error
    return _told(arguments.out, written, unsealing)


def _told(out: Path, written: int, unsealing: Unsealing) -> str:
    lines = [f"{written:,} people are in {out}. It holds patient numbers in clear: keep it like the key."]
    if unsealing.unsealed:
        lines.append(
            f"{unsealing.unsealed:,} of them without number, by a reference: they were looked up before numbers were "
            "sealed."
        )
    if unsealing.unopened:
        lines.append(f"{unsealing.unopened:,} of them without number, because it does not open: {unsealing.why}")
    return "\n".join(lines)


def _check_out(out: Path, *, sealed: bool) -> None:
    """Say at once what would stop the list after minutes."""
    ending = format_of(out)
    if sealed and ending == "csv":
        raise IncidentError(f"found {out.name!a} without --key; a sealed list is JSON Lines: name it .jsonl")
    if out.exists():
        raise IncidentError(f"{out} exists already; expected no file there: name another one, or move it away")
    if out.absolute().parent.is_dir() and clear_left(out.absolute()):
        print("herse: an earlier try had left half a list in a hidden file; it is taken away", file=sys.stderr)


def _unsealing(arguments: argparse.Namespace) -> Unsealing:
    texts = [_text(key) for key in arguments.keys]  # before anybody types a password for nothing
    passwords = _passwords(arguments)
    return Unsealing([Unsealer(load_private(*one)) for one in zip(texts, passwords, strict=True)])


def _passwords(arguments: argparse.Namespace) -> list[str]:
    keys: list[Path] = arguments.keys
    if arguments.password_file is None:
        return [read_secret(f"Password of {key.name}") for key in keys]
    lines = _text(arguments.password_file).splitlines()
    if len(lines) < len(keys):
        raise StartError(f"{arguments.password_file} has {len(lines)} lines; expected one password for each --key")
    return lines[: len(keys)]


def _text(path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            return file.read(_LARGEST_KEY_FILE)
    except (OSError, UnicodeDecodeError) as error:
        raise StartError(f"{path} cannot be read ({error}); expected a text file of yours") from error
