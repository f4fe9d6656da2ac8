# SPDX-License-Identifier: EUPL-1.2
"""The ledger's doors: whoever asks for `door` gets each of them, who asks for `file` or `postgres` on that alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.ledger_doors import FileDoor, MemoryDoor, PostgresDoor
from support.postgres import the_server
from support.sealing import Counting

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gateway.ledger.place import PostgresAddress
    from gateway.ledger.tree_store import TreeStore
    from support.ledger_doors import Door


@pytest.fixture(params=[FileDoor, PostgresDoor, MemoryDoor])
def door(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Door]:
    made = request.param(tmp_path)
    yield made
    made.close()


@pytest.fixture
def file(tmp_path: Path) -> Iterator[FileDoor]:
    made = FileDoor(tmp_path)
    yield made
    made.close()


@pytest.fixture
def postgres(tmp_path: Path) -> Iterator[PostgresDoor]:
    made = PostgresDoor(tmp_path)
    yield made
    made.close()


@pytest.fixture
def place() -> PostgresAddress:
    """A database of PostgreSQL that may be damaged."""
    return the_server().database()


@pytest.fixture
def store(door: Door) -> TreeStore:
    """The tree that all sealers of a test work on: the election, where there is one, is its own."""
    return door.tree()


@pytest.fixture
def events(door: Door) -> Counting:
    return Counting(door)
