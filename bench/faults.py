# SPDX-License-Identifier: EUPL-1.2
"""The worst day, many times over: the gateway, or what its ledger lies on, ends or fails under load, at any moment.

`make faults` starts a gateway before the demo portal for each fault and round, on SQLite and on PostgreSQL, as one
process and as two; lets clients look people up; and does the worst at a moment that chance decides. Afterwards nobody
may have been shown who is not on record; while a write has failed, each process refuses metered teleservices with their
page and serves the rest, also once the fault is over; a start of all says that nothing signed is lost, and shows again;
and `herse ledger verify` finds what was signed. What is not so is told, and ends it with exit code 1. `--only NAME` and
`--rounds 1` for a glance. As root: disks are mounted.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench.fault_kinds import FAULTS, POSTGRESQL, World
from support.crew import Crew, together
from support.lookups import Demo, api_request
from support.postgres import PostgresServer
from support.servers import wait_until
from support.small_disk import SmallDisk
from support.worst_day import WorstDay, taken_up

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.fault_kinds import Kind

ROUNDS: Final = 3
_ACCOUNTS: Final = ("750012346", "750012353", "751112343") * 2
_DISK: Final = "32m"
_LONGEST_WAIT: Final = 1.5
_SOUND: Final = "nothing that was signed is lost"


@dataclass(frozen=True)
class Case:
    """One fault, to one kind of gateway, at one moment."""

    kind: Kind
    workers: int
    wait: float


def cases(rounds: int, only: list[str], seed: int) -> Iterator[Case]:
    """All that is to be tried."""
    chance = random.Random(seed)  # moments, no secrets
    for name, kind in FAULTS.items():
        for workers in kind.workers:
            for _ in range(rounds):
                wait = chance.uniform(0, _LONGEST_WAIT)
                if not only or name in only:
                    yield Case(kind, workers, wait)


def tried(case: Case, folder: Path) -> tuple[list[str], str]:
    """What was not as promised, and a word on how much there was to it."""
    with ExitStack() as stack:
        day = _made(case, folder, stack)
        found = _under_fault(case, day) + day.faults()
        day.world.mend()
        found += _restarted(case, day)
    return found, f"{day.statuses[200]} shown, {day.cut} cut, {day.statuses[503]} refused"


class _Day(WorstDay):
    world: World


def _made(case: Case, folder: Path, stack: ExitStack) -> _Day:
    settings = stack.enter_context(together(folder, case.workers))
    disk = stack.enter_context(SmallDisk(_DISK, "nobody" if case.kind.database == POSTGRESQL else None))
    server, shown = None, None
    if case.kind.database == POSTGRESQL:
        log = disk.path if case.kind.small == "log" else None
        server = stack.enter_context(PostgresServer(prefix=disk.prefix, log=log))
        if case.kind.small == "tables":
            server.ask("postgres", f"create tablespace small location '{disk.path}'")
        place = server.database(space="small" if case.kind.small == "tables" else "pg_default")
        settings = {**settings, "ledger": server.section(place, folder)}
        kept, kept_place = server, place
        shown = lambda: kept.shown(kept_place)  # noqa: E731
    demo = Demo(folder, settings=settings, workers=case.workers)
    stack.enter_context(demo.portal)
    day = _Day(demo, shown or demo.shown_on_record, _ACCOUNTS)
    day.world = World(demo, disk, server)
    return day


def _under_fault(case: Case, day: _Day) -> list[str]:
    found: list[str] = []
    with Crew(day.demo.house, case.workers, case.kind.prefix(day.world)) as crew:
        day.world.crew = crew
        with day.load() as load, ExitStack() as stack:
            links = stack.enter_context(crew.links(day.cookies[0][1])) if case.kind.stops else {}
            time.sleep(case.wait)
            before = load.statuses[503]
            case.kind.act(day.world)
            for link in links.values():  # the clients may all have met the process whose disk is sound
                link.ask(api_request(next(day.numbers)))
            if case.kind.stops:
                wait_until("refused", lambda: load.statuses[503] > before + 10, 90)
        if case.kind.stops:
            found += day.refusing(crew)
            day.world.mend()
            found += [f"once mended: {one}" for one in day.refusing(crew)]
            found += _failure_told(crew)
        elif case.kind.goes_on:
            wait_until("all serve again", lambda: len(crew.told("serving")) > case.workers and crew.linked(), 90)
            found += [] if day.shows() else ["nobody is shown after it"]
    day.world.carry_out()
    return found


def _failure_told(crew: Crew) -> list[str]:
    try:
        crew.tells("ledger-failed")
    except TimeoutError:
        return ["the log does not say that the ledger failed"]
    return []


def _restarted(case: Case, day: _Day) -> list[str]:
    found = []
    with Crew(day.demo.house, case.workers) as crew:
        said = taken_up(crew)
        if len(said) != 1 or _SOUND not in said[0]:
            found.append(f"the start says {said}")
        if not day.shows():
            found.append("nobody is shown after a start")
    found += day.faults()
    code, words = day.verified()
    return found if code == 0 else [*found, f"herse ledger verify: {words}"]


def main(arguments: list[str]) -> int:
    """1 if anything was not as promised."""
    parser = argparse.ArgumentParser(description="End or fail what a gateway stands on, under load.")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", action="append", default=[], choices=sorted(FAULTS), metavar="NAME")
    chosen = parser.parse_args(arguments)
    wrong = 0
    for case in cases(chosen.rounds, chosen.only, chosen.seed):
        began = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="herse-faults-") as folder:
            found, much = tried(case, Path(folder))
        wrong += bool(found)
        took = time.monotonic() - began
        print(f"{case.kind.name:28} workers {case.workers}  {much:44} {took:5.0f} s  {'WRONG' if found else 'sound'}")
        for one in found:
            print(f"    {one}")
        sys.stdout.flush()
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
