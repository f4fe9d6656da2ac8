# SPDX-License-Identifier: EUPL-1.2
"""A process that appends and tells what was acknowledged, for tests that take the disk or the power away from it.

    appender.py LEDGER [--create] [--synchronous S] [--checkpoint-pages N] [--callers N] [--appends N] [--abrupt]
    appender.py FOLDER --postgres PORT DATABASE USER [--unchecked] [--callers N] [--appends N]

FOLDER is that of the server's Unix socket; `--unchecked` appends whatever the server's settings.

Each line on standard output is one whole sentence: `ready PID`, `ack SEQUENCE REQUEST`, `start-error TEXT`,
`failed TEXT`, then, after a line on standard input, `refused` or `taken` for each of five more attempts, and `end`.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from gateway.errors import LedgerError, StartError
from gateway.ledger.place import PostgresAddress
from gateway.ledger.store import WAITING_AT_MOST, SqliteLedger, create_ledger, open_ledger, open_ledger_at
from gateway.model import Event, EventKind, Receipt

if TYPE_CHECKING:
    from gateway.ledger.writer import GroupWriter

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def tell(sentence: str) -> None:
    os.write(1, f"{' '.join(sentence.split())}\n".encode())


async def append(ledger: GroupWriter, number: int) -> Receipt:
    request = number.to_bytes(16)
    event = Event(
        EventKind.LOOKUP,
        f"account-{number % 50}",
        NOON,
        teleservice="t",
        request=request,
        pseudonym=request,
        status=200,
    )
    receipt = await ledger.append([event]).wait()
    tell(f"ack {receipt.sequence} {request.hex()}")
    return receipt


async def caller(ledger: GroupWriter, numbers: itertools.count[int], last: int) -> None:
    while (number := next(numbers)) < last:
        await append(ledger, number)


async def run(ledger: GroupWriter, callers: int, appends: int) -> None:
    # In a file the numbers go on; elsewhere others may append too.
    first = ledger._next if isinstance(ledger, SqliteLedger) else os.getpid() << 32
    numbers = itertools.count(first)
    ends = await asyncio.gather(
        *(caller(ledger, numbers, first + appends) for _ in range(callers)), return_exceptions=True
    )
    errors = [error for error in ends if error is not None]
    if not errors:
        return
    assert all(isinstance(error, LedgerError) for error in errors), errors
    assert ledger.failed
    tell(f"failed {errors[0]}")
    sys.stdin.readline()
    for _ in range(5):
        try:
            await append(ledger, next(numbers))
        except LedgerError:
            tell("refused")
        else:
            tell("taken")


def opened(wanted: argparse.Namespace) -> GroupWriter:
    if wanted.postgres:
        port, database, user = wanted.postgres
        place = PostgresAddress(str(wanted.ledger), database, int(port), user)
        if wanted.unchecked:
            from gateway.ledger.postgres import PostgresLedger
            from gateway.ledger.postgres_engine import connect

            return PostgresLedger("unchecked", connect(place, appends=True), WAITING_AT_MOST)
        return open_ledger_at(place, beside=True)
    if wanted.create:
        create_ledger(wanted.ledger)
    return open_ledger(wanted.ledger, synchronous=wanted.synchronous, checkpoint_pages=wanted.checkpoint_pages)


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("ledger", type=Path)
    arguments.add_argument("--postgres", nargs=3, metavar=("PORT", "DATABASE", "USER"))
    arguments.add_argument("--unchecked", action="store_true")
    arguments.add_argument("--create", action="store_true")
    arguments.add_argument("--synchronous", default="FULL")
    arguments.add_argument("--checkpoint-pages", type=int, default=4000)
    arguments.add_argument("--callers", type=int, default=8)
    arguments.add_argument("--abrupt", action="store_true", help="end without closing the ledger, as a crash would")
    arguments.add_argument("--appends", type=int, default=10_000_000)
    wanted = arguments.parse_args()
    try:
        ledger = opened(wanted)
    except StartError as error:
        tell(f"start-error {error}")
        return
    tell(f"ready {os.getpid()}")
    asyncio.run(run(ledger, wanted.callers, wanted.appends))
    if not wanted.abrupt:
        ledger.close()
    tell("end")
    if wanted.abrupt:
        os._exit(0)


if __name__ == "__main__":
    main()
