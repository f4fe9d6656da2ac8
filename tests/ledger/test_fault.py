# SPDX-License-Identifier: EUPL-1.2
"""fault: told once and for good, to all who share it: the appender, the tree, other processes, whoever starts later."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from gateway.errors import LedgerError
from gateway.ledger.fault import Fault, SharedFault, fault_page
from gateway.ledger.sealer import Sealer
from gateway.ledger.store import create_ledger, open_ledger_at
from gateway.ledger.tree_rows import open_tree_store
from support.ledger_doors import stored_at
from support.sealing import HEARTBEAT, SECOND
from support.small_ledger import BEGUN, KEY, an_event

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def page() -> Iterator[int]:
    descriptor = fault_page()
    yield descriptor
    os.close(descriptor)


@pytest.mark.parametrize("kind", ["own", "shared"])
def test_the_first_fault_stays_what_it_is(page, kind):
    fault = Fault() if kind == "own" else SharedFault(page)
    assert fault.why is None
    fault.tell("première")
    fault.tell("second")
    assert fault.why == "première"


def test_what_one_process_tells_all_others_know_and_whoever_starts_later(page):
    here = SharedFault(page)
    child = os.fork()
    if child == 0:
        SharedFault(page).tell("told by another process, é")
        os._exit(0)
    os.waitpid(child, 0)
    assert here.why == SharedFault(page).why == "told by another process, é"
    here.tell("mine")
    assert SharedFault(page).why == "told by another process, é"


def test_a_sentence_that_is_too_long_is_cut(page):
    SharedFault(page).tell("é" * 100_000)
    assert set(SharedFault(page).why.rstrip("\ufffd")) == {"é"}


def append(ledger) -> None:
    async def appended() -> None:
        await ledger.append([an_event(1)]).wait()

    asyncio.run(appended())


def break_tree(path: Path) -> None:
    with closing(sqlite3.connect(path)) as hand:
        hand.execute("create trigger broken before insert on tile begin select raise(abort, 'disk full'); end")


def test_L4_a_tree_that_is_not_kept_ends_appending_at_once_and_nothing_is_signed(tmp_path):
    path, fault = tmp_path / "ledger.db", Fault()
    create_ledger(path)
    with closing(open_tree_store(path, fault=fault)) as tree, closing(open_ledger_at(path, fault=fault)) as ledger:
        append(ledger)
        break_tree(path)
        with pytest.raises(LedgerError, match="disk full"):
            Sealer(tree, KEY).seal(BEGUN, HEARTBEAT)
        assert ledger.failed
        with pytest.raises(LedgerError, match="the tree over the ledger was not kept"):
            append(ledger)
        with pytest.raises(LedgerError, match="the tree over the ledger was not kept"):
            ledger.append_now([an_event(2)])
        with pytest.raises(LedgerError, match="the tree over the ledger was not kept"):
            Sealer(tree, KEY).seal(BEGUN + SECOND, HEARTBEAT)


def test_L4_an_append_that_fails_ends_the_tree_too(tmp_path):
    path, fault = tmp_path / "ledger.db", Fault()
    create_ledger(path)
    with closing(open_tree_store(path, fault=fault)) as tree, closing(open_ledger_at(path, fault=fault)) as ledger:
        with closing(sqlite3.connect(path)) as hand:  # another hand takes the next number
            hand.execute("insert into event (sequence, at, kind, account) values (1, 0, 'sign-in', 'b')")
            hand.commit()
        with pytest.raises(LedgerError):
            append(ledger)
        for ask in (tree.elected, tree.settled, tree.head):
            with pytest.raises(LedgerError, match="could not be written"):
                ask()


def test_L4_a_commit_during_which_another_process_failed_is_not_acknowledged(tmp_path, page):
    """It may be on record: but nobody is told so, and nothing is disclosed for it."""
    path = tmp_path / "ledger.db"
    create_ledger(path)
    open_ledger_at(path).close()
    with closing(open_ledger_at(path, beside=True, fault=SharedFault(page))) as ledger:
        with closing(sqlite3.connect(path, isolation_level=None)) as hand:
            hand.execute("begin immediate")  # the commit waits

            async def appended() -> None:
                waiting = ledger.append([an_event(1)])
                await asyncio.sleep(0.1)
                SharedFault(page).tell("elsewhere")
                hand.execute("rollback")
                await waiting.wait()

            with pytest.raises(LedgerError, match="elsewhere"):
                asyncio.run(appended())
        assert ledger.failed
    assert len(stored_at(path)) <= 1
