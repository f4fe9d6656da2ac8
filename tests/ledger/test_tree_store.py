# SPDX-License-Identifier: EUPL-1.2
"""tree_store: one suite for the door of the tree, on both databases and the twin; then faults of real ones."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from gateway.errors import LedgerError
from gateway.ledger.event import LedgerUnreadable, row
from gateway.ledger.postgres_engine import connect
from gateway.ledger.tree_store import Forked, Head, Tile
from gateway.ledger.writer import LedgerBusy
from gateway.model import Event, EventKind
from support.ledger_doors import FileDoor, MemoryDoor, PostgresDoor

if TYPE_CHECKING:
    from pathlib import Path

    from support.ledger_doors import Door

NOON = datetime(2026, 11, 22, 12, 0, 0, 123456, tzinfo=UTC)
HASH, NUMBER = b"h" * 32, (1).to_bytes(8)


def event(number: int) -> Event:
    return Event(EventKind.LOOKUP, "a", NOON + timedelta(seconds=number), teleservice="t", pseudonym=b"p", sealed=b"s")


def leaves(count: int, *, place: int = 0, gone: bytes | None = None) -> Tile:
    return Tile(
        0, place, b"".join(bytes([n]) * 32 for n in range(count)), b"".join(n.to_bytes(8) for n in range(count)), gone
    )


def sized(size: int) -> Head:
    return Head(size, size * 2, NOON + timedelta(seconds=size), f"origin\n{size}\n\n— signed é\n")


def append(door: Door, *numbers: int) -> None:
    async def appended() -> None:
        await door.ledger.append([event(number) for number in numbers]).wait()

    asyncio.run(appended())


def test_an_empty_ledger_has_no_tree_and_nothing_settled(door: Door):
    tree = door.tree()
    assert (tree.settled(), tree.head(), tree.tile(0, 0), tree.rows(0, 100, 100, 0)) == (0, None, None, [])
    assert tree.elected()


def test_what_was_appended_is_settled_and_comes_in_order_once(door: Door):
    append(door, *range(5))
    append(door, 5)
    tree = door.tree()
    all_rows = [(number + 1, row(event(number))) for number in range(6)]
    assert tree.settled() == 6
    assert tree.rows(0, 6, 100, 0) == all_rows
    assert tree.rows(2, 5, 100, 0) == all_rows[2:5]
    assert tree.rows(2, 6, 2, 0) == all_rows[2:4]
    assert tree.rows(6, 6, 100, 0) == []
    append(door, 6)
    assert tree.settled() == 7


def test_a_tree_grows_and_is_found_as_it_was_stored(door: Door):
    tree = door.tree()
    tree.grow(None, [leaves(3)], sized(3))
    assert (tree.head(), tree.tile(0, 0)) == (sized(3), leaves(3))
    tree.grow(sized(3), [leaves(256), leaves(1, place=1), Tile(1, 0, HASH)], sized(257))
    assert door.tree().head() == sized(257)
    assert door.tree().tile(0, 0) == leaves(256)
    assert door.tree().tile(0, 1) == leaves(1, place=1)
    assert door.tree().tile(1, 0) == Tile(1, 0, HASH)
    assert door.tree().tile(1, 1) is None


def test_a_head_may_be_signed_anew_over_the_same_leaves(door: Door):
    tree, later = door.tree(), replace(sized(3), at=NOON + timedelta(hours=1), note="signed later")
    tree.grow(None, [leaves(3)], sized(3))
    tree.grow(sized(3), [], later)
    assert tree.head() == later


@pytest.mark.parametrize(
    "before", [None, sized(2), replace(sized(3), note="another"), replace(sized(3), last_sequence=1)]
)
def test_L3_who_did_not_see_the_last_growth_is_told_and_stores_nothing(door: Door, before: Head | None):
    one, two = door.tree(), door.tree()
    one.grow(None, [leaves(3)], sized(3))
    with pytest.raises(Forked):
        two.grow(before, [leaves(4), Tile(1, 0, HASH)], sized(4))
    assert (two.head(), two.tile(0, 0), two.tile(1, 0)) == (sized(3), leaves(3), None)
    two.grow(sized(3), [leaves(5)], sized(5))


@pytest.mark.parametrize(
    "changed",
    [
        Tile(0, 0, HASH + leaves(4).hashes[32:], leaves(4).sequences),
        Tile(0, 0, leaves(4).hashes, NUMBER + leaves(4).sequences[8:]),
        leaves(2),
    ],
)
def test_what_a_tile_held_stays(door: Door, changed: Tile):
    tree = door.tree()
    tree.grow(None, [leaves(3)], sized(3))
    with pytest.raises(Forked):
        tree.grow(sized(3), [Tile(1, 0, HASH), changed], sized(4))
    assert (tree.head(), tree.tile(0, 0), tree.tile(1, 0)) == (sized(3), leaves(3), None)


def test_growing_keeps_what_retention_noted(door: Door):
    tree = door.tree()
    tree.grow(None, [leaves(3, gone=b"\x01")], sized(3))
    tree.grow(sized(3), [leaves(4)], sized(4))
    assert tree.tile(0, 0) == leaves(4, gone=b"\x01")


@pytest.mark.parametrize(
    ("tiles", "head"),
    [
        ([], sized(2)),
        ([], replace(sized(4), last_sequence=5)),
        ([Tile(0, 0, b"", b"")], sized(4)),
        ([Tile(0, 0, HASH, b"")], sized(4)),
        ([Tile(0, 0, HASH[1:], NUMBER)], sized(4)),
        ([Tile(1, 0, HASH, NUMBER)], sized(4)),
    ],
)
def test_what_is_no_growth_is_the_callers_fault(door: Door, tiles: list[Tile], head: Head):
    tree = door.tree()
    tree.grow(None, [leaves(3)], sized(3))
    with pytest.raises(ValueError, match=r"a tree of 3 leaves|tile \d/0 holds"):
        tree.grow(sized(3), tiles, head)
    assert tree.head() == sized(3)


def test_L3_of_two_that_grow_at_the_same_time_one_does(door: Door):
    stores = [door.tree(), door.tree()]
    start, ends = threading.Barrier(2), []

    def grow(number: int) -> None:
        start.wait()
        try:
            stores[number].grow(None, [leaves(3 + number)], sized(3 + number))
        except Forked:
            ends.append(None)
        else:
            ends.append(number)

    threads = [threading.Thread(target=grow, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (grown,) = [end for end in ends if end is not None]
    assert door.tree().head() == sized(3 + grown)
    assert door.tree().tile(0, 0) == leaves(3 + grown)


def test_appending_goes_on_beside_a_tree_that_grows(door: Door):
    tree, before = door.tree(), None
    for number in range(40):
        append(door, number)
        settled = tree.settled()
        tree.grow(before, [leaves(settled)], sized(settled))
        before = sized(settled)
    assert not door.ledger.failed
    assert tree.head() == sized(40)


# ---- faults


def test_L4_a_tree_that_could_not_be_written_is_not_trusted_again(file: FileDoor):
    tree = file.tree()
    tree.grow(None, [leaves(3)], sized(3))
    other = sqlite3.connect(file.path)
    other.execute("create trigger full before update on head begin select raise(abort, 'disk full'); end")
    other.commit()
    with pytest.raises(LedgerError, match=r"could not be written .*disk full"):
        tree.grow(sized(3), [leaves(4)], sized(4))
    other.execute("drop trigger full")
    other.commit()
    other.close()
    for ask in (tree.head, tree.settled, tree.elected, lambda: tree.tile(0, 0), lambda: tree.rows(0, 1, 1, 0)):
        with pytest.raises(LedgerError, match="disk full"):
            ask()
    with pytest.raises(LedgerError, match="disk full"):
        tree.grow(sized(3), [leaves(4)], sized(4))
    assert (file.tree().head(), file.tree().tile(0, 0)) == (sized(3), leaves(3))


def test_a_lock_that_others_keep_is_no_failure_of_the_tree(file: FileDoor):
    tree = file.tree()
    with tree._database.engine.connect() as connection:  # it is kept, and used by the next who asks
        connection.exec_driver_sql("pragma busy_timeout=50")
    with closing(sqlite3.connect(file.path, isolation_level=None)) as other:
        other.execute("begin immediate")
        with pytest.raises(LedgerBusy, match="try again"):
            tree.grow(None, [leaves(3)], sized(3))
    tree.grow(None, [leaves(3)], sized(3))
    assert tree.head() == sized(3)


@pytest.mark.system
def test_a_lock_that_others_keep_on_the_server_is_no_failure_either(tmp_path: Path):
    door = PostgresDoor(tmp_path)
    tree = door.tree()
    with closing(connect(door.place, autocommit=False)) as other:
        other.execute("lock table head in access exclusive mode")
        with pytest.raises(LedgerBusy, match="try again"):
            tree.grow(None, [leaves(3)], sized(3))
    tree.grow(None, [leaves(3)], sized(3))
    door.close()


def test_the_twin_fails_alike(tmp_path: Path):
    tree = MemoryDoor(tmp_path).tree()
    tree.failing = True
    for _ in range(2):
        with pytest.raises(LedgerError):
            tree.grow(None, [leaves(3)], sized(3))
    with pytest.raises(LedgerError):
        tree.head()


def test_a_tree_of_no_ledger_is_unreadable(tmp_path: Path, file: FileDoor):
    tree = file.tree()
    file.ledger.close()
    with sqlite3.connect(file.path) as other:
        other.execute("drop table head")
    other.close()
    with pytest.raises(LedgerUnreadable, match="no such table: head"):
        tree.head()
