# SPDX-License-Identifier: EUPL-1.2
"""`make bench`: what Herse costs beside nginx, measured in one run, printed as a table and kept in bench/results.json;
then what counting costs (meter), and reading what an answer shows (scan).

All servers run at the same time, each on its own port, on one core; load and upstream are on the other. The load goes
round them in short turns, in the opposite order each time, so that a drift of the machine hits all alike. Figures are
medians over the rounds. CPU is user and system time of the server and its descendants, divided by the answers. Ratios
are to nginx passing the 300-byte page on, in the same run: `ratio_nginx` of medians, its range over the rounds.
Loopback makes the sender pay for the receiver's TCP work, so a good part of every figure is the kernel's.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from bench import meter, scan
from bench.download import CLIENTS, peak_rss_mib
from bench.load import Answered, full_load
from bench.machine import cores, cpu_seconds, describe, pinned, rss_mib
from bench.servers import (
    DOWNLOAD_BYTES,
    LARGE_BYTES,
    PAGE_BYTES,
    Server,
    check_pinned,
    start_herse,
    start_nginx,
    start_origin,
)
from bench.steady import steady_load
from support.nginx import NGINX

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.world import World

RESULTS = Path(__file__).with_name("results.json")
STEADY_PER_SECOND = 1000
# Highest ratio to nginx's page at which Herse keeps its word.
FLOORS = {"page": 2.6, "lookup": 6.0}
# No run of wrk looks up more people than this, so the next one may count on from there.
_PEOPLE_PER_TURN = 1_000_000


@dataclass
class Cell:
    """One scenario on one server, and what its turns gave."""

    scenario: str
    server: Server
    load: Callable[[float], Answered]
    seconds: float
    turns: list[Answered] = field(default_factory=list)
    cpu_us: list[float] = field(default_factory=list)
    rss: list[float] = field(default_factory=list)

    def turn(self, seconds: float | None = None, *, keep: bool = True) -> None:
        """Load the server once."""
        pid = self.server.process.pid
        before = cpu_seconds(pid)
        answered = self.load(seconds or self.seconds)
        if keep:
            self.turns.append(answered)
            self.cpu_us.append((cpu_seconds(pid) - before) / answered.requests * 1e6)
            self.rss.append(rss_mib(pid))

    def row(self, base: Cell) -> dict[str, str | float]:
        """The figures, medians over the turns; ratios to the turns of `base`."""
        cpu, base_cpu = statistics.median(self.cpu_us), statistics.median(base.cpu_us)
        ratios = [mine / its for mine, its in zip(self.cpu_us, base.cpu_us, strict=True)]
        return {
            "scenario": self.scenario,
            "server": self.server.name,
            "rps": round(statistics.median(one.requests / one.seconds for one in self.turns)),
            "cpu_us": round(cpu, 1),
            "p50_ms": round(statistics.median(one.p50_ms for one in self.turns), 3),
            "p99_ms": round(statistics.median(one.p99_ms for one in self.turns), 3),
            "rss_mib": round(max(self.rss), 1),
            "ratio_nginx": round(cpu / base_cpu, 2),
            "ratio_least": round(min(ratios), 2),
            "ratio_most": round(max(ratios), 2),
        }


class People:
    """Counts on, so that no person is looked up twice in a run."""

    def __init__(self) -> None:
        self._next = 0

    def turn(self) -> int:
        """Where a turn may begin to count."""
        first, self._next = self._next, self._next + _PEOPLE_PER_TURN
        return first


def page(server: Server, path: str, size: int) -> Callable[[float], Answered]:
    """As many pages as it answers."""
    before = pinned(cores()[1])
    return lambda seconds: full_load(server.port, path, server.headers, seconds, least_bytes=size, before=before)


def lookup(server: Server, people: People) -> Callable[[float], Answered]:
    """As many people as it answers, each another one."""
    before = pinned(cores()[1])
    return lambda seconds: full_load(
        server.port,
        "/",
        server.headers,
        seconds,
        least_bytes=PAGE_BYTES,
        people_from=people.turn(),
        before=before,
    )


def steady(server: Server, target: Callable[[int], str], people: People | None = None) -> Callable[[float], Answered]:
    """Requests at a fixed rate."""
    fields = "".join(f"{name}: {value}\r\n" for name, value in server.headers.items())

    def load(seconds: float) -> Answered:
        first = people.turn() if people else 0
        return steady_load(
            server.port,
            lambda n: f"GET {target(first + n)} HTTP/1.1\r\n{fields}\r\n".encode(),
            STEADY_PER_SECOND,
            seconds,
        )

    return load


def lookup_target(number: int) -> str:
    """The path of one person, the same numbers as in wrk.lua."""
    rest, year = divmod(number, 100)
    rest, month = divmod(rest, 12)
    rest, order = divmod(rest, 999)
    digits = f"1{year:02}{month + 1:02}99{rest % 400 + 100:03}{order + 1:03}"
    return f"/infopatient/{digits}{97 - int(digits) % 97:02}"


def cells_of(servers: list[Server], seconds: float) -> list[Cell]:
    """What is measured, in the order of the table. The first is the base of all ratios."""
    people = People()
    plain = [one for one in servers if one.name != "nginx-tuned"]
    herse = [one for one in servers if one.name == "herse"]
    cells = [Cell("page", one, page(one, "/s", PAGE_BYTES), seconds) for one in plain]
    cells += [Cell("page-64k", one, page(one, "/s64", LARGE_BYTES), seconds) for one in servers]
    cells += [Cell("lookup", one, lookup(one, people), seconds) for one in herse]
    cells += [Cell("page-steady", one, steady(one, lambda _: "/s"), seconds) for one in plain]
    cells += [Cell("lookup-steady", one, steady(one, lookup_target, people), seconds) for one in herse]
    return cells


def measure(cells: list[Cell], rounds: int) -> None:
    """Warm up, then go round, there and back."""
    for cell in cells:
        cell.turn(1, keep=False)
    for number in range(rounds):
        for cell in cells if number % 2 == 0 else cells[::-1]:
            cell.turn()
            print(
                f"\r  round {number + 1} of {rounds}: {cell.scenario} {cell.server.name}, {cell.cpu_us[-1]:.0f} us",
                end="\033[K",
                flush=True,
            )
    print("\r\033[K", end="")


def download_row(server: Server, seconds: float) -> dict[str, str | float | None]:
    """Memory while slow clients download; the other figures would say nothing here."""
    peak = peak_rss_mib(server.process.pid, server.port, "/download", server.headers, size=DOWNLOAD_BYTES, slow=seconds)
    figures = dict.fromkeys(("rps", "cpu_us", "p50_ms", "p99_ms", "ratio_nginx"))
    return {"scenario": "download", "server": server.name, **figures, "rss_mib": round(peak, 1)}


def print_table(rows: list[dict[str, str | float | None]]) -> None:
    """For a person."""
    heads = " ".join(f"{head:>7}" for head in ("rps", "CPU us", "p50 ms", "p99 ms", "RSS MiB"))
    print(f"{'scenario':14} {'server':12} {heads}   x nginx's page")
    for row in rows:
        numbers = [row[name] for name in ("rps", "cpu_us", "p50_ms", "p99_ms", "rss_mib")]
        columns = " ".join(f"{'-' if one is None else one:>7}" for one in numbers)
        ratio = "-"
        if row["ratio_nginx"] is not None:
            ratio = f"{row['ratio_nginx']:.2f} ({row['ratio_least']:.2f}-{row['ratio_most']:.2f})"
        floor = FLOORS.get(str(row["scenario"])) if row["server"] == "herse" else None
        print(f"{row['scenario']:14} {row['server']:12} {columns}   {ratio}" + (f", floor {floor}" if floor else ""))


def print_counted(rows: list[dict[str, str | float | None]]) -> None:
    """What counting costs, for a person."""
    heads = ("CPU us", "in Redis", "trips", "per s", "x PING")
    print(f"\n{'counting':32} " + " ".join(f"{head:>8}" for head in heads))
    for row in rows:
        if "bytes_account" in row:
            continue
        numbers = [row[name] for name in ("cpu_here_us", "cpu_redis_us", "round_trips", "per_s", "ratio_ping")]
        print(f"{row['what']:32} " + " ".join(f"{'-' if one is None else format(one, '.1f'):>8}" for one in numbers))
    print(f"\n{'in Redis':32} {'bytes/account':>14} {'bytes/person':>14} {'GB/400,000':>11}")
    for row in rows:
        if "bytes_account" in row:
            figures = (row["bytes_account"], row["bytes_person"], row["gb_400k"])
            print("{:32} {:14.0f} {:14.0f} {:11.1f}".format(row["what"], *figures))


def check_ledger(world: World, cells: list[Cell]) -> None:
    """Every look-up that was answered stands in the ledger (so do those of the warm-up, and those cut off)."""
    answered = sum(turn.requests for cell in cells if cell.scenario.startswith("lookup") for turn in cell.turns)
    recorded = world.lookups()
    print(f"look-ups answered in the rounds: {answered}; recorded in the ledger: {recorded}")
    if recorded < answered:
        raise RuntimeError("look-ups were answered that the ledger does not hold")


def run(servers: list[str], rounds: int, seconds: float) -> list[dict[str, str | float | None]]:
    """Start everything, measure, stop everything."""
    world = None
    with tempfile.TemporaryDirectory(prefix="herse-bench-") as name, ExitStack() as stack:
        folder = Path(name)
        origin = start_origin(stack, folder)
        started = [start_nginx(stack, folder, origin, one) for one in servers if one != "herse"]
        if "herse" in servers:
            herse, world = start_herse(stack, folder, origin)
            started.append(herse)
        check_pinned(started)
        cells = cells_of(started, seconds)
        measure(cells, rounds)
        rows: list[dict[str, str | float | None]] = [{**cell.row(cells[0])} for cell in cells]
        rows += [download_row(one, 2 * seconds) for one in started if one.name != "nginx-tuned"]
        if world is not None:
            herse.process.stop()
            check_ledger(world, cells)
    return rows


def main(arguments: list[str]) -> int:
    """Measure, print, write the results."""
    parser = argparse.ArgumentParser(description="What Herse costs beside nginx.")
    parser.add_argument("--quick", action="store_true", help="three rounds of one second: a glance, not a figure")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0, help="length of one turn")
    parser.add_argument("--without-herse", action="store_true", help="nginx alone, to know the machine")
    chosen = parser.parse_args(arguments)
    rounds, seconds = (3, 1.0) if chosen.quick else (chosen.rounds, chosen.seconds)
    core, other = cores()
    if core == other:
        print("Only one core: server and load share it, so latencies say little.", file=sys.stderr)
    os.sched_setaffinity(0, {other})
    rows = run(["nginx", "nginx-tuned"] + ([] if chosen.without_herse else ["herse"]), rounds, seconds)
    print_table(rows)
    print(f"-steady: {STEADY_PER_SECOND} requests/s, open loop. download: {CLIENTS} slow clients, 50 MiB each.")
    counted = meter.rows(2_000 if chosen.quick else 20_000)
    print_counted(counted)
    print("\nscanning text without patient numbers")
    scanned = [count.told(kind) for kind, count in scan.each(0.005 if chosen.quick else 0.05)]
    results = {
        "rows": rows,
        "counting": counted,
        "scanning": scanned,
        "machine": describe(NGINX),
        "rounds": rounds,
        "seconds": seconds,
    }
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
