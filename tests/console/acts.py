# SPDX-License-Identifier: EUPL-1.2
"""For the tests of this room: what operators' acts stand on, and a record that a test can break. No tests."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from gateway.errors import LedgerError
from gateway.identity.accounts import Accounts
from gateway.identity.at_rest import AtRest
from gateway.identity.database import create_database
from gateway.identity.session import Sessions

T0 = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
PHARMACY = "750012346"


class Acts:
    """An empty database; who is built on it sets `handlers`, and gives them `append` to record with."""

    def __init__(self, folder):
        self.engine = create_database(folder / "accounts.db")
        self.accounts = Accounts(self.engine, AtRest(bytes(32)))
        self.sessions = Sessions(self.engine, timedelta(minutes=30), timedelta(hours=4))
        self.events, self.broken, self.handlers = [], False, {}

    async def append(self, event):
        if self.broken:
            raise LedgerError("the disk is full")
        self.events.append(event)

    def do(self, command, **arguments):
        return asyncio.run(self.handlers[f"account.{command}"](arguments))
