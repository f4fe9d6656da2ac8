# SPDX-License-Identifier: EUPL-1.2
"""A courier that does as it is told, and a delivery that runs until something holds."""

from __future__ import annotations

import asyncio
import threading


class Scripted:
    """A courier that refuses as told, then takes; `taken` are the messages."""

    def __init__(self, *faults):
        self.faults = list(faults)
        self.taken = []
        self.hung_up = threading.Event()

    def send(self, message):
        if self.faults and (fault := self.faults.pop(0)) is not None:
            raise fault
        self.taken.append(message)

    def hang_up(self):
        self.hung_up.set()


async def until(condition):
    """Wait for something to hold, for ten seconds at most."""
    for _ in range(500):
        if condition():
            return
        await asyncio.sleep(0.02)
    raise TimeoutError


def served(delivery, condition, look_seconds=0.02):
    """Run a delivery until something holds."""

    async def walk():
        stop = asyncio.Event()
        running = asyncio.create_task(delivery.run(stop, look_seconds))
        await until(condition)
        stop.set()
        await asyncio.wait_for(running, 5)

    asyncio.run(walk())
