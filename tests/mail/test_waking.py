# SPDX-License-Identifier: EUPL-1.2
"""A letter that is put wakes the delivery: it does not wait for the next look."""

from __future__ import annotations

import asyncio
import threading
from contextlib import closing

from gateway.identity.at_rest import AtRest
from gateway.mail.delivery import Delivery
from gateway.mail.outbox import Outbox

from .conftest import LETTER, SENDER, T0
from .scripted import Scripted, served


def test_a_letter_leaves_as_soon_as_it_is_put_from_whichever_thread(outbox, clock):
    sent = threading.Semaphore(0)

    class Telling(Scripted):
        def send(self, message):
            super().send(message)
            sent.release()

    async def walk():
        stop = asyncio.Event()
        running = asyncio.create_task(Delivery(outbox, Telling(), SENDER, clock).run(stop, 3_600))
        await asyncio.sleep(0.1)  # it has looked, and found nothing
        outbox.put(LETTER, T0)
        assert await asyncio.to_thread(sent.acquire, timeout=5)
        threading.Timer(0.2, outbox.put, (LETTER, T0)).start()  # while the loop has nothing to do
        assert await asyncio.to_thread(sent.acquire, timeout=5)
        stop.set()
        await asyncio.wait_for(running, 5)

    asyncio.run(walk())


def test_a_letter_put_between_a_look_and_the_wait_is_not_forgotten(path, clock):
    class Late(Outbox):
        looks = 0

        def due(self, at):
            found = super().due(at)
            self.looks += 1
            if self.looks == 1:
                self.put(LETTER, T0)
            return found

    courier = Scripted()
    with closing(Late(path, AtRest(bytes(32)))) as outbox:
        served(Delivery(outbox, courier, SENDER, clock), lambda: courier.taken and not outbox.count(), 3_600)
        assert outbox.looks == 3, "nothing, the letter, nothing: then it waits"


def test_a_letter_is_kept_though_nobody_delivers_any_more(outbox, clock):
    courier = Scripted()
    outbox.put(LETTER, T0)
    served(Delivery(outbox, courier, SENDER, clock), lambda: not outbox.count())
    outbox.put(LETTER, T0)
    assert outbox.count() == 1
