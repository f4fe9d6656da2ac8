# SPDX-License-Identifier: EUPL-1.2
"""retention_operations: a round that is asked for has a reason and a name, and goes on when nobody waits any more."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from gateway.console.asker import asked_by
from gateway.console.retention_operations import RetentionOperations, retention_handlers
from gateway.errors import HerseError, LedgerError


class Slow:
    """A deleter that ends when it is told."""

    def __init__(self) -> None:
        self.notes: list[str | None] = []
        self.go_on = asyncio.Event()
        self.done = False

    async def round(self, note: str | None = None) -> Counter[str]:
        self.notes.append(note)
        await self.go_on.wait()
        self.done = True
        return Counter(security=3)


class Failing:
    async def round(self, note: str | None = None) -> Counter[str]:
        raise LedgerError("the disk")


async def answer_of(deleter, asked, wait_seconds=5.0):
    with asked_by("anne as herse"):
        return await retention_handlers(RetentionOperations(deleter, wait_seconds))["ledger.retention"](asked)


def test_it_tells_what_went_and_who_asked():
    async def run():
        slow = Slow()
        slow.go_on.set()
        assert await answer_of(slow, {"reason": "room"}) == {"done": True, "gone": {"security": 3}}
        assert slow.notes == ["asked by anne as herse: room"]

    asyncio.run(run())


def test_it_goes_on_when_the_answer_has_to_leave():
    async def run():
        slow = Slow()
        assert await answer_of(slow, {"reason": "room"}, 0.01) == {"done": False, "gone": {}}
        slow.go_on.set()
        for _ in range(5):
            await asyncio.sleep(0)
        assert slow.done

    asyncio.run(run())


@pytest.mark.parametrize("asked", [{}, {"reason": None}, {"reason": 3}, {"reason": " "}])
def test_without_a_reason_nothing_is_done(asked):
    slow = Failing()
    with pytest.raises(HerseError, match="as reason"):
        asyncio.run(answer_of(slow, asked))


def test_what_keeps_it_from_its_work_is_told():
    with pytest.raises(LedgerError, match="the disk"):
        asyncio.run(answer_of(Failing(), {"reason": "room"}))
