# SPDX-License-Identifier: EUPL-1.2
"""What the worst day's questions cost: who was exposed by 19 accounts in 10 days, and the list of them.

`make exposed` fills a ledger of five million events (honest look-ups of 2,000 accounts in 60 days, and in ten of them
the 510,000 people of the demo through 19 accounts), then asks as `herse incident` does, each question in a process of
its own, and prints seconds, processor seconds and peak memory. `--keep DIR` leaves the ledger there, and finds it.
With `--postgres` it is in a PostgreSQL of its own, and what its server worked is told too: fifty million are 20 GB.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import random
import resource
import sys
import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bench.exposed_postgres import OPTIONS, fill_postgres
from bench.machine import cpu_seconds
from gateway.cli.progress import Progress
from gateway.demo.people import COUNT, number_of
from gateway.incident.export import write_opened, write_sealed
from gateway.incident.exposed import exposed
from gateway.incident.people import officers_of, people
from gateway.incident.unsealing import Unsealing
from gateway.ledger.event import COLUMNS, row
from gateway.ledger.exposure import open_exposure
from gateway.ledger.officer_key import load_private, new_officer_key
from gateway.ledger.schema import connect
from gateway.ledger.seal import Seals, Unsealer
from gateway.ledger.span import Span
from gateway.ledger.store import create_ledger
from gateway.metering.pseudonym import Pseudonymizer
from gateway.model import Event, EventKind
from support.postgres import PostgresServer

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterator

    from gateway.ledger.officer_key import OfficerKey
    from gateway.ledger.place import Place

START: Final = datetime(2026, 9, 1, tzinfo=UTC)
DAYS: Final = 60
FROM, TO = START + timedelta(days=30), START + timedelta(days=40)
THIEVES: Final = tuple(f"1300000{place:02d}" for place in range(19))
_HONEST: Final = 2_000
_PASSWORD: Final = "bench"  # of a key that opens generated numbers alone
_BATCH: Final = 10_000


def fill(path: Path, events: int, stolen: int, passed: Callable[[float], None] | None) -> None:
    """Make the ledger, its people looked up in the order of time, and the officer's key beside it."""
    officer = _officer(path.parent)
    create_ledger(path)
    columns = ", ".join("?" * (len(COLUMNS) + 1))
    with closing(connect(path, "rw")) as connection:
        connection.execute("pragma synchronous=off")
        batch: list[tuple[object, ...]] = []
        for sequence, event in enumerate(_events(Seals(officer.public), events, stolen), 1):
            batch.append((sequence, *row(event)))
            if len(batch) == _BATCH:
                _write(connection, columns, batch)
                if passed is not None:
                    passed(sequence)
        _write(connection, columns, batch)
        connection.execute("pragma wal_checkpoint(truncate)")


def _officer(folder: Path) -> OfficerKey:
    officer = new_officer_key()
    (folder / "officer.key").write_text(officer.text(_PASSWORD, memory_kib=8, passes=1), "ascii")
    return officer


def _write(connection: sqlite3.Connection, columns: str, batch: list[tuple[object, ...]]) -> None:
    connection.execute("begin")
    connection.executemany(f"insert into event values ({columns})", batch)  # our own names
    connection.execute("commit")
    batch.clear()


def _events(seals: Seals, events: int, stolen: int) -> Iterator[Event]:
    """Honest look-ups all the time; in ten of the days the stolen ones between them."""
    chance, pseudonym = random.Random(1), Pseudonymizer(bytes(range(32)))
    numbers = [number_of(index) for index in range(COUNT)]
    honest = [f"7500{place:05d}" for place in range(_HONEST)] + list(THIEVES)
    taken = iter(random.Random(2).sample(range(COUNT), stolen))
    in_span = events * (TO - FROM) / timedelta(days=DAYS)
    share, left = min(1.0, stolen / max(1.0, in_span)), stolen
    step = timedelta(days=DAYS) / events
    for place in range(events):
        at = START + place * step
        steals = FROM <= at < TO and left > 0 and chance.random() <= share * 1.02
        left -= steals
        number = numbers[next(taken) if steals else chance.randrange(COUNT)]
        account = chance.choice(THIEVES) if steals else honest[chance.randrange(len(honest))]
        if not steals and account in THIEVES and FROM <= at < TO:
            account = honest[0]  # so that whom the thieves were shown is known exactly
        network = f"192.0.2.{chance.randrange(200)}" if steals else f"198.51.100.{place % 250}"
        yield from _look(seals, account, at, f"s{place % 5_000}", network, number, pseudonym(number))


def _stolen(seals: Seals, people: int, moments: Iterator[datetime]) -> Iterator[Event]:
    """The stolen look-ups, one at each of these moments."""
    chance, pseudonym = random.Random(1), Pseudonymizer(bytes(range(32)))
    taken = random.Random(2).sample(range(COUNT), people)
    for place, (index, at) in enumerate(zip(taken, moments, strict=False)):
        number, account = number_of(index), chance.choice(THIEVES)
        network = f"192.0.2.{chance.randrange(200)}"
        yield from _look(seals, account, at, f"s{place % 5_000}", network, number, pseudonym(number))


def _look(  # noqa: PLR0917  # one row, told whole
    seals: Seals, account: str, at: datetime, session: str, network: str, number: str, mark: bytes
) -> Iterator[Event]:
    """One look-up, and before the first of an hour its data key."""
    request = random.randbytes(16)
    sealed = seals.seal(number, request, mark, at)
    yield from seals.untold
    seals.told(seals.untold)
    yield Event(
        EventKind.LOOKUP,
        account,
        at,
        session=session,
        network=network,
        device="Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:132.0) Gecko/20100101 Firefox/132.0",
        method="GET",
        teleservice="infopatient",
        request=request,
        pseudonym=mark,
        status=200,
        categories=("identity", "birth", "rights"),
        sealed=sealed,
    )


def ask(place: Place, folder: Path, question: str) -> dict[str, float]:
    """One question: people, seconds, processor seconds and peak memory (MiB) of this process."""
    span = Span(THIEVES, FROM, TO)
    began, used = time.perf_counter(), time.process_time()
    found = QUESTIONS[question](place, folder, span)
    took, worked = time.perf_counter() - began, time.process_time() - used
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"people": found, "seconds": round(took, 2), "processor": round(worked, 2), "peak_mib": round(peak)}


def _exposed(place: Place, _: Path, span: Span) -> int:
    with closing(open_exposure(place)) as reader:
        return exposed(reader.looks(span), span).whole.people


def _minus_honest(place: Place, _: Path, span: Span) -> int:
    with closing(open_exposure(place)) as reader:
        since = span.since - timedelta(days=30)
        return exposed(reader.looks(span, known_since=since), span).whole.people


def _sealed(place: Place, _: Path, span: Span) -> int:
    with closing(open_exposure(place)) as reader, tempfile.TemporaryDirectory() as out:
        keys = list(reader.data_keys(span))
        found = people(reader.looks(span, sealed=True), officers_of(keys))
        return write_sealed(Path(out) / "list.jsonl", "bench", keys, found, looks=0)


def _opened(place: Place, folder: Path, span: Span) -> int:
    unsealing = Unsealing([Unsealer(load_private((folder / "officer.key").read_text("ascii"), _PASSWORD))])
    with closing(open_exposure(place)) as reader, tempfile.TemporaryDirectory() as out:
        keys = list(reader.data_keys(span))
        unsealing.learn(keys)
        found = people(reader.looks(span, sealed=True), officers_of(keys))
        return write_opened(Path(out) / "list.csv", found, unsealing)


QUESTIONS: Final = {"exposed": _exposed, "minus honest": _minus_honest, "sealed list": _sealed, "opened list": _opened}


def questions(place: Place, folder: Path, stolen: int, server: int | None = None) -> bool:
    """Ask and print all of them; whether each found exactly the people that were taken. `server`: its process id."""
    told = {}
    for question in QUESTIONS:
        worked = 0.0 if server is None else cpu_seconds(server)
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            told[question] = pool.apply(ask, (place, folder, question))
        if server is not None:
            told[question]["server"] = round(cpu_seconds(server) - worked, 2)
        print(f"{question:<14}", json.dumps(told[question]), flush=True)
    return all(told[name]["people"] == stolen for name in ("exposed", "sealed list", "opened list"))


def main(words: list[str]) -> int:
    """Fill, ask, print; 1 if a question does not find exactly the people that were taken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=5_000_000)
    parser.add_argument("--stolen", type=int, default=COUNT)
    chosen_place = parser.add_mutually_exclusive_group()
    chosen_place.add_argument("--keep", type=Path)
    chosen_place.add_argument("--postgres", action="store_true")
    chosen = parser.parse_args(words)
    progress = Progress(sys.stderr.isatty())
    passed = progress.part("filling the ledger", chosen.events)
    with tempfile.TemporaryDirectory() as folder:
        if chosen.postgres:
            return 0 if _on_postgres(Path(folder), chosen.events, chosen.stolen, passed) else 1
        path = (chosen.keep or Path(folder)) / "ledger.db"
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            fill(path, chosen.events, chosen.stolen, passed)
            progress.end()
        return 0 if questions(path, path.parent, chosen.stolen) else 1


def _on_postgres(folder: Path, events: int, stolen: int, passed: Callable[[float], None] | None) -> bool:
    seals = Seals(_officer(folder).public)
    with PostgresServer(*OPTIONS) as server:
        place, per_day = server.database(), events // DAYS
        days = range((FROM - START).days, (TO - START).days)
        every = len(days) * per_day // stolen
        fill_postgres(place, START, DAYS, per_day, days, every, lambda at: _stolen(seals, stolen, at), passed)
        size = server.ask(place.database, f"select pg_size_pretty(pg_database_size('{place.database}'))")[0][0]
        print(f"filled: {events:,} events, {size}", flush=True)
        return questions(place, folder, stolen, server.pid)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
