# SPDX-License-Identifier: EUPL-1.2
"""A ledger under test behind each of its doors, with what it holds, its tree, and a way to break it."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any, Protocol

from gateway.ledger.memory import MemoryLedger
from gateway.ledger.memory_tree import MemoryTree
from gateway.ledger.read import LedgerReader
from gateway.ledger.store import Ledger, SqliteLedger, create_ledger, open_ledger, open_ledger_at
from gateway.ledger.tree_rows import open_tree_store
from support.postgres import the_server

if TYPE_CHECKING:
    from pathlib import Path

    from gateway.ledger.place import Place
    from gateway.ledger.tree_store import TreeStore
    from gateway.model import Event

_COLLIDE = (
    "insert into event (sequence, at, kind, account) "
    "select coalesce(max(sequence), 0) + 1, 0, 'sign-in', 'b' from event"
)


class Door(Protocol):
    """One ledger, open."""

    ledger: Ledger

    def stored(self) -> list[tuple[int, Event]]:
        """The events of account `a`, oldest first."""
        ...

    def tree(self) -> TreeStore:
        """Its tree, opened once more at each call."""
        ...

    def fail(self) -> None:
        """From now on no append succeeds."""
        ...

    def close(self) -> None:
        """Close all that was opened here."""
        ...


def stored_at(place: Place) -> list[tuple[int, Event]]:
    """The events of account `a` as a reader finds them, oldest first."""
    reader = LedgerReader(place)
    found = [(one.sequence, one.event) for one in reversed(reader.events("a", limit=1000))]
    reader.close()
    return found


class FileDoor:
    """In a SQLite file."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "ledger.db"
        create_ledger(self.path)
        self.ledger: SqliteLedger = open_ledger(self.path)
        self._trees: list[TreeStore] = []

    def stored(self) -> list[tuple[int, Event]]:
        """See Door."""
        return stored_at(self.path)

    def tree(self) -> TreeStore:
        """See Door."""
        self._trees.append(open_tree_store(self.path))
        return self._trees[-1]

    def fail(self) -> None:
        """Another hand takes the next number: the next insert collides."""
        with sqlite3.connect(self.path) as other:
            other.execute(_COLLIDE)
        other.close()

    def close(self) -> None:
        """See Door."""
        for tree in self._trees:
            tree.close()
        self.ledger.close()


class PostgresDoor:
    """In a database that tests use in turn, with days around the events that they make up."""

    def __init__(self, _folder: Path) -> None:
        self.place = the_server().emptied()
        self.ledger = open_ledger_at(self.place)
        self._trees: list[TreeStore] = []

    def stored(self) -> list[tuple[int, Event]]:
        """See Door."""
        return stored_at(self.place)

    def tree(self) -> TreeStore:
        """See Door."""
        self._trees.append(open_tree_store(self.place))
        return self._trees[-1]

    def ask(self, words: str) -> list[tuple[Any, ...]]:
        """One statement in its database, by the superuser."""
        return the_server().ask(self.place.database, words)

    def fail(self) -> None:
        """The server ends every connection to the database, as an administrator would."""
        self.ask(
            "select pg_terminate_backend(pid) from pg_stat_activity "
            "where datname = current_database() and pid <> pg_backend_pid()"
        )

    def close(self) -> None:
        """See Door."""
        for tree in self._trees:
            tree.close()
        self.ledger.close()


class MemoryDoor:
    """The twin."""

    def __init__(self, _folder: Path) -> None:
        self.ledger = MemoryLedger()
        self._tree = MemoryTree(self.ledger)

    def stored(self) -> list[tuple[int, Event]]:
        """See Door."""
        return [(one.sequence, one.event) for one in self.ledger.stored if one.event.account == "a"]

    def tree(self) -> TreeStore:
        """See Door."""
        return self._tree

    def fail(self) -> None:
        """See Door."""
        self.ledger.fail()

    def close(self) -> None:
        """See Door."""
        self.ledger.close()
