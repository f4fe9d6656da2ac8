# SPDX-License-Identifier: EUPL-1.2
"""PostgreSQL that ends in mid-append, on a server of its own: acknowledged is contained in recorded, and one failure is
the last.

The same crash of a server that does not sync each commit must show lost events, or these tests would see none.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gateway.errors import StartError
from gateway.ledger.store import LedgerBusy, open_ledger_at
from gateway.model import Event, EventKind, Receipt
from support.postgres import NAME, PostgresServer
from support.servers import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gateway.ledger.place import PostgresAddress

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
pytestmark = pytest.mark.system

APPENDER = (sys.executable, str(Path(__file__).parent / "appender.py"))
OTHERS = "select pg_terminate_backend(pid) from pg_stat_activity where datname = '{}' and pid <> pg_backend_pid()"
APPENDING = "select pid from pg_stat_activity where datname = '{}' and query like 'with held%'"


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with PostgresServer() as made:
        yield made


@pytest.fixture
def place(server: PostgresServer) -> PostgresAddress:
    return server.database()


@dataclass
class Appender:
    """One process that appends, and what it said."""

    process: subprocess.Popen[str]
    said: list[str] = field(default_factory=list)

    def read_until(self, word: str, count: int = 1) -> None:
        while count and (line := self.process.stdout.readline()):
            self.said.append(line)
            count -= line.startswith(word)
        assert count == 0, "".join(self.said[-5:])

    def attempts_after_failure(self) -> list[str]:
        """It tries five more times, and ends."""
        self.read_until("failed ")
        rest, _ = self.process.communicate("\n", timeout=60)
        self.said += rest.splitlines(keepends=True)
        return rest.split()

    @property
    def acknowledged(self) -> set[str]:
        return {line.split()[2] for line in self.said if line.startswith("ack ") and line.endswith("\n")}


@contextmanager
def appending(server: PostgresServer, place: PostgresAddress, *words: str) -> Iterator[Appender]:
    command = [*APPENDER, str(server.folder), "--postgres", str(place.port), place.database, NAME, *words]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Appender(process)
        finally:
            process.kill()


def recorded(server: PostgresServer, place: PostgresAddress) -> set[str]:
    """What is there once the ledger was opened as the gateway opens it."""
    open_ledger_at(place).close()
    found = server.ask(place.database, "select encode(request, 'hex') from event")
    assert len(found) == len(set(found)), "stored twice"
    return {request for (request,) in found}


def terminate(server: PostgresServer, place: PostgresAddress) -> None:
    server.ask(place.database, OTHERS.format(place.database))


def kill_backend(server: PostgresServer, place: PostgresAddress) -> None:
    """kill -9 of the process that serves the appender: the server then throws everybody out, and recovers."""
    ((pid,),) = server.ask(place.database, APPENDING.format(place.database))
    os.kill(pid, signal.SIGKILL)
    wait_until("the server is back", server.answers)


def crash(server: PostgresServer, place: PostgresAddress) -> None:
    server.crash()
    server.start()


def stop(server: PostgresServer, place: PostgresAddress) -> None:
    server.stop()
    server.start()


@pytest.mark.parametrize(
    ("fault", "acks"), [(terminate, 100), (kill_backend, 100), (crash, 3), (crash, 400), (stop, 100)]
)
def test_L4_whatever_ends_the_server_what_was_acknowledged_is_there(server, place, fault, acks):
    """And though it is back long since, nothing is appended any more until a start."""
    with appending(server, place, "--callers", "32") as appender:
        appender.read_until("ack ", acks)
        fault(server, place)
        assert appender.attempts_after_failure() == ["refused"] * 5 + ["end"]
    assert len(appender.acknowledged) >= acks
    assert appender.acknowledged <= recorded(server, place)
    with appending(server, place, "--appends", "3") as appender:
        appender.read_until("end")
    assert len(appender.acknowledged) == 3


def test_a_server_that_hangs_is_not_waited_for_and_is_believed_when_it_is_back(server, place):
    ledger = open_ledger_at(place)
    ledger.answer_seconds = 0.5
    asked = [bytes([number]) * 16 for number in range(4)]

    async def walk() -> list[object]:
        append = lambda one: ledger.append([Event(EventKind.LOOKUP, "a", NOON, request=one)]).wait()  # noqa: E731
        found = [await append(asked[0])]
        with server.hanging():
            first = asyncio.ensure_future(append(asked[1]))
            await asyncio.sleep(0.1)
            found += await asyncio.gather(first, append(asked[2]), return_exceptions=True)
            begun = time.monotonic()
            found += await asyncio.gather(append(asked[3]), return_exceptions=True)
            assert time.monotonic() - begun < 0.4, "once it is known to hang nobody waits for it"
        while isinstance(found[-1], LedgerBusy):
            await asyncio.sleep(0.05)
            found += await asyncio.gather(append(bytes([5]) * 16), return_exceptions=True)
        return found

    found = asyncio.run(walk())
    ledger.close()
    assert isinstance(found[0], Receipt)
    assert isinstance(found[-1], Receipt)
    assert {type(one) for one in found[1:-1]} == {LedgerBusy}
    assert "has not answered for 0.5 s" in str(found[1])
    there = recorded(server, place)
    assert {one.hex() for one in asked[:3]} <= there, "on record, though nobody was shown anything"
    assert asked[3].hex() not in there


def test_two_processes_append_side_by_side_and_a_crash_loses_nothing_of_either(server, place):
    with appending(server, place) as one, appending(server, place) as two:
        for appender in (one, two):
            appender.read_until("ack ", 100)
        server.crash()
        ends = [appender.attempts_after_failure() for appender in (one, two)]
    server.start()
    assert ends == [["refused"] * 5 + ["end"]] * 2
    assert one.acknowledged.isdisjoint(two.acknowledged)
    assert one.acknowledged | two.acknowledged <= recorded(server, place)


def test_the_same_crash_shows_a_server_that_does_not_sync_each_commit():
    with PostgresServer("synchronous_commit = off") as server:
        place = server.database()
        with pytest.raises(StartError, match="off to synchronous_commit"):
            open_ledger_at(place)
        server.ask("postgres", "checkpoint")
        ((syncing,),) = server.ask("postgres", "select pid from pg_stat_activity where backend_type = 'walwriter'")
        os.kill(syncing, signal.SIGSTOP)  # it does in its own time what commits did not: the crash comes before
        with appending(server, place, "--unchecked", "--callers", "32") as appender:
            appender.read_until("ack ", 400)
            server.crash()
            appender.attempts_after_failure()
        server.start()
        found = {request for (request,) in server.ask(place.database, "select encode(request, 'hex') from event")}
        assert appender.acknowledged - found
