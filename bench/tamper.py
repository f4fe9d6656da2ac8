# SPDX-License-Identifier: EUPL-1.2
"""Whether any falsification of a ledger stays unseen: every byte of it changed one by one, and what a forger would do.

`make tamper` seals a ledger of 1,000 events in memory and lets the second reader check each falsified copy: one bit of
each byte of every line of an export, of every stored column and its sequence, of every tile, of the checkpoint; every
event dropped, doubled and swapped with its neighbour; the tail cut at each place, and cut and grown again under the
gateway's own key; each older copy put back; another key, another origin. Held against are the newest checkpoint and one
that was kept outside. One that is not found ends it with exit code 1. Where a row was changed, the very leaf is due.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from bench.falsify import KINDS, honest_of
from gateway.ledger.wrong import Wrong

if TYPE_CHECKING:
    from bench.falsify import Attempt

EVENTS: Final = 1_000
_BAR: Final = 40


@dataclass
class Count:
    """What was tried, and each falsification that was not found or not named."""

    tried: int = 0
    unseen: tuple[str, ...] = ()

    def __iadd__(self, other: Count) -> Count:  # noqa: PYI034  # no class below this one
        self.tried += other.tried
        self.unseen += other.unseen
        return self


def attempt_all(task: tuple[int, int, int]) -> Count:
    """Every `step`th falsification at one event of a ledger, of all kinds."""
    events, number, step = task
    count, honest = Count(), honest_of(events)
    for kind in KINDS:
        for place, attempt in enumerate(kind(honest, number)):
            if (place + number) % step:
                continue
            count.tried += 1
            fault = missed(attempt)
            if fault is not None:
                count.unseen += (f"{kind.__name__}, event {number}, {place}: {fault}",)
    return count


def missed(attempt: Attempt) -> str | None:
    """What is wrong with the second reader's answer, if anything."""
    try:
        attempt.check()
    except Wrong as wrong:
        if (attempt.due and wrong.finding not in attempt.due) or attempt.named not in {None, wrong.number}:
            return f"found, but told as: {wrong}"
        return None
    return "not found"


def main(arguments: list[str]) -> int:
    """1 if one stayed unseen."""
    parser = argparse.ArgumentParser(description="Falsify a small ledger in every way; each must be found.")
    parser.add_argument("--events", type=int, default=EVENTS)
    parser.add_argument("--step", type=int, default=1, help="only every so manieth falsification")
    parser.add_argument("--jobs", type=int, default=1)
    chosen = parser.parse_args(arguments)
    honest_of(chosen.events).ledger.checked()
    count, began = Count(), time.monotonic()
    tasks = [(chosen.events, number, chosen.step) for number in range(chosen.events)]
    with multiprocessing.get_context("fork").Pool(chosen.jobs) as pool:
        for done, one in enumerate(pool.imap_unordered(attempt_all, tasks), 1):
            count += one
            shown(done, len(tasks), count.tried)
    took = time.monotonic() - began
    print(f"\n{count.tried} falsifications of {chosen.events} events in {took:.0f} s, {len(count.unseen)} unseen")
    for line in count.unseen[:20]:
        print(line)
    return 1 if count.unseen or not count.tried else 0


def shown(done: int, of: int, tried: int) -> None:
    """The bar, on a terminal alone."""
    if sys.stdout.isatty():
        full = _BAR * done // of
        print(f"\r[{'#' * full}{'.' * (_BAR - full)}] {done}/{of} events, {tried} falsified copies", end="", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
