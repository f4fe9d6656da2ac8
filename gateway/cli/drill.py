# SPDX-License-Identifier: EUPL-1.2
"""`herse drill`: real attacks and honest months, walked through the hallway at simulated time. Prints; decides nothing.

Exit codes: 0 the drill was walked, whatever it found; 2 it could not be (a policy with faults, a place not writable).
"""

from __future__ import annotations

import gc
import os
import secrets
import sys
from argparse import ArgumentTypeError
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from gateway.cli.ledger import make_officer_pair
from gateway.cli.nouns import NOUNS
from gateway.cli.policy import read_policy
from gateway.cli.progress import Progress
from gateway.drill.ending import LEDGER_FILE, Kept, end
from gateway.drill.honest import walk_honest
from gateway.drill.people import DEMO_PEOPLE, DemoPeople, ManyPeople, Residents
from gateway.drill.plot import draw
from gateway.drill.record import CountingLedger, KeptLedger
from gateway.drill.report import Report
from gateway.drill.scenarios import ATTACK_AT, DRILLS, Theatre
from gateway.drill.simulation import DAY
from gateway.drill.witness import Witness
from gateway.drill.world import load_world
from gateway.errors import StartError
from gateway.ledger.note import SigningKey
from gateway.ledger.officer_key import load_private
from gateway.ledger.seal import Seals
from gateway.ledger.store import create_ledger, open_ledger

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator

    from gateway.drill.honest import Honest
    from gateway.drill.scenarios import Outcome
    from gateway.ledger.officer_key import OfficerKey
    from gateway.policy.rules import Policy

HONEST: Final = "honest"
OFFICER_FOLDER: Final = "officer"
LEDGER_KEY_FILE: Final = "ledger.pub"
"""The public key of the drill's ledgers."""
LEDGER_ORIGIN: Final = "portal.example/ledger"
OFFICER_PASSWORD: Final = "officer of the drill"  # noqa: S105  # of a key that opens generated numbers alone
_BYSTANDERS: Final = 10
_ACCOUNTS, _DAYS = 50, 30
_ACCOUNTS_AT_MOST, _DAYS_AT_MOST = 65_536, 3_650


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `drill`."""
    parser = subparsers.add_parser("drill", help=NOUNS["drill"])
    parser.add_argument("drill", choices=[*DRILLS, HONEST], metavar="DRILL", help=", ".join([*DRILLS, HONEST]))
    parser.add_argument(
        "--policy", type=Path, default=Path("policies/demo.yaml"), metavar="FILE", help="default: %(default)s"
    )
    parser.add_argument(
        "--seed", type=_number(0, 2**63), default=1, metavar="N", help="another world by chance (default: %(default)s)"
    )
    accounts = _number(1, _ACCOUNTS_AT_MOST)
    parser.add_argument(
        "--accounts", type=accounts, default=_ACCOUNTS, metavar="N", help="honest accounts (default: %(default)s)"
    )
    days = _number(1, _DAYS_AT_MOST)
    parser.add_argument("--days", type=days, default=_DAYS, metavar="N", help="honest days (default: %(default)s)")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="draw people exposed over time")
    parser.add_argument(
        "--keep",
        type=Path,
        metavar="DIR",
        help="leave each scenario's ledger there, and end it with an incident; it must be new or empty",
    )
    parser.set_defaults(run=run)


def _number(least: int, most: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not (text.isascii() and text.isdecimal() and least <= int(text[:20]) <= most):
            raise ArgumentTypeError(f"found {text!a}; expected a whole number from {least:,} to {most:,}")
        return int(text)

    return number


def run(arguments: argparse.Namespace) -> int:
    """Walk one drill and print what it found."""
    policy = read_policy(arguments.policy)
    _check_places(arguments)
    # Look-ups leave no cycles, and the collector would walk millions of them again and again.
    gc.disable()
    try:
        report = _walk(arguments, policy, Progress(sys.stderr.isatty()))
    finally:
        gc.enable()
    if arguments.svg is not None:
        try:
            arguments.svg.write_text(draw(f"{report.drill}: {report.title}", report.outcomes), encoding="utf-8")
        except OSError as error:
            raise StartError(f"{arguments.svg}: {error.strerror}; expected a file that can be written") from None
    print(report.as_json() if arguments.json else report.as_text())
    return 0


def _check_places(arguments: argparse.Namespace) -> None:
    """Say at once what could not be written after minutes."""
    svg, keep = arguments.svg, arguments.keep
    if svg is not None and arguments.drill == HONEST:
        raise StartError("found --svg with the drill honest, where nobody is exposed; expected one of the attacks")
    if svg is not None and (svg.is_dir() or not os.access(svg if svg.exists() else svg.absolute().parent, os.W_OK)):
        raise StartError(f"{svg}: cannot be written; expected a file in a folder of yours")
    if keep is not None:
        try:
            keep.mkdir(parents=True, exist_ok=True)
            filled = next(keep.iterdir(), None) is not None
        except OSError as error:
            raise StartError(f"{keep}: {error.strerror}; expected a folder that can be made") from None
        if filled:
            raise StartError(f"{keep}: found files in it; expected a new or an empty folder: name another one")


def _walk(arguments: argparse.Namespace, policy: Policy, progress: Progress) -> Report:
    drill, world = DRILLS.get(arguments.drill), load_world()
    many = drill is not None and drill.people != DEMO_PEOPLE
    residents = Residents(ManyPeople() if many else DemoPeople())
    accounts, days, seed = arguments.accounts, arguments.days, arguments.seed
    officer = None if arguments.keep is None else _officer(arguments.keep)
    outcomes: list[Outcome] = []
    plans = () if drill is None else drill.plans
    progress.parts = len(plans) + 1
    if drill is not None:
        theatre = Theatre(drill, world, policy, residents, seed, min(accounts, _BYSTANDERS))
        for plan in plans:
            passed, witness = progress.part(plan.name, ATTACK_AT + plan.with_days * DAY), Witness()
            with _ledger(arguments.keep, plan.name, officer) as ledger:
                outcome = theatre.play(plan, ledger, passed, None if officer is None else witness)
            if officer is not None:
                ends, folder = ATTACK_AT + plan.with_days * DAY, arguments.keep / plan.name
                kept = Kept(folder, witness, residents.people, officer.private, officer.signing, ATTACK_AT, ends)
                outcome.incident = end(kept, ledger.alerts)
            outcomes.append(outcome)
            gc.collect()  # a hallway and its gate know each other
    with _ledger(arguments.keep, HONEST, officer) as ledger:
        honest: Honest = walk_honest(
            world, policy, residents, seed, accounts, days, ledger, progress.part(HONEST, days * DAY)
        )
    progress.end()
    title = "nobody attacks" if drill is None else drill.title
    return Report(arguments.drill, title, seed, policy.digest, outcomes, honest)


class _Keys(NamedTuple):
    """Those of one drill: the officer's, who can read what its ledgers hold, and the one that signs them."""

    private: OfficerKey
    signing: SigningKey


def _officer(keep: Path) -> _Keys:
    """Make the keys of this drill."""
    private, _, _ = make_officer_pair(keep / OFFICER_FOLDER, OFFICER_PASSWORD)
    signing = SigningKey(LEDGER_ORIGIN, secrets.token_bytes(32))
    (keep / OFFICER_FOLDER / LEDGER_KEY_FILE).write_text(f"{signing.verifier().text()}\n", encoding="utf-8")
    return _Keys(load_private(private.read_text(encoding="ascii"), OFFICER_PASSWORD), signing)


@contextmanager
def _ledger(keep: Path | None, name: str, officer: _Keys | None) -> Iterator[CountingLedger]:
    """The ledger of one scenario: a real one in its own folder, or one that only counts."""
    if keep is None or officer is None:
        yield CountingLedger()
        return
    folder = keep / name
    folder.mkdir(mode=0o700)
    create_ledger(folder / LEDGER_FILE)
    opened = open_ledger(folder / LEDGER_FILE)
    try:
        kept = KeptLedger(opened, Seals(officer.private.public))
        yield kept
        kept.finish()
    finally:
        opened.close()
