# SPDX-License-Identifier: EUPL-1.2
"""store: one suite for the door, on the file and on its twin; then what only the file has."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from gateway.errors import LedgerError
from gateway.ledger.memory import MemoryLedger
from gateway.ledger.store import Ledger, LedgerBusy, create_ledger, open_ledger
from gateway.model import Event, EventKind, Receipt
from gateway.pending import Pending, start

if TYPE_CHECKING:
    from pathlib import Path

    from support.ledger_doors import Door, FileDoor

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def event(number: int, kind: EventKind = EventKind.LOOKUP) -> Event:
    return Event(
        kind=kind, account="a", at=NOON + timedelta(seconds=number), teleservice="t", pseudonym=bytes([number % 256])
    )


def outcome(ledger: Ledger, *events: Event) -> Receipt | LedgerError:
    """One append, waited for in a loop of its own."""

    async def append() -> Receipt:
        return await ledger.append(events).wait()

    try:
        return asyncio.run(append())
    except LedgerError as error:
        return error


def test_receipts_count_up_and_everything_is_there_in_order(door: Door):
    async def append() -> list[Receipt]:
        return await asyncio.gather(*(door.ledger.append([event(number)]).wait() for number in range(100)))

    assert [receipt.sequence for receipt in asyncio.run(append())] == list(range(1, 101))
    assert door.stored() == [(number + 1, event(number)) for number in range(100)]
    assert not door.ledger.failed


def test_the_receipt_of_several_events_is_the_last_ones(door: Door):
    assert outcome(door.ledger, event(0), event(1), event(2)) == Receipt(3)
    assert outcome(door.ledger, event(3)) == Receipt(4)


def test_a_walk_over_pendings_is_resumed_without_a_task(door: Door):
    async def walks() -> list[int]:
        ended, found = asyncio.get_running_loop().create_future(), []

        async def walk() -> None:
            receipts = [await door.ledger.append([event(number)]) for number in range(3)]
            found.extend(receipt.sequence for receipt in receipts)

        start(walk(), ended.set_result)
        assert await ended is None
        return found

    assert asyncio.run(walks()) == [1, 2, 3]


def test_L4_after_a_failure_nothing_is_taken_any_more(door: Door):
    assert outcome(door.ledger, event(0)) == Receipt(1)
    door.fail()
    for number in range(3):
        error = outcome(door.ledger, event(number))
        assert type(error) is LedgerError
        assert door.ledger.failed
    assert door.stored() == [(1, event(0))]


def test_a_closed_ledger_takes_nothing_and_has_not_failed(door: Door):
    outcome(door.ledger, event(0))
    door.ledger.close()
    door.ledger.close()
    assert type(outcome(door.ledger, event(1))) is LedgerError
    assert not door.ledger.failed
    assert door.stored() == [(1, event(0))]


def test_close_finishes_what_waits(door: Door):
    async def append() -> list[Receipt]:
        waiting = [door.ledger.append([event(number)]) for number in range(50)]
        door.ledger.close()
        return [await one.wait() for one in waiting]

    assert len(asyncio.run(append())) == 50
    assert len(door.stored()) == 50


def test_nothing_to_append_and_a_naive_time_are_the_callers_fault(door: Door):
    async def append(*events: Event) -> None:
        await door.ledger.append(events).wait()

    with pytest.raises(ValueError, match="at least one event"):
        asyncio.run(append())
    with pytest.raises(TypeError):
        asyncio.run(append(event(0), Event(EventKind.SIGN_IN, "a", NOON.replace(tzinfo=None))))
    assert outcome(door.ledger, event(1)) == Receipt(1), "and leave nothing behind"


def test_the_twin_can_be_slow_busy_and_broken():
    ledger = MemoryLedger(waiting_at_most=2)
    ledger.hold()
    waiting = [ledger.append([event(number)]) for number in range(2)]
    assert not any(one.done for one in waiting)
    with pytest.raises(LedgerBusy):
        ledger.append([event(2)]).result()
    ledger.release()
    assert [one.result().sequence for one in waiting] == [1, 2]
    ledger.hold()
    late = ledger.append([event(3)])
    ledger.fail()
    with pytest.raises(LedgerError, match="disk"):
        late.result()


# ---- what only the file has


def test_events_that_come_while_a_commit_runs_share_the_next(file: FileDoor):
    commits = []
    file.ledger._connection.set_trace_callback(lambda told: commits.append(told) if "commit" in told.lower() else None)

    async def append() -> None:
        for number in range(100):
            file.ledger.append([event(number)])
        await asyncio.sleep(0) or await asyncio.sleep(0)  # what comes in these two turns of the loop goes together
        waiting = [file.ledger.append([event(number)]) for number in range(100, 200)]
        await waiting[-1].wait()

    asyncio.run(append())
    assert len(commits) == 2


def test_a_disk_that_hangs_refuses_who_waits_and_whoever_comes_until_it_answers(tmp_path: Path):
    """Another hand holds the file: as a disk that does not answer."""
    create_ledger(tmp_path / "l.db")
    ledger = open_ledger(tmp_path / "l.db")
    ledger.answer_seconds = 0.2

    async def append() -> list[object]:
        with sqlite3.connect(tmp_path / "l.db", isolation_level=None) as other:
            other.execute("begin immediate")
            waiting = [ledger.append([event(number)]).wait() for number in range(2)]
            late = await asyncio.gather(*waiting, return_exceptions=True)
            found = [*late, *await asyncio.gather(ledger.append([event(9)]).wait(), return_exceptions=True)]
            other.execute("rollback")
        other.close()
        while isinstance(found[-1], LedgerBusy):
            await asyncio.sleep(0.02)
            found += await asyncio.gather(ledger.append([event(3)]).wait(), return_exceptions=True)
        return found

    found = asyncio.run(append())
    assert {type(one) for one in found[:3]} == {LedgerBusy}
    assert "has not answered for 0.2 s" in str(found[0])
    assert found[-1] == Receipt(3), "the two that were refused are on record; what came while it hung is not"
    assert not ledger.failed
    ledger.close()


def test_too_many_waiting_is_busy_and_passes(tmp_path: Path):
    create_ledger(tmp_path / "l.db")
    ledger = open_ledger(tmp_path / "l.db", waiting_at_most=3)

    async def append() -> list[object]:
        waiting = [ledger.append([event(number)]).wait() for number in range(8)]
        found = await asyncio.gather(*waiting, return_exceptions=True)
        return [*found, await ledger.append([event(9)]).wait()]

    found = asyncio.run(append())
    assert [type(one) for one in found] == [Receipt] * 3 + [LedgerBusy] * 5 + [Receipt]
    assert not ledger.failed
    ledger.close()


def test_L4_a_failure_fails_its_batch_and_all_who_wait(file: FileDoor):
    file.fail()

    async def append() -> list[object]:
        waiting = [file.ledger.append([event(number)]).wait() for number in range(20)]
        return await asyncio.gather(*waiting, return_exceptions=True)

    errors = asyncio.run(append())
    assert {type(error) for error in errors} == {LedgerError}
    assert "could not be written" in str(errors[0])
    with pytest.raises(LedgerError):
        file.ledger.append_now([event(1)])


def test_L4_a_log_that_cannot_be_folded_is_a_failure(tmp_path: Path):
    create_ledger(tmp_path / "l.db")
    ledger = open_ledger(tmp_path / "l.db", checkpoint_pages=1)
    ledger._connection.set_authorizer(
        lambda action, name, *_: sqlite3.SQLITE_DENY if name == "wal_checkpoint" else sqlite3.SQLITE_OK
    )
    assert ledger.append_now([event(0)]) == Receipt(1)
    with pytest.raises(LedgerError, match="could not be written"):
        ledger.append_now([event(1)])
    assert ledger.failed
    ledger.close()


def test_the_log_is_folded_while_running(tmp_path: Path):
    create_ledger(tmp_path / "l.db")
    ledger = open_ledger(tmp_path / "l.db", checkpoint_pages=20)
    for number in range(400):
        ledger.append_now([event(number)])
    assert (tmp_path / "l.db-wal").stat().st_size < 400_000
    assert (tmp_path / "l.db").stat().st_size > 40_000
    ledger.close()


def test_append_now_needs_no_loop_and_mixes_with_one(file: FileDoor):
    assert file.ledger.append_now([event(0), event(1)]) == Receipt(2)
    assert outcome(file.ledger, event(2)) == Receipt(3)
    threads = [threading.Thread(target=file.ledger.append_now, args=([event(9)],)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [sequence for sequence, _ in file.stored()] == [1, 2, 3, 4, 5, 6, 7]


def test_a_loop_that_ended_early_loses_no_event_and_blocks_nobody(file: FileDoor):
    slow_disk = sqlite3.connect(file.path, isolation_level=None)
    slow_disk.execute("begin immediate")

    async def leave() -> None:
        file.ledger.append([event(0)])

    asyncio.run(leave())
    slow_disk.execute("rollback")
    slow_disk.close()
    assert file.ledger.append_now([event(1)]) == Receipt(2)
    assert outcome(file.ledger, event(2)) == Receipt(3)
    assert len(file.stored()) == 3


def test_a_waiters_own_fault_does_not_keep_the_others_waiting(file: FileDoor):
    async def append() -> tuple[list[str], Receipt]:
        told: list[str] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context["message"]))
        first: Pending[Receipt] = file.ledger.append([event(0)])
        first.on_done(lambda: 1 // 0)
        return told, await file.ledger.append([event(1)]).wait()

    assert asyncio.run(append()) == (["a waiter for the ledger failed"], Receipt(2))


def test_numbers_go_on_after_reopening(tmp_path: Path):
    create_ledger(tmp_path / "l.db")
    for number in range(3):
        ledger = open_ledger(tmp_path / "l.db")
        assert ledger.append_now([event(number)]) == Receipt(number + 1)
        ledger.close()
